/** What a process has used so far, from /proc; minimum, median and maximum of figures; the machine that made them. */
import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus, release, totalmem } from 'node:os';

/** Ticks per second of /proc/PID/stat (USER_HZ, which Linux keeps at 100). */
const TICKS = 100;

export interface Usage {
  /** Memory now and at its highest, in MB. */
  readonly now: number;
  readonly peak: number;
  /** Seconds of processor so far. */
  readonly cpu: number;
}

export async function usageOf(pid: number): Promise<Usage> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const stat = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /s, '').split(' ');
  const mb = (key: string): number =>
    Number(new RegExp(`${key}:\\s+(\\d+) kB`).exec(status)?.[1] ?? NaN) / 1000;
  return { now: mb('VmRSS'), peak: mb('VmHWM'), cpu: (Number(stat[11]) + Number(stat[12])) / TICKS };
}

/** Seconds that all processors were busy since the start of the machine. */
export const busySeconds = (): number =>
  cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + (user + nice + sys + irq) / 1000, 0);

export const median = (list: readonly number[]): number =>
  list.toSorted((a, b) => a - b)[list.length >> 1] ?? NaN;

/** `median (minimum–maximum)`, or the figure alone if it is the only one. */
export function spread(list: readonly number[], digits = 0): string {
  const figure = (value: number): string => value.toFixed(digits);
  if (list.length === 1) return figure(median(list));
  return `${figure(median(list))} (${figure(Math.min(...list))}–${figure(Math.max(...list))})`;
}

export const machine = (): string =>
  `${availableParallelism()} processors (${cpus()[0]?.model.trim() ?? 'unknown'}), ${(totalmem() / 2 ** 30).toFixed(0)} GiB of memory, Linux ${release()}, Node.js ${process.version}`;
