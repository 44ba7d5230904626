/**
 * Keeps identities over renumbering: a calendar that gives its events new UIDs (a split series, a booking system that was
 * moved, an export that numbers anew) must not make new bookings of old ones. `Past` has those old ones, indexed.
 */
import {
  identify,
  labelKey,
  LABELS,
  warn,
  warning,
  type BookedOutcome,
  type BookingRecord,
  type BookingSource,
  type Note,
  type Outcome,
  type History,
  type Labels,
} from '@scanflow/booking';
import { eventKey, type Window } from '@scanflow/calendar';
import type { Failure } from '@scanflow/failure';
import type { CalendarView } from './plan.ts';
import type { Keeps } from './reread.ts';

export interface AdoptOptions {
  readonly known: KnownBookings;
  /** Whether the event of a record is gone from the calendar, and its slot is not over. */
  readonly isLost: (record: BookingRecord) => boolean;
  /** The recurrence id of an instance as an earlier version read it, if that differs. */
  readonly formerId?: (source: BookingSource) => string | undefined;
  /** The decisions of the last update. */
  readonly keeps?: Keeps;
}

const RENUMBERED = warning(
  'RENUMBERED',
  'The calendar gave this booking a new UID; it was recognised by its time and title, and keeps its accession number.',
);

const REREAD = warning(
  'REREAD',
  'An older version of Scanflow read the labels of this booking otherwise. It keeps its accession number. Check its labels.',
);

/**
 * A booking with a new event takes the identity of a lost booking with the same start, end, title and labels, with a
 * warning. Its record gets the new UID, which identifies the booking from then on. If only our
 * reading of an instance changed, its booking keeps its identity without a warning.
 */
export function adopt(
  outcomes: readonly Outcome[],
  { known, isLost, formerId, keeps = new Map() }: AdoptOptions,
): Outcome[] {
  const booked = outcomes.filter((one) => one.outcome === 'booking');
  const derived = new Set(booked.map(({ record }) => record.accessionNumber));
  const isFree = ({ accessionNumber }: BookingRecord): boolean => !derived.has(accessionNumber);
  const adopted = new Map<BookedOutcome, BookedOutcome>();
  for (const one of booked) {
    const kept = keptOf(one, keeps, known);
    if (kept === undefined || derived.has(kept.record.accessionNumber)) continue;
    adopted.set(one, kept);
    derived.add(kept.record.accessionNumber);
  }
  const fresh = booked.filter((one) => !known.has(one.record.accessionNumber) && !adopted.has(one));
  const lost = Map.groupBy(
    known.toCome().filter((record) => isFree(record) && isLost(record)),
    slotKey,
  );
  for (const one of fresh) {
    const source = formerSource(one.record, formerId);
    const former = source && identify(source, one.record.labels);
    if (former !== undefined && known.has(former.accessionNumber) && !derived.has(former.accessionNumber)) {
      adopted.set(one, { ...one, record: { ...one.record, ...former } });
      continue;
    }
    const reread = published(one, source, known).findLast(isFree);
    if (reread !== undefined) {
      adopted.set(one, under(one, reread, REREAD));
      continue;
    }
    // two bookings of one slot are equal in all that matters, so either may replace either
    const before = known.ofEvent(one.record).findLast(isFree) ?? lost.get(slotKey(one.record))?.shift();
    if (before !== undefined) adopted.set(one, under(one, before));
  }
  return outcomes.map((one) => (one.outcome === 'booking' ? (adopted.get(one) ?? one) : one));
}

/** The booking as published before an update. Values that a scanner may have shown stay. */
function keptOf(one: BookedOutcome, keeps: Keeps, known: KnownBookings): BookedOutcome | undefined {
  const keep = keeps.get(one.record.accessionNumber);
  const before = keep && known.get(keep.accessionNumber);
  if (before === undefined) return undefined;
  const { accessionNumber, studyInstanceUid } = before;
  const { labels, patientId, patientName } = keep?.begun === true ? before : one.record;
  const record = { ...one.record, accessionNumber, studyInstanceUid, labels, patientId, patientName };
  const isOther = LABELS.some((name) => before.labels[name] !== one.record.labels[name]);
  const kept = { ...one, record, booking: { ...one.booking, labels } };
  return isOther ? warn(kept, REREAD) : kept;
}

/** The source of the booking in an earlier version, if that differs. */
function formerSource(
  { source }: BookingRecord,
  formerId: AdoptOptions['formerId'],
): BookingSource | undefined {
  const recurrenceId = formerId?.(source);
  return recurrenceId === undefined ? undefined : { ...source, recurrenceId };
}

/** The published booking of the same event with the same title: only our reading changed. */
function published(
  { record, formerLabels, formerTitle }: BookedOutcome,
  former: BookingSource | undefined,
  known: KnownBookings,
): readonly BookingRecord[] {
  if (formerLabels === undefined) return [];
  const before = [record.source, former ?? record.source]
    .flatMap((source) => known.ofEvent({ ...record, source, labels: formerLabels }))
    .filter(({ title }) => title === record.title || title === formerTitle);
  return [...before, ...known.ofEvent(record)];
}

function under(
  one: BookedOutcome,
  { accessionNumber, studyInstanceUid }: BookingRecord,
  note: Note = RENUMBERED,
): BookedOutcome {
  const record = { ...one.record, accessionNumber, studyInstanceUid };
  return warn({ ...one, record }, note);
}

const slotKey = ({ start, end, title, labels }: BookingRecord): string =>
  JSON.stringify([start, end, title, labels.project, labels.subject, labels.session]);

/** The known bookings of one calendar. */
export interface KnownBookings {
  has(accessionNumber: string): boolean;
  get(accessionNumber: string): BookingRecord | undefined;
  /** Records of the same event and labels, the latest last. */
  ofEvent(record: BookingRecord): readonly BookingRecord[];
  /** Records whose slot is not over. */
  toCome(): readonly BookingRecord[];
}

export class Past implements History {
  readonly #records = new Map<string, BookingRecord>();
  readonly #byLabels = new Map<string, Set<string>>();
  readonly #byEvent = new Map<string, Set<string>>();
  /** By calendar: accession numbers of slots that were not over at the last query, and their end in milliseconds. */
  readonly #toCome = new Map<string, Map<string, number>>();
  readonly #subjects = new Map<string, Set<string>>();

  /** Adds a record, or replaces the one with its accession number. */
  set(record: BookingRecord): void {
    const { accessionNumber, labels, source } = record;
    this.#records.set(accessionNumber, record);
    add(this.#byLabels, labelKey(labels), accessionNumber);
    add(this.#byEvent, eventOf(record), accessionNumber);
    const toCome = this.#toCome.get(source.calendar) ?? new Map<string, number>();
    toCome.set(accessionNumber, Temporal.Instant.from(record.end).epochMilliseconds);
    this.#toCome.set(source.calendar, toCome);
    add(this.#subjects, labels.project, labels.subject);
  }

  get(accessionNumber: string): BookingRecord | undefined {
    return this.#records.get(accessionNumber);
  }

  byLabels = (labels: Labels): readonly BookingRecord[] => this.#found(this.#byLabels.get(labelKey(labels)));

  subjects = (project: string): Iterable<string> => this.#subjects.get(project) ?? [];

  /** Ids of all calendars that had a booking. */
  calendars(): readonly string[] {
    return [...this.#toCome.keys()];
  }

  /** `from`: slots that end by then are over. Their number does not slow a pass down. */
  ofCalendar(calendar: string, from: Temporal.Instant): KnownBookings {
    const of = (accession: string): BookingRecord | undefined => {
      const record = this.#records.get(accession);
      return record?.source.calendar === calendar ? record : undefined;
    };
    return {
      has: (accession) => of(accession) !== undefined,
      get: of,
      ofEvent: (record) => {
        const event = eventOf(record);
        return this.#found(this.#byEvent.get(event)).filter((one) => eventOf(one) === event);
      },
      toCome: () => this.#found(this.#unfinished(calendar, from.epochMilliseconds)),
    };
  }

  #unfinished(calendar: string, from: number): Set<string> {
    const toCome = this.#toCome.get(calendar) ?? new Map<string, number>();
    const found = new Set<string>();
    for (const [accession, end] of toCome)
      if (end > from) found.add(accession);
      // clocks may be set back a little
      else if (end < from - SLACK_MS) toCome.delete(accession);
    return found;
  }

  #found(accessions: ReadonlySet<string> = new Set()): readonly BookingRecord[] {
    return [...accessions].flatMap((accession) => this.#records.get(accession) ?? []);
  }
}

export interface RenameQuestion {
  readonly past: Past;
  /** Ids of the calendars of the configuration, and of walk-ins. */
  readonly configured: ReadonlySet<string>;
  /** A calendar whose id nobody chose. */
  readonly view: Pick<CalendarView, 'calendar' | 'present'>;
  readonly outcomes: readonly Outcome[];
  readonly window: Window;
}

/**
 * The calendar that left the configuration and whose bookings to come are, for more than half of them, in this one, which has none
 * so far: it has probably another name now. Bookings are the same by their events, or by slot, title and labels.
 */
export function formerName({ past, configured, view, outcomes, window }: RenameQuestion): string | undefined {
  const { from, to } = window;
  const toCome = (calendar: string): BookingRecord[] =>
    past
      .ofCalendar(calendar, from)
      .toCome()
      .filter(({ status, start }) => status === 'scheduled' && Temporal.Instant.compare(start, to) < 0);
  if (toCome(view.calendar).length > 0) return undefined;
  const slots = new Set(outcomes.flatMap((one) => (one.outcome === 'booking' ? slotKey(one.record) : [])));
  // an event that is no booking of this calendar may be one of another calendar over the same feed
  const skipped = new Set(
    outcomes.flatMap(({ outcome, uid, recurrenceId }) =>
      outcome === 'skipped' && uid !== undefined ? eventKey(uid, recurrenceId) : [],
    ),
  );
  const isHere = (record: BookingRecord): boolean => {
    const key = eventKey(record.source.uid, record.source.recurrenceId);
    return (view.present.has(key) && !skipped.has(key)) || slots.has(slotKey(record));
  };
  return past.calendars().find((calendar) => {
    if (configured.has(calendar)) return false;
    const bookings = toCome(calendar);
    return bookings.filter(isHere).length * 2 > bookings.length;
  });
}

/** Why nothing of such a calendar is published. It names calendars alone. */
export const calendarRenamed = (name: string, former: string): Failure => ({
  kind: 'permanent',
  code: 'CALENDAR_RENAMED',
  message: `${name} has the bookings of ${former}, which left the configuration, and would give each a new accession number. Nothing of ${name} is published, and the bookings of ${former} stay. If it is the same calendar, write \`id: ${former}\` under calendars.${name}. If it is another one, write \`id: ${name}\`.`,
});

const SLACK_MS = 7 * 86_400_000;

/** The key of an event and its labels. */
const eventOf = ({ source: { calendar, uid, recurrenceId }, labels }: BookingRecord): string =>
  JSON.stringify([calendar, eventKey(uid, recurrenceId), labels.project, labels.subject, labels.session]);

function add(index: Map<string, Set<string>>, key: string, value: string): void {
  const there = index.get(key);
  if (there === undefined) index.set(key, new Set([value]));
  else there.add(value);
}
