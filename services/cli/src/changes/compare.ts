/** What is published beside what this version would publish. Pure. */
import type { BookedOutcome, BookingRecord, Outcome } from '@scanflow/booking';
import { eventKey, overlaps, type Window } from '@scanflow/calendar';
import { fateOf, type CalendarView, type KnownBookings } from '@scanflow/identity';

/** Old and new of one booking. */
export interface Change {
  readonly calendar: string;
  /**
   * `same`; `changed`: other labels, time, title or scanner under the same numbers; `new numbers`; `appears`;
   * `disappears`; `stays`: as it is, because its exam runs, its event cannot be read, or its slot is elsewhere.
   */
  readonly change: 'same' | 'changed' | 'new numbers' | 'appears' | 'disappears' | 'stays';
  /** Where the booking is published already. */
  readonly before?: Side;
  readonly after?: Side;
  /** What differs. */
  readonly differs: readonly string[];
  /** What becomes of the event, and why. */
  readonly code: string;
  readonly reason: string;
}

export interface Side {
  readonly accessionNumber: string;
  readonly studyInstanceUid: string;
  readonly project: string;
  readonly subject: string;
  readonly session: string;
  readonly start: string;
  readonly end: string;
  readonly title: string;
  readonly scanner: string;
}

export interface CompareInput {
  readonly calendar: string;
  /** What this version makes of the calendar, under the identities that it keeps. */
  readonly outcomes: readonly Outcome[];
  readonly known: KnownBookings;
  readonly view: CalendarView;
  readonly window: Window;
  /** Accession numbers of exams that run. */
  readonly running: ReadonlySet<string>;
  /** The recurrence id by which an instance was known before. */
  readonly formerId: (source: BookingRecord['source']) => string | undefined;
}

/** Sorted by start. */
export function compare(input: CompareInput): Change[] {
  const { outcomes, known, window } = input;
  const booked = outcomes.filter((one) => one.outcome === 'booking');
  const wanted = new Set(booked.map(({ record }) => record.accessionNumber));
  const leaving = known
    .toCome()
    .filter((record) => isShown(record, window) && !wanted.has(record.accessionNumber));
  const replaced = new Set<BookingRecord>();
  const entering = booked.map((one): Change => {
    const before = known.get(one.record.accessionNumber);
    if (before?.status === 'scheduled') return kept(before, one, input);
    const old = leaving.find((record) => isEvent(record, one, input) && !replaced.has(record));
    if (old === undefined)
      return { ...about(one, input), change: 'appears', after: sideOf(one.record), differs: [] };
    replaced.add(old);
    return { ...pairOf(old, one, input), change: 'new numbers' };
  });
  const gone = leaving.filter((record) => !replaced.has(record)).map((record) => left(record, input));
  const start = ({ before, after }: Change): string => before?.start ?? after?.start ?? '';
  return [...entering, ...gone].sort((a, b) => (start(a) < start(b) ? -1 : 1));
}

const isShown = ({ status, start, end }: BookingRecord, window: Window): boolean =>
  status === 'scheduled' &&
  overlaps({ start: Temporal.Instant.from(start), end: Temporal.Instant.from(end) }, window);

function isEvent({ source }: BookingRecord, { record }: BookedOutcome, { formerId }: CompareInput): boolean {
  const { uid, recurrenceId } = record.source;
  const key = eventKey(source.uid, source.recurrenceId);
  return (
    key === eventKey(uid, recurrenceId) || key === eventKey(uid, formerId(record.source) ?? recurrenceId)
  );
}

const about = (
  { code, reason }: Outcome,
  { calendar }: CompareInput,
): Pick<Change, 'calendar' | 'code' | 'reason'> => ({
  calendar,
  code,
  reason,
});

const pairOf = (before: BookingRecord, one: BookedOutcome, input: CompareInput): Omit<Change, 'change'> => ({
  ...about(one, input),
  before: sideOf(before),
  after: sideOf(one.record),
  differs: differences(sideOf(before), sideOf(one.record)),
});

function kept(before: BookingRecord, one: BookedOutcome, input: CompareInput): Change {
  const pair = pairOf(before, one, input);
  // an exam may have begun: what the scanner shows stays, although the event is read otherwise
  if (pair.differs.length === 0) return { ...pair, change: one.code === 'REREAD' ? 'stays' : 'same' };
  return { ...pair, change: input.running.has(before.accessionNumber) ? 'stays' : 'changed' };
}

const STAYS = {
  past: ['PAST', 'Its slot is over.'],
  moved: ['MOVED', 'Its event is outside the window of the worklist now.'],
  unknown: ['UNKNOWN', 'Nothing is known of its calendar.'],
  unreadable: ['UNREADABLE', 'Its event cannot be read, so what is published of it stays.'],
} as const;

function left(record: BookingRecord, { calendar, outcomes, view, window, running }: CompareInput): Change {
  const side = { calendar, before: sideOf(record), differs: [] };
  const stays = (code: string, reason: string): Change => ({ ...side, change: 'stays', code, reason });
  if (running.has(record.accessionNumber))
    return stays('FROZEN', 'Its exam runs: the scanner keeps what it shows until the exam has ended.');
  const fate = fateOf(record, view, window);
  if (fate !== 'changed' && fate !== 'lost') {
    const [code, reason] = STAYS[fate];
    return stays(code, reason);
  }
  const { uid, recurrenceId } = record.source;
  const ofUid = outcomes.filter((one) => one.outcome !== 'booking' && one.uid === uid);
  const why =
    ofUid.find((one) => one.recurrenceId === recurrenceId) ?? (ofUid.length === 1 ? ofUid[0] : undefined);
  const told = why ?? { code: 'LOST', reason: 'Its event is nowhere in the calendar any more.' };
  return { ...side, change: 'disappears', code: told.code, reason: told.reason };
}

const sideOf = ({
  accessionNumber,
  studyInstanceUid,
  labels,
  start,
  end,
  title,
  scanner,
}: BookingRecord): Side => ({
  ...{ accessionNumber, studyInstanceUid },
  ...{ project: labels.project, subject: labels.subject, session: labels.session },
  ...{ start, end, title, scanner },
});

const FIELDS = ['project', 'subject', 'session', 'start', 'end', 'title', 'scanner'] as const;

const differences = (before: Side, after: Side): string[] =>
  FIELDS.filter((name) => before[name] !== after[name]);

/** Whether every booking that is published keeps its numbers and its place on the worklist. */
export const isHarmless = (changes: readonly Change[]): boolean =>
  changes.every(({ change }) => change !== 'new numbers' && change !== 'disappears');
