/** Calendars as large as booking systems publish them, for the bench. */

export interface FeedOptions {
  readonly events: number;
  /** Parameter of their times: `;TZID=Europe/Amsterdam`; empty for floating times. */
  readonly zone: string;
}

const HEAD = [
  'BEGIN:VCALENDAR',
  'VERSION:2.0',
  'PRODID:-//Booking//Server//EN',
  'BEGIN:VTIMEZONE',
  'TZID:Europe/Amsterdam',
  'BEGIN:DAYLIGHT',
  'DTSTART:19700329T020000',
  'TZOFFSETFROM:+0100',
  'TZOFFSETTO:+0200',
  'RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU',
  'END:DAYLIGHT',
  'BEGIN:STANDARD',
  'DTSTART:19701025T030000',
  'TZOFFSETFROM:+0200',
  'TZOFFSETTO:+0100',
  'RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU',
  'END:STANDARD',
  'END:VTIMEZONE',
];
const DAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'];
const FIRST = Temporal.PlainDateTime.from('2017-01-02T08:00');
const SPAN_MINUTES = 10 * 365 * 24 * 60;

/** Events over ten years from 2017, some 340 bytes each; every tenth repeats, one in five hundred of all without end. */
export function makeFeed({ events, zone }: FeedOptions): Buffer {
  const chunks: Buffer[] = [Buffer.from(`${HEAD.join('\r\n')}\r\n`)];
  for (let from = 0; from < events; from += 1000) {
    const count = Math.min(1000, events - from);
    const lines = Array.from({ length: count }, (_, index) => oneEvent(from + index, events, zone));
    chunks.push(Buffer.from(lines.join('')));
  }
  return Buffer.concat([...chunks, Buffer.from('END:VCALENDAR\r\n')]);
}

function oneEvent(index: number, events: number, zone: string): string {
  const start = FIRST.add({ minutes: Math.floor(((index / events) * SPAN_MINUTES) / 15) * 15 });
  const lines = [
    'BEGIN:VEVENT',
    `UID:${index.toString(16).padStart(8, '0')}-1f2e-4d3c-9b8a@booking.example.org`,
    'DTSTAMP:20260101T000000Z',
    `DTSTART${zone}:${basic(start)}`,
    `DTEND${zone}:${basic(start.add({ hours: 1 }))}`,
    ...(index % 10 === 0 ? [`RRULE:${ruleOf(index / 10, start)}`] : []),
    `SUMMARY:3011${String(index % 900).padStart(3, '0')}.01 sub-${String(index % 300).padStart(3, '0')} ses-mri01`,
    'DESCRIPTION:Booked by a member of the lab\\, for the usual hour of scanning',
    ' .',
    'STATUS:CONFIRMED',
    'TRANSP:OPAQUE',
    'SEQUENCE:0',
    'END:VEVENT',
  ];
  return `${lines.join('\r\n')}\r\n`;
}

function ruleOf(index: number, start: Temporal.PlainDateTime): string {
  const day = DAYS[start.dayOfWeek - 1] ?? 'MO';
  if (index % 50 === 0) return `FREQ=WEEKLY;BYDAY=${day}`;
  const until = basic(start.add({ days: 20 }));
  const rules = [
    'FREQ=WEEKLY;COUNT=10',
    `FREQ=DAILY;UNTIL=${until}Z`,
    `FREQ=WEEKLY;BYDAY=${[...new Set([day, 'TH'])].join()};COUNT=8`,
    'FREQ=MONTHLY;COUNT=6',
  ];
  return rules[index % rules.length] ?? 'FREQ=DAILY;COUNT=2';
}

const basic = (time: Temporal.PlainDateTime): string =>
  time.toString({ smallestUnit: 'second' }).replaceAll(/[-:]/g, '');
