/** When passes run: one at start, then by interval or cron expression, never two at once. */
import { sleep } from '@scanflow/chassis';
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
export async function keepRunning({
  every,
  cron: expression,
  zone,
  run,
  signal,
}: ScheduleOptions): Promise<void> {
  if (expression !== undefined) return byCron(expression, zone, run, signal);
  while (!signal.aborted) {
    const began = performance.now();
    await run();
    await sleep(Math.max(0, every - (performance.now() - began)), signal);
  }
}

async function byCron(
  expression: string,
  zone: string,
  run: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  // node-cron skips a time at which the previous pass still runs only for passes that it started itself
  let running = run();
  await running;
  const pass = (): Promise<void> => (running = run());
  const task = cron.schedule(expression, pass, { timezone: zone, noOverlap: true });
  if (!signal.aborted)
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  await task.destroy();
  await running;
}
