/** Reading a calendar in a worker thread: a calendar that takes too long or too much memory costs only itself. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { FeedError } from './feed.ts';
import type { ReadCalendar, ReadOptions } from './read.ts';
import { fromMessage, toRequest, type ReadMessage } from './message.ts';

export interface IsolatedOptions extends ReadOptions {
  /** Longest time in milliseconds, start of the worker included. */
  readonly timeoutMs: number;
  /** Largest heap of the worker in MiB. */
  readonly maxHeapMiB?: number;
}

/** `readCalendar` in a worker; what exceeds its limits is a feed error. */
export async function readIsolated(bytes: Uint8Array, options: IsolatedOptions): Promise<ReadCalendar> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: toRequest(bytes, options),
    resourceLimits: { maxOldGenerationSizeMb: options.maxHeapMiB ?? 512, maxYoungGenerationSizeMb: 8 },
    execArgv: [],
    env: {},
  });
  const limit = AbortSignal.timeout(options.timeoutMs);
  try {
    const [message] = (await once(worker, 'message', { signal: limit })) as [ReadMessage];
    return fromMessage(message);
  } catch (error) {
    return { ok: false, error: limit.aborted ? tooSlow(options.timeoutMs) : failed(error) };
  } finally {
    await worker.terminate();
  }
}

const tooSlow = (ms: number): FeedError => ({
  code: 'FEED_TIMEOUT',
  message: `Reading the calendar took longer than ${ms / 1000} s: look for an event that repeats without end or far too often.`,
});

/** Only a worker that ran out of memory tells of the calendar; one that could not start tells of this machine. */
function failed(error: unknown): FeedError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  if (/OUT_OF_MEMORY/.test(code)) return tooMuch();
  const message = `The calendar could not be read (${code}), for a reason that does not lie in it; it is tried again.`;
  return { code: 'FEED_UNEXPECTED', message };
}

const tooMuch = (): FeedError => ({
  code: 'FEED_TOO_MUCH',
  message:
    'The calendar is too large to be read: publish a shorter span of time, or one calendar per scanner.',
});
