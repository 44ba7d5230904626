/** Small calendars for tests of zones and overrides, and what is read in them. */
import { readCalendar } from '@scanflow/calendar';

/** Monday to Sunday of a summer week. */
const WINDOW = {
  from: Temporal.Instant.from('2026-07-05T00:00:00Z'),
  to: Temporal.Instant.from('2026-07-12T00:00:00Z'),
};

export const calendarOf = (...parts: readonly (readonly string[])[]): string =>
  ['BEGIN:VCALENDAR', 'VERSION:2.0', ...parts.flat(), 'END:VCALENDAR', ''].join('\r\n');

export const event = (lines: readonly string[]): string[] => [
  'BEGIN:VEVENT',
  'UID:a',
  ...lines,
  'SUMMARY:x',
  'END:VEVENT',
];

/** Starts in UTC, `x` for a cancelled one, the title where it is another one; then codes of problems. */
export function readAs(text: string): string {
  const read = readCalendar(Buffer.from(text), { window: WINDOW, zone: 'Europe/Amsterdam' });
  if (!read.ok) return read.error.code;
  const { events, problems } = read.content;
  const shown = events.map(({ start, status, summary }) => {
    const title = summary === 'x' ? '' : `=${summary}`;
    return `${start.toString().slice(5, 16)}${status === 'CANCELLED' ? 'x' : ''}${title}`;
  });
  return [...shown, ...problems.map(({ code }) => code)].join(' ');
}

/** One part of a VTIMEZONE. */
export const part = (
  name: string,
  from: string,
  to: string,
  start: string,
  rule?: string,
  more: readonly string[] = [],
): string[] => [
  ...[`BEGIN:${name}`, `DTSTART:${start}`, `TZOFFSETFROM:${from}`, `TZOFFSETTO:${to}`],
  ...(rule === undefined ? [] : [`RRULE:${rule}`]),
  ...more,
  `END:${name}`,
];
export const zone = (tzid: string, ...parts: readonly (readonly string[])[]): string[] => [
  'BEGIN:VTIMEZONE',
  `TZID:${tzid}`,
  ...parts.flat(),
  'END:VTIMEZONE',
];
/** As Outlook defines Amsterdam's. */
export const ams = (tzid: string): string[] =>
  zone(
    tzid,
    part('STANDARD', '+0200', '+0100', '16010101T030000', 'FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10'),
    part('DAYLIGHT', '+0100', '+0200', '16010101T020000', 'FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3'),
  );
/** At nine on Monday. */
export const at = (tzid: string): string[] =>
  event([`DTSTART;TZID=${tzid}:20260706T090000`, `DTEND;TZID=${tzid}:20260706T100000`]);
