/** Published bookings beside those that this version would publish, and the table of the difference. Pure. */
import type { BookedOutcome, BookingRecord, Outcome } from '@scanflow/booking';
import { eventKey, overlaps, type Window } from '@scanflow/calendar';
import { fateOf, type CalendarView, type KnownBookings } from '@scanflow/identity';
import { plain } from '../terminal.ts';

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

interface Side {
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

interface CompareInput {
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
  // an exam may have begun: the scanner's values stay, although this version reads the event otherwise
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

const SIGNS: Readonly<Record<Change['change'], string>> = {
  same: '=',
  changed: '~',
  'new numbers': '!',
  appears: '+',
  disappears: '−',
  stays: '·',
};

interface TableOptions {
  readonly zone: string;
  /** Also shows bookings that stay as they are. */
  readonly all: boolean;
}

/** A line for each booking, and below it old and new. */
export function changesText(changes: readonly Change[], { zone, all }: TableOptions): string {
  const shown = changes.filter(({ change }) => all || change !== 'same');
  const lines = shown.flatMap((one) => linesOf(one, zone));
  return [...lines, ...(lines.length === 0 ? [] : ['']), countOf(changes), ''].join('\n');
}

function linesOf(one: Change, zone: string): string[] {
  const { calendar, change, before, after, code, reason } = one;
  const side = before ?? after;
  const head = `${SIGNS[change]} ${change.padEnd(11)}  ${timeOf(side?.start, zone)}  ${plain(calendar)}  ${labelsOf(side)}`;
  const numbers =
    before !== undefined && after !== undefined && before.accessionNumber !== after.accessionNumber
      ? [
          `    accession  ${before.accessionNumber} → ${after.accessionNumber}`,
          `    study      ${before.studyInstanceUid} → ${after.studyInstanceUid}`,
        ]
      : [
          `    accession  ${side?.accessionNumber ?? ''}${before !== undefined && after !== undefined ? ' (kept)' : ''}`,
        ];
  const fields = one.differs.map((name) => {
    const value = (of: Side | undefined): string => shownField(of, name, zone);
    return `    ${name.padEnd(9)}  ${value(before)} → ${value(after)}`;
  });
  const why = code === 'BOOKING' ? [] : [`    ${code}: ${plain(reason)}`];
  return [head, ...numbers, ...fields, ...why];
}

const labelsOf = (side: Side | undefined): string =>
  plain([side?.project, side?.subject, side?.session].join('  '));

function shownField(side: Side | undefined, name: string, zone: string): string {
  const value = side?.[name as keyof Side] ?? '';
  return name === 'start' || name === 'end' ? timeOf(value, zone) : plain(value);
}

const timeOf = (instant = '', zone: string): string =>
  instant === ''
    ? ''
    : Temporal.Instant.from(instant)
        .toZonedDateTimeISO(zone)
        .toPlainDateTime()
        .toString({ smallestUnit: 'minute' })
        .replace('T', ' ');

function countOf(changes: readonly Change[]): string {
  const count = (kind: Change['change']): number => changes.filter(({ change }) => change === kind).length;
  const kinds = Object.keys(SIGNS) as Change['change'][];
  return `${changes.length} bookings: ${kinds.map((kind) => `${count(kind)} ${kind}`).join(', ')}`;
}
