/**
 * The worker that reads one calendar after another, first as cal2wl does, then by ical.js. Whoever started it ends it when one
 * takes too long. To ical.js it gives the zones of IANA: those that a calendar names without a definition.
 */
import { parentPort } from 'node:worker_threads';
import ical from 'ical.js';
import { flagBookings, interpret } from '@scanflow/booking';
import { defined } from '@scanflow/failure/defined';
import { readCalendar } from '@scanflow/calendar';
import { bookingRules, parseConfig } from '@scanflow/config';
import { outcomeOf, type EventOutcome, type ProblemOutcome } from '../integration/calendar-support.ts';
import { readWithIcalJs, type Seconds } from '../integration/calendar-second.ts';

export interface Request {
  readonly bytes: Uint8Array;
  readonly window: Seconds;
}

/** Of our reader, then of ical.js. */
export type Answer =
  | {
      readonly by: 'us';
      readonly events: readonly EventOutcome[];
      readonly problems: readonly ProblemOutcome[];
      readonly error?: string;
      /** What `interpret` threw; undefined where it threw nothing. */
      readonly thrown?: string;
      readonly bookings: number;
    }
  | { readonly by: 'ical.js'; readonly events: readonly EventOutcome[] }
  | { readonly by: 'ical.js'; readonly thrown: string };

/** As much of ical.js as is used: its package hides its types from `import`. */
interface Service {
  register(zone: unknown, name: string): void;
}
interface Wall {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}
const { Timezone, TimezoneService } = ical as unknown as {
  readonly Timezone: new (data: object) => { utcOffset(time: Wall): number };
  readonly TimezoneService: Service;
};

/** UTC stands for the scanner's zone: in it ical.js reads times without a zone. */
const ZONE = 'UTC';

for (const id of Intl.supportedValuesOf('timeZone')) {
  const zone = new Timezone({ tzid: id, component: '' });
  zone.utcOffset = ({ year, month, day, hour, minute, second }) =>
    Temporal.PlainDateTime.from({ year, month, day, hour, minute, second }).toZonedDateTime(id)
      .offsetNanoseconds / 1e9;
  TimezoneService.register(zone, id);
}

const instant = (seconds: number): Temporal.Instant => Temporal.Instant.fromEpochMilliseconds(seconds * 1000);
const answer = (message: Answer): void => parentPort?.postMessage(message);

const parsed = parseConfig(
  JSON.stringify({
    facility: { name: '-', timezone: ZONE },
    data: '/data',
    scanners: { mr: { aet: 'MR', modality: 'MR' } },
    calendars: { mr: { file: '-', scanner: 'mr' } },
    orthanc: { url: 'http://127.0.0.1' },
    storage: { root: '/project' },
  }),
  '-',
);
if (!parsed.ok) throw new Error(parsed.issues.map(({ message }) => message).join());
const rules = bookingRules(parsed.config, 'mr');

parentPort?.on('message', ({ bytes, window }: Request) => {
  const text = new TextDecoder().decode(bytes);
  answer(ours(bytes, text, window));
  try {
    answer({ by: 'ical.js', events: readWithIcalJs(text, window) });
  } catch (error) {
    answer({ by: 'ical.js', thrown: error instanceof Error ? error.name : 'unknown' });
  }
});

/** ical.js knows no X-WR-TIMEZONE: the two are compared without it. */
const CALENDAR_ZONE = /^X-WR-TIMEZONE\b.*$/gim;

function ours(bytes: Uint8Array, text: string, { from, to }: Seconds): Answer {
  const options = { window: { from: instant(from), to: instant(to) }, zone: ZONE };
  const read = readCalendar(bytes, options);
  const without = text.replaceAll(CALENDAR_ZONE, 'X-COMMENT:-');
  const compared = without === text ? read : readCalendar(Buffer.from(without), options);
  const { events = [], problems = [], error } = outcomeOf(compared);
  const base = {
    by: 'us',
    events,
    problems,
    bookings: 0,
    ...defined({ error }),
  } as const;
  if (!read.ok) return base;
  try {
    const outcomes = flagBookings(read.content.events.map((event) => interpret(event, rules)));
    return { ...base, bookings: outcomes.filter(({ outcome }) => outcome === 'booking').length };
  } catch (error) {
    return { ...base, thrown: error instanceof Error ? error.name : 'unknown' };
  }
}
