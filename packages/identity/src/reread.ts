/**
 * An update reads some events better than the version before, and no booking may change identity because of that. It reads
 * the last good body of the old version again: the published bookings of those events differ only by the reading.
 */
import {
  labelKey,
  type BookedOutcome,
  type BookingRecord,
  type Labels,
  type Outcome,
  type Rejected,
} from '@scanflow/booking';
import { eventKey, type Window } from '@scanflow/calendar';

export interface KeepInput {
  /** Records of this calendar that are scheduled and not over. */
  readonly records: readonly BookingRecord[];
  /** The outcomes that this version reads in the last good body. */
  readonly outcomes: readonly Outcome[];
  /** The recurrence id that the old version gave an instance, if it differs. */
  readonly formerId: (source: BookingRecord['source']) => string | undefined;
  /** Accession numbers of exams on record, running or over. */
  readonly exams: ReadonlySet<string>;
  readonly rejected: readonly Rejected[];
  readonly now: Temporal.Instant;
}

interface Pair {
  readonly one: BookedOutcome;
  readonly record: BookingRecord;
}

/** Margin around the known slots: this version may read a zone differently. */
const MARGIN = Temporal.Duration.from({ hours: 26 });

/** The span that covers the events of these records; undefined without records. */
export function spanOf(records: readonly BookingRecord[]): Window | undefined {
  const ms = records.flatMap(({ start, end }) =>
    [start, end].map((text) => Temporal.Instant.from(text).epochMilliseconds),
  );
  if (ms.length === 0) return undefined;
  const at = (edge: number): Temporal.Instant => Temporal.Instant.fromEpochMilliseconds(edge);
  // Math.min(...ms) fails for very many records
  const [first, last] = ms.reduce(
    ([a, b], one) => [Math.min(a, one), Math.max(b, one)],
    [Infinity, -Infinity],
  );
  return { from: at(first).subtract(MARGIN), to: at(last).add(MARGIN) };
}

/** Pairs published bookings with current outcomes by event and instance, the most reliable sign first. */
export function keepIdentities(input: KeepInput): Keeps {
  const records = new Set(input.records);
  const outcomes = new Set(input.outcomes.filter((one) => one.outcome === 'booking'));
  const take = ({ one, record }: Pair): boolean => outcomes.delete(one) && records.delete(record);
  // a booking found under its event and labels, or under their derived number, needs no keep
  for (const pair of pairs(outcomes, records, labelledEvent)) take(pair);
  for (const pair of pairs(outcomes, records, ({ accessionNumber }) => accessionNumber)) take(pair);
  const keeps = new Map<string, Keep>();
  for (const name of namings(input)) {
    for (const pair of pairs(outcomes, records, name.ofRecord, name.ofOutcome)) {
      if (!take(pair) || isDoubtful(pair, input)) continue;
      keeps.set(pair.one.record.accessionNumber, keepOf(pair.record, input));
    }
  }
  return keeps;
}

type Name = (record: BookingRecord) => string;

interface Naming {
  readonly ofRecord: Name;
  readonly ofOutcome: Name;
}

function namings({ records, outcomes, formerId }: KeepInput): Naming[] {
  const same = (name: Name): Naming => ({ ofRecord: name, ofOutcome: name });
  const former: Name = ({ source }) => eventKey(source.uid, formerId(source) ?? source.recurrenceId);
  const seen = new Set(outcomes.map(({ uid }) => uid));
  const published = new Set(records.map(({ source }) => source.uid));
  const slot = ({ start, end, scanner }: BookingRecord): string => JSON.stringify([start, end, scanner]);
  return [
    { ofRecord: event, ofOutcome: former },
    same(event),
    same(({ source: { uid }, start, end }) => JSON.stringify([uid, start, end])),
    same(({ source: { uid } }) => uid),
    // a UID that was read differently: neither UID occurs elsewhere
    {
      ofRecord: (record) => (seen.has(record.source.uid) ? '' : slot(record)),
      ofOutcome: (record) => (published.has(record.source.uid) ? '' : slot(record)),
    },
  ];
}

const event: Name = ({ source: { uid, recurrenceId } }) => eventKey(uid, recurrenceId);
const labelledEvent: Name = (record) => JSON.stringify([event(record), labelKey(record.labels)]);

/** Pairs of equal names, in order of time. An empty name does not count. */
function pairs(
  outcomes: ReadonlySet<BookedOutcome>,
  records: ReadonlySet<BookingRecord>,
  ofRecord: Name,
  ofOutcome: Name = ofRecord,
): Pair[] {
  const byName = Map.groupBy([...records].toSorted(byStart), ofRecord);
  const sorted = [...outcomes].toSorted((a, b) => byStart(a.record, b.record));
  const named = Map.groupBy(sorted, ({ record }) => ofOutcome(record));
  return [...named].flatMap(([name, ones]) => {
    const found = byName.get(name) ?? [];
    // if the counts differ, nobody knows which one is missing
    if (name === '' || found.length !== ones.length) return [];
    return ones.flatMap((one, index) => {
      const record = found[index];
      return record === undefined ? [] : [{ one, record }];
    });
  });
}

const byStart = (a: BookingRecord, b: BookingRecord): number =>
  a.start < b.start ? -1 : a.start > b.start ? 1 : 0;

/**
 * The old version refused the current event, so the record may describe an older state of it: somebody may have
 * relabelled it since. If the old version's reading is known, that decides.
 */
function isDoubtful({ one, record }: Pair, { rejected }: KeepInput): boolean {
  const isSame = (labels: Labels | undefined): boolean =>
    labels !== undefined && labelKey(labels) === labelKey(record.labels);
  if (isSame(one.record.labels) || isSame(one.formerLabels)) return false;
  const { calendar, uid, recurrenceId } = record.source;
  return rejected.some(
    (other) =>
      other.calendar === calendar &&
      other.uid === uid &&
      (other.recurrenceId === undefined || other.recurrenceId === recurrenceId),
  );
}

function keepOf(
  { accessionNumber, studyInstanceUid, start }: BookingRecord,
  { exams, now }: KeepInput,
): Keep {
  const isDue = Temporal.Instant.compare(Temporal.Instant.from(start), now) <= 0;
  return { accessionNumber, studyInstanceUid, begun: isDue || exams.has(accessionNumber) };
}

/** Raise it with each change that reads an unchanged event differently. 0.1.0 counts as 1. */
export const READING = 2;

/** Accession number and Study Instance UID of a booking published before the update. */
export interface Keep {
  readonly accessionNumber: string;
  readonly studyInstanceUid: string;
  /** Whether an exam may have begun. Images carry the labels that the scanner showed, so the record keeps them. */
  readonly begun: boolean;
}

/** By the accession number that this version derives. It holds no labels, because people may have them erased. */
export type Keeps = ReadonlyMap<string, Keep>;

/** The text of the file that keeps which numbers published bookings have after an update. */
export const encodeKeeps = (keeps: Keeps): string =>
  `${JSON.stringify({ version: 1, reading: READING, keeps: Object.fromEntries(keeps) }, null, 2)}\n`;

/**
 * Reads that text. Undefined if it is damaged, or was written for another way of reading calendars: then it is decided anew.
 */
export function parseKeeps(text: string): Keeps | undefined {
  try {
    const { version, reading, keeps } = JSON.parse(text) as Record<string, unknown>;
    if (version !== 1 || reading !== READING || typeof keeps !== 'object' || keeps === null) return undefined;
    return new Map(Object.entries(keeps).filter((entry): entry is [string, Keep] => isKeep(entry[1])));
  } catch {
    return undefined;
  }
}

function isKeep(value: unknown): value is Keep {
  const { accessionNumber, studyInstanceUid, begun } = (value ?? {}) as Partial<Record<keyof Keep, unknown>>;
  return [typeof accessionNumber, typeof studyInstanceUid, typeof begun].join() === 'string,string,boolean';
}
