/**
 * What is still running of an earlier run of a command: its streamer was killed, or froze until another took the run over,
 * and the command knows nothing of it. It is ended before the run is made again, so that there are never two at once.
 */
import { readdir, readFile } from 'node:fs/promises';
import { sleep } from '@scanflow/runtime';
import { type Failure, transient } from '@scanflow/failure';

/** Time from SIGTERM to SIGKILL, as for a command whose time is up. */
const GRACE_MS = 5_000;
/** A process that survives SIGKILL hangs in the kernel, or belongs to another user. */
const GIVE_UP_MS = 10_000;
const LOOK_MS = 100;

/**
 * Ends every process of this machine (in a container: of the container) that has all of these variables in the environment
 * it was started with. They are passed on to whatever a process starts, and nothing has to be written down before: not
 * even a start that was interrupted half-way is missed. A failure where something does not end; undefined where nothing is left, or we are stopped.
 */
export async function endLeftovers(
  marks: Readonly<Record<string, string>>,
  signal: AbortSignal,
  graceMs = GRACE_MS,
): Promise<Failure | undefined> {
  const began = performance.now();
  const asked = new Set<number>();
  for (;;) {
    const left = await marked(marks);
    const waited = performance.now() - began;
    if (left.length === 0 || signal.aborted) return undefined;
    if (waited > graceMs + GIVE_UP_MS) return stillRunning(left);
    for (const pid of left) {
      if (waited > graceMs) send(pid, 'SIGKILL');
      else if (!asked.has(pid)) send(pid, 'SIGTERM');
      asked.add(pid);
    }
    await sleep(LOOK_MS, signal).catch(() => undefined);
  }
}

const stillRunning = (pids: readonly number[]): Failure =>
  transient(
    'HOOK_STILL_RUNNING',
    `An earlier run of the hook's command is still there and cannot be ended (process ${pids.join(', ')}). End it by hand; the hook is run again.`,
  );

/** Where there is no /proc, nothing is found. A process that has ended and is not yet collected has no environment. */
async function marked(marks: Readonly<Record<string, string>>): Promise<number[]> {
  const names = await readdir('/proc').catch(() => []);
  const wanted = Object.entries(marks).map(([name, value]) => Buffer.from(`\0${name}=${value}\0`));
  const found: number[] = [];
  for (const name of names) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    // it may have ended by now, and that of other users is not for us to read
    const environment = await readFile(`/proc/${name}/environ`).catch(() => Buffer.alloc(0));
    const framed = Buffer.concat([Buffer.of(0), environment, Buffer.of(0)]);
    if (environment.length > 0 && wanted.every((one) => framed.includes(one))) found.push(Number(name));
  }
  return found;
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it has ended meanwhile, or may not be ended by us: the next look tells
  }
}
