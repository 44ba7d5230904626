/** Writes iCalendar texts for tests and the demo, as a well-behaved booking system would (RFC 5545). */

export interface CalendarEntry {
  readonly uid: string;
  /** Written with its zone as TZID; with zone UTC as a UTC time. */
  readonly start: Temporal.ZonedDateTime;
  readonly end: Temporal.ZonedDateTime;
  readonly summary: string;
  readonly description?: string;
  /** Value of RRULE, as it is to stand there. */
  readonly rrule?: string;
  /** Original start of the instance that this entry replaces. */
  readonly recurrenceId?: Temporal.ZonedDateTime;
  readonly exdates?: readonly Temporal.ZonedDateTime[];
  readonly status?: 'CONFIRMED' | 'TENTATIVE' | 'CANCELLED';
  readonly transparent?: boolean;
  /** Written as DATE values. */
  readonly allDay?: boolean;
  readonly organizer?: string;
  readonly sequence?: number;
  /** Further content lines, verbatim: `X-DICOM-PROJECT:…`. */
  readonly lines?: readonly string[];
}

export interface CalendarOptions {
  /** X-WR-TIMEZONE. */
  readonly zone?: string;
  readonly method?: string;
}

/** A calendar of these entries: UTF-8 text, lines ended by CR LF and folded at 75 octets. */
export function makeCalendar(
  entries: readonly CalendarEntry[],
  { zone, method }: CalendarOptions = {},
): string {
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Scanflow//testkit//EN',
    ...(method === undefined ? [] : [`METHOD:${method}`]),
    ...(zone === undefined ? [] : [`X-WR-TIMEZONE:${zone}`]),
    ...entries.flatMap(eventLines),
    'END:VCALENDAR',
  ];
  return lines.map((line) => `${fold(line)}\r\n`).join('');
}

function eventLines(entry: CalendarEntry): string[] {
  const time = (name: string, value: Temporal.ZonedDateTime): string =>
    timeLine(name, value, entry.allDay === true);
  const optional = (name: string, value: string | number | undefined): string[] =>
    value === undefined ? [] : [`${name}:${value}`];
  return [
    'BEGIN:VEVENT',
    `UID:${entry.uid}`,
    'DTSTAMP:20240101T000000Z',
    time('DTSTART', entry.start),
    time('DTEND', entry.end),
    ...(entry.recurrenceId === undefined ? [] : [time('RECURRENCE-ID', entry.recurrenceId)]),
    ...(entry.exdates ?? []).map((value) => time('EXDATE', value)),
    ...optional('RRULE', entry.rrule),
    `SUMMARY:${escapeText(entry.summary)}`,
    ...optional('DESCRIPTION', entry.description === undefined ? undefined : escapeText(entry.description)),
    ...optional('STATUS', entry.status),
    ...(entry.transparent === true ? ['TRANSP:TRANSPARENT'] : []),
    ...(entry.organizer === undefined
      ? []
      : [`ORGANIZER;CN="${entry.organizer}":mailto:someone@example.org`]),
    ...optional('SEQUENCE', entry.sequence),
    ...(entry.lines ?? []),
    'END:VEVENT',
  ];
}

function timeLine(name: string, value: Temporal.ZonedDateTime, dateOnly: boolean): string {
  const basic = (text: string): string => text.replaceAll(/[-:]/g, '');
  if (dateOnly) return `${name};VALUE=DATE:${basic(value.toPlainDate().toString())}`;
  const wall = basic(value.toPlainDateTime().toString({ smallestUnit: 'second' }));
  return value.timeZoneId === 'UTC' ? `${name}:${wall}Z` : `${name};TZID=${value.timeZoneId}:${wall}`;
}

const escapeText = (text: string): string =>
  text.replaceAll(/[\\;,]/g, (character) => `\\${character}`).replaceAll('\n', '\\n');

/** Folds at 75 octets, never inside a character (RFC 5545 3.1). */
function fold(line: string): string {
  let folded = '';
  let octets = 0;
  for (const character of line) {
    const size = Buffer.byteLength(character);
    if (octets + size > 75) {
      folded += '\r\n ';
      octets = 1;
    }
    folded += character;
    octets += size;
  }
  return folded;
}
