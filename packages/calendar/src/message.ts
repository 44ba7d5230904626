/** Messages to and from the worker. Temporal values cannot be cloned, so times travel as text. */
import type { CalendarEvent } from './event.ts';
import type { ReadCalendar, ReadOptions } from './read.ts';

export interface ReadRequest {
  readonly bytes: Uint8Array;
  readonly from: string;
  readonly to: string;
  readonly zone: string;
  readonly charset: string | undefined;
}

type EventMessage = Omit<CalendarEvent, 'start' | 'end'> & { readonly start: string; readonly end: string };

export type ReadMessage =
  | Extract<ReadCalendar, { ok: false }>
  | {
      readonly ok: true;
      readonly content: Omit<Extract<ReadCalendar, { ok: true }>['content'], 'events'> & {
        readonly events: readonly EventMessage[];
      };
    };

export const toRequest = (bytes: Uint8Array, { window, zone, charset }: ReadOptions): ReadRequest => ({
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

export function fromMessage(message: ReadMessage): ReadCalendar {
  if (!message.ok) return message;
  const events = message.content.events.map((event) => ({
    ...event,
    start: Temporal.Instant.from(event.start),
    end: Temporal.Instant.from(event.end),
  }));
  return { ok: true, content: { ...message.content, events } };
}
