/** When passes run: one at start, then by interval or cron expression, never two at once. */
import { messageOf, sleep, type Log } from '@scanflow/chassis';
import cron, { type TaskOptions } from 'node-cron';

type Logger = NonNullable<TaskOptions['logger']>;

export interface ScheduleOptions {
  /** Milliseconds between the starts of two passes. */
  readonly every: number;
  /** Instead of `every`: a cron expression, in `zone`. */
  readonly cron?: string | undefined;
  readonly zone: string;
  /** One pass; it never throws. */
  readonly run: () => Promise<void>;
  readonly signal: AbortSignal;
  readonly log: Log;
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

async function byCron(expression: string, { zone, run, signal, log }: ScheduleOptions): Promise<void> {
  let running = run();
  await running;
  const pass = (): Promise<void> => (running = run());
  const task = cron.schedule(expression, pass, { timezone: zone, noOverlap: true, logger: loggerOf(log) });
  if (!signal.aborted)
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  await task.destroy();
  await running;
}

/** node-cron would write to the console. */
function loggerOf(log: Log): Logger {
  const told = (message: string | Error): { reason: string } => ({ reason: messageOf(message) });
  return {
    info: (message) => log.debug('schedule', told(message)),
    debug: (message) => log.debug('schedule', told(message)),
    warn: (message) => log.warn('a pass was not started on time', told(message)),
    error: (message) => log.error('a pass was not started on time', told(message)),
  };
}
