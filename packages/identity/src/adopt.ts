/**
 * Keeps identities over renumbering: a calendar that gives its events new UIDs (a split series, a booking system that was
 * moved, an export that numbers anew) must not make new bookings of old ones.
 */
import {
  identify,
  warn,
  warning,
  type BookedOutcome,
  type BookingRecord,
  type BookingSource,
  type Note,
  type Outcome,
} from '@scanflow/booking';
import type { Keeps } from './reread.ts';
import type { KnownBookings } from './past.ts';

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

const LABELS = ['project', 'subject', 'session'] as const;

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
