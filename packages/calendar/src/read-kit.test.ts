/** What tests of the reader share: a week of Amsterdam, and what is read of a text in it. */
import assert from 'node:assert/strict';
import { readCalendar, type CalendarContent, type ReadCalendar } from './read.ts';

export const zone = 'Europe/Amsterdam';
export const window = {
  from: Temporal.Instant.from('2026-11-20T00:00:00Z'),
  to: Temporal.Instant.from('2026-11-30T00:00:00Z'),
};

export const read = (text: string | Uint8Array, span = window): ReadCalendar =>
  readCalendar(typeof text === 'string' ? Buffer.from(text) : text, { window: span, zone });

export function content(text: string | Uint8Array, span = window): CalendarContent {
  const result = read(text, span);
  assert.ok(result.ok, JSON.stringify(result));
  return result.content;
}

export const wrap = (...lines: string[]): string =>
  ['BEGIN:VCALENDAR', ...lines, 'END:VCALENDAR', ''].join('\r\n');
export const vevent = (...lines: string[]): string => ['BEGIN:VEVENT', ...lines, 'END:VEVENT'].join('\r\n');
