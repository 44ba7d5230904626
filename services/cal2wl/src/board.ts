/** What the day board asks cal2wl for: the bookings of any day, and a person's word for what a calendar lost. */
import { defined } from '@scanflow/failure/defined';
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { WALK_IN, type BookingRecord } from '@scanflow/booking';
import { calendarId, calendarNamesById, type Config } from '@scanflow/config';
import { acceptRemovals, bookingFiles, RecordWatch } from '@scanflow/records';
import { addChanges, takes, type FastifyInstance, type Log } from '@scanflow/runtime';
import { OWN_FILES, type Files } from './lead.ts';
import { outcomeView, type OutcomeView, type PassReport } from './report.ts';

interface Query {
  readonly from?: string;
  readonly to?: string;
  /** An accession number, a Study Instance UID, or CALENDAR/UID/RECURRENCE-ID of an event. */
  readonly find?: string;
  /** What people know of a booking: one of the above, its project or its subject; letters count in either case. */
  readonly known?: string;
}

/** An event as in /api/bookings, or a booking that its calendar no longer has. */
type BoardBooking = Omit<OutcomeView, 'outcome'> & {
  readonly outcome: OutcomeView['outcome'] | 'cancelled' | 'superseded';
  readonly booker?: string;
  readonly supersededBy?: string;
  /** What it was before, and when that was noticed. */
  readonly changes?: BookingRecord['changes'];
};

interface BoardOptions {
  readonly config: Pick<Config, 'calendars' | 'data'>;
  readonly log: Log;
  /** The report of the last pass. */
  readonly last: () => PassReport | undefined;
  readonly files?: () => Files;
}

export function addBoard(app: FastifyInstance, options: BoardOptions): void {
  addBookings(app, options);
  addAccept(app, options);
  addChanges(app, { marks: marksOf(join(options.config.data, 'bookings'), options.last) });
}

/**
 * GET /api/board/bookings?from=&to=, ?find= or ?known=: the events that touch a span, those of one booking, or those of a project or subject. What the calendars
 * say now, and the booking records of what they no longer say.
 */
function addBookings(app: FastifyInstance, { config, log, last }: BoardOptions): void {
  const names = calendarNamesById(config);
  const files = bookingFiles(join(config.data, 'bookings'), {
    onDamaged: (file, reason) =>
      log.warn('booking record cannot be read', { code: 'BOOKING_UNREADABLE', file, reason }),
  });
  const records = new RecordWatch(files, (record: BookingRecord) => record, { replaced: true });
  const filters = takes('from', 'to', 'find', 'known');
  app.get<{ Querystring: Query }>('/api/board/bookings', filters, async ({ query }, reply) => {
    await records.look();
    const wanted = wantedBy(query);
    if (wanted === undefined)
      return reply
        .code(400)
        .send({ error: 'expected from and to, instants like 2026-11-28T08:00:00Z, or find, or known' });
    return { bookings: bookingsOf(last(), records.values(), names).filter(wanted) };
  });
}

/** The events change with a pass, the records with their folder. */
function marksOf(
  folder: string,
  last: () => PassReport | undefined,
): () => Promise<Record<'bookings' | 'calendars', string>> {
  let seen: PassReport | undefined;
  let [bookings, calendars] = ['', ''];
  return async () => {
    const report = last();
    if (report !== seen) {
      seen = report;
      const all = report?.calendars ?? [];
      const outcomes = all.map(({ calendar, outcomes: own }) => own.map((one) => outcomeView(one, calendar)));
      bookings = createHash('sha256').update(JSON.stringify(outcomes)).digest('hex');
      calendars = JSON.stringify(all.map(({ state, held, failure }) => [state, held, failure?.code]));
    }
    const written = await stat(folder).catch(() => undefined);
    return { bookings: `${bookings} ${written?.mtimeMs ?? 0}`, calendars };
  };
}

/** What calendars say, then the records of all else. */
function bookingsOf(
  report: PassReport | undefined,
  records: readonly BookingRecord[],
  names: ReadonlyMap<string, string>,
): BoardBooking[] {
  const kept = new Map(records.map((record) => [record.accessionNumber, record]));
  const now = (report?.calendars ?? []).flatMap(({ calendar, outcomes }) =>
    outcomes.map((outcome): BoardBooking => {
      const view = outcomeView(outcome, calendar);
      const { operator: booker, changes } = kept.get(view.accessionNumber ?? '') ?? {};
      return { ...view, ...defined({ booker, changes }) };
    }),
  );
  const known = new Set(now.flatMap(({ accessionNumber }) => accessionNumber ?? []));
  const others = records.filter(({ accessionNumber }) => !known.has(accessionNumber));
  return [...now, ...others.map((record) => ofRecord(record, names))];
}

/** A record names its calendar by the id, people by its name. */
function ofRecord(
  { status, labels, source, operator, bookers, supersededBy, changes, ...record }: BookingRecord,
  names: ReadonlyMap<string, string>,
): BoardBooking {
  const { accessionNumber, studyInstanceUid, scanner, start, end, title } = record;
  return {
    outcome: status === 'scheduled' ? 'booking' : status,
    ...(status === 'cancelled' && source.calendar === WALK_IN ? WITHDRAWN : NOTES[status]),
    calendar: names.get(source.calendar) ?? source.calendar,
    uid: source.uid,
    ...defined({ recurrenceId: source.recurrenceId }),
    scanner,
    start,
    end,
    summary: title,
    ...labels,
    accessionNumber,
    studyInstanceUid,
    ...defined({ booker: operator, bookers, supersededBy, changes }),
  };
}

const NOTES: Readonly<Record<BookingRecord['status'], { readonly code: string; readonly reason: string }>> = {
  scheduled: { code: 'BOOKING', reason: 'The booking goes to the worklist.' },
  cancelled: { code: 'CANCELLED', reason: 'The calendar no longer has this booking.' },
  superseded: {
    code: 'SUPERSEDED',
    reason: 'The event carries other labels now: another booking took its place.',
  },
};

const WITHDRAWN = { code: 'CANCELLED', reason: 'The walk-in was withdrawn.' } as const;

function wantedBy({ from, to, find, known }: Query): ((one: BoardBooking) => boolean) | undefined {
  if (known !== undefined) {
    const text = known.toLowerCase();
    const is = (value: string | undefined): boolean => value?.toLowerCase() === text;
    return (one) =>
      is(one.project) ||
      is(one.subject) ||
      is(one.accessionNumber) ||
      is(one.studyInstanceUid) ||
      is(one.uid);
  }
  if (find !== undefined)
    return ({ accessionNumber, studyInstanceUid, calendar, uid, recurrenceId }) =>
      [accessionNumber, studyInstanceUid, [calendar, uid, recurrenceId].join('/')].includes(find);
  const [begin, end] = [instant(from), instant(to)];
  if (begin === undefined || end === undefined) return undefined;
  return (one) => {
    const first = instant(one.start);
    const last = instant(one.end) ?? first;
    return first !== undefined && last !== undefined && first < end && (last > begin || first >= begin);
  };
}

function instant(text: string | undefined): number | undefined {
  try {
    return text === undefined ? undefined : Temporal.Instant.from(text).epochMilliseconds;
  } catch {
    return undefined;
  }
}

/** POST /api/board/accept/NAME: a person accepts what a calendar lost, as `scanflow calendars accept NAME` does. */
function addAccept(app: FastifyInstance, { config, log, last, files = () => OWN_FILES }: BoardOptions): void {
  app.post<{ Params: { name: string } }>('/api/board/accept/:name', async ({ params: { name } }, reply) => {
    const held = last()?.calendars.find(({ calendar }) => calendar === name)?.held;
    if (held === undefined) return reply.code(404).send({ error: `there is no calendar ${name}` });
    if (held === 0)
      return reply.code(409).send({ error: `nothing of ${name} is held back: there is nothing to accept` });
    await files().mayAct();
    // the next pass removes it
    await acceptRemovals(join(config.data, 'cal2wl'), calendarId(config, name));
    log.info('removals accepted by hand', { calendar: name, held });
    return { held };
  });
}
