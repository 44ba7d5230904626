/** What a walk-in becomes, and which walk-ins belong on the worklist. Pure. */
import {
  interpret,
  WALK_IN,
  type BookableEvent,
  type BookedOutcome,
  type BookingRecord,
  type BookingRules,
  type Labels,
  type Outcome,
} from '@scanflow/booking';
import type { Window } from '@scanflow/calendar';
import type { Action, Published } from '../domain/reconcile.ts';

/** What an operator asks for. */
export interface WalkIn {
  /** A UUID of the form, so that a form that comes twice makes one booking. */
  readonly id: string;
  readonly labels: Labels;
  /** Key of the scanner in the configuration. */
  readonly scanner: string;
  readonly start: Temporal.Instant;
  /** Who asks: name on the day board, and the mail addresses that are known to be theirs. */
  readonly by: string;
  readonly addresses: readonly string[];
}

/** On the scanner it stands where bookings have their title. */
const TITLE = 'Walk-in';

/** RFC 5545 3.8.4.7: globally unique. No calendar's UID is like it. */
export const uidOf = (id: string): string => `${id}${UID_END}`;
const UID_END = '@walk-in.scanflow';

/**
 * Judges a walk-in as the booking that it is, by the first rules that take it. Where none does, the outcome is that of the first.
 * `all` is not empty.
 */
export function judge(walkIn: WalkIn, all: readonly BookingRules[]): Outcome {
  const outcomes = all.map((rules) => interpret(eventOf(walkIn, rules), rules));
  const [first] = outcomes;
  if (first === undefined) throw new Error('there are no rules for walk-ins');
  const booked = outcomes.find((one) => one.outcome === 'booking');
  return booked === undefined ? first : titled(booked);
}

/** The title comes after judging: a facility's pattern for titles may not match it. */
const titled = (one: BookedOutcome): BookedOutcome => ({
  ...one,
  booking: { ...one.booking, title: TITLE },
  record: { ...one.record, title: TITLE },
});

const eventOf = (
  { id, labels, start, by, addresses }: WalkIn,
  { defaultLength }: BookingRules,
): BookableEvent => ({
  uid: uidOf(id),
  start,
  end: start.add({ milliseconds: defaultLength }),
  allDay: false,
  summary: '',
  description: '',
  labels,
  organizer: by,
  attendees: [],
  bookers: addresses,
  status: 'CONFIRMED',
  transparency: 'OPAQUE',
  class: 'PUBLIC',
});

/** By its UID, too: a configured calendar may have the name. */
export const isWalkIn = ({ source }: BookingRecord): boolean =>
  source.calendar === WALK_IN && source.uid.endsWith(UID_END);

/** What a calendar may change of what is published. */
export const withoutWalkIns = (all: ReadonlyMap<string, Published>): ReadonlyMap<string, Published> =>
  new Map([...all].filter(([, { record }]) => record === undefined || !isWalkIn(record)));

/** Why a walk-in is not for this time; undefined where it is. Its slot is not over, and the worklist shows it already. */
export function timeProblem(
  { start, end }: Pick<BookingRecord, 'start' | 'end'>,
  now: Temporal.Instant,
  window: Window,
): string | undefined {
  if (Temporal.Instant.compare(end, now) <= 0)
    return 'That time is over. Give the time at which the scan begins.';
  return Temporal.Instant.compare(start, window.to) < 0
    ? undefined
    : 'That time is too far ahead for a walk-in. Book it in the calendar of the scanner.';
}

interface KeepInput {
  /** Records of walk-ins, and what is published under their accession numbers. */
  readonly records: readonly BookingRecord[];
  readonly published: ReadonlyMap<string, Published>;
  readonly window: Window;
  /** Accession numbers of running exams, whose items do not change. */
  readonly frozen: ReadonlySet<string>;
  /** The item of a record; undefined where its scanner is no longer there. */
  readonly itemOf: (record: BookingRecord) => Uint8Array | undefined;
}

/**
 * What makes the worklist hold the walk-ins of its span. No calendar has them, so no calendar can lose them: only their own
 * record, their slot and their scanner count.
 */
export function keepWalkIns({ records, published, window, frozen, itemOf }: KeepInput): Action[] {
  return records.map((record): Action => {
    const { accessionNumber } = record;
    const there = published.get(accessionNumber)?.item;
    if (there !== undefined && frozen.has(accessionNumber))
      return { kind: 'keep', accessionNumber, why: 'frozen' };
    const item = isListed(record, window) ? itemOf(record) : undefined;
    if (item === undefined)
      return there === undefined
        ? { kind: 'unchanged', accessionNumber }
        : { kind: 'withdraw', accessionNumber };
    return there !== undefined && Buffer.compare(there, item) === 0
      ? { kind: 'unchanged', accessionNumber }
      : { kind: 'publish', wanted: { record, item }, isNew: there === undefined };
  });
}

const isListed = ({ status, start, end }: BookingRecord, { from, to }: Window): boolean =>
  status === 'scheduled' &&
  Temporal.Instant.compare(end, from) > 0 &&
  Temporal.Instant.compare(start, to) < 0;
