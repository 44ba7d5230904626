/** Reads a calendar in a worker thread, so that one that takes too long or too much memory harms nothing else. */
import { Thread, ThreadError } from '@scanflow/runtime/thread';
import type { FeedError } from './feed.ts';
import type { ReadCalendar, ReadOptions } from './read.ts';
import type { CalendarEvent } from './event.ts';

export interface IsolatedOptions extends ReadOptions {
  /** Time limit in milliseconds, including the start of the worker. */
  readonly timeoutMs: number;
  /** Largest heap of the worker in MiB. */
  readonly maxHeapMiB?: number;
}

const MODULE = new URL('./worker.ts', import.meta.url);

/** `readCalendar` in a thread of its own. A calendar that exceeds the limits is a feed error. */
export async function readIsolated(bytes: Uint8Array, options: IsolatedOptions): Promise<ReadCalendar> {
  const { timeoutMs, maxHeapMiB = 512 } = options;
  const thread = new Thread<ReadRequest, ReadMessage>({ module: MODULE, timeoutMs, heapMiB: maxHeapMiB });
  try {
    return fromMessage(await thread.call(toRequest(bytes, options)));
  } catch (error) {
    return { ok: false, error: feedError(error, timeoutMs) };
  } finally {
    await thread.close();
  }
}

/** Time and memory say something about the calendar. A thread that could not start says something about this machine. */
function feedError(error: unknown, timeoutMs: number): FeedError {
  if (!(error instanceof ThreadError)) throw error;
  if (error.reason === 'time') return tooSlow(timeoutMs);
  if (error.reason === 'memory') return tooMuch();
  const { cause } = error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
  const message = `The calendar could not be read (${code}), for a reason that does not lie in it; it is tried again.`;
  return { code: 'FEED_UNEXPECTED', message };
}

const tooSlow = (ms: number): FeedError => ({
  code: 'FEED_TIMEOUT',
  message: `Reading the calendar took longer than ${ms / 1000} s: look for an event that repeats without end or far too often.`,
});

const tooMuch = (): FeedError => ({
  code: 'FEED_TOO_MUCH',
  message:
    'The calendar is too large to be read: publish a shorter span of time, or one calendar per scanner.',
});

export interface ReadRequest {
  readonly bytes: Uint8Array;
  readonly from: string;
  readonly to: string;
  readonly zone: string;
  readonly charset: string | undefined;
}

type EventMessage = Omit<CalendarEvent, 'start' | 'end'> & { readonly start: string; readonly end: string };

type ReadMessage =
  | Extract<ReadCalendar, { ok: false }>
  | {
      readonly ok: true;
      readonly content: Omit<Extract<ReadCalendar, { ok: true }>['content'], 'events'> & {
        readonly events: readonly EventMessage[];
      };
    };

const toRequest = (bytes: Uint8Array, { window, zone, charset }: ReadOptions): ReadRequest => ({
  bytes,
  from: window.from.toString(),
  to: window.to.toString(),
  zone,
  charset,
});

export const fromRequest = ({ from, to, zone, charset }: ReadRequest): ReadOptions => ({
  window: { from: Temporal.Instant.from(from), to: Temporal.Instant.from(to) },
  zone,
  charset,
});

export function toMessage(read: ReadCalendar): ReadMessage {
  if (!read.ok) return read;
  const events = read.content.events.map((event) => ({
    ...event,
    start: event.start.toString(),
    end: event.end.toString(),
  }));
  return { ok: true, content: { ...read.content, events } };
}

function fromMessage(message: ReadMessage): ReadCalendar {
  if (!message.ok) return message;
  const events = message.content.events.map((event) => ({
    ...event,
    start: Temporal.Instant.from(event.start),
    end: Temporal.Instant.from(event.end),
  }));
  return { ok: true, content: { ...message.content, events } };
}
