/** When passes run: one at start, then by interval or cron expression, never two at once. */
import { sleep } from '@scanflow/runtime';
import cron from 'node-cron';

export interface ScheduleOptions {
  /** Milliseconds between the starts of two passes. */
  readonly every: number;
  /** Instead of `every`: a cron expression, in `zone`. */
  readonly cron?: string | undefined;
  readonly zone: string;
  /** One pass; it never throws. */
  readonly run: () => Promise<void>;
  readonly signal: AbortSignal;
}

/** Runs passes until the signal aborts; resolves when the last one has ended. */
export async function keepRunning(options: ScheduleOptions): Promise<void> {
  const { every, cron: expression, run, signal } = options;
  if (expression !== undefined) return byCron(expression, options);
  while (!signal.aborted) {
    const began = performance.now();
    await run();
    await sleep(Math.max(0, every - (performance.now() - began)), signal);
  }
}

/** So far ahead the next pass is looked for: a clock that is set anew counts within this time. */
const AHEAD_SECONDS = 60;

/** A pass at each second that the expression names. Those that come while one runs are left out. */
async function byCron(expression: string, { zone, run, signal }: ScheduleOptions): Promise<void> {
  const matches = matcher(expression, zone);
  const now = (): number => Temporal.Now.instant().epochMilliseconds / 1000;
  const isStopped = (): boolean => signal.aborted;
  await run();
  for (let last = Math.floor(now()); !isStopped();) {
    const next = nextSecond(matches, last, AHEAD_SECONDS);
    const until = next ?? last + AHEAD_SECONDS;
    await sleep(Math.max(0, (until - now()) * 1000), signal);
    if (next !== undefined && !isStopped()) await run();
    // a timer may be early by a millisecond; a clock that was set back begins anew
    const after = now();
    last = after < until - 1 ? Math.floor(after) : Math.max(until, Math.floor(after));
  }
}

/** The first of the seconds after `from` that matches, at most `ahead` later. */
export function nextSecond(
  matches: (second: number) => boolean,
  from: number,
  ahead: number,
): number | undefined {
  for (let second = from + 1; second <= from + ahead; second += 1) if (matches(second)) return second;
  return undefined;
}

/**
 * Whether an expression names a second since 1970. node-cron's own timers stand still for the hour that comes twice when
 * clocks go back; asked second by second it names both of them.
 */
export function matcher(expression: string, zone: string): (second: number) => boolean {
  const task = cron.createTask(expression, () => undefined, { timezone: zone });
  // it knows times as Date only
  return (second) => task.match(new globalThis.Date(second * 1000));
}
