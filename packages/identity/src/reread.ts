/**
 * An update reads some events better than the version before, and no booking gets another identity by that. The last good
 * body that the old version kept is read anew: what it published of those very events differs only by the reading.
 */
import {
  type BookedOutcome,
  type BookingRecord,
  type Labels,
  type Outcome,
  type Rejected,
} from '@scanflow/booking';
import { eventKey, type Window } from '@scanflow/calendar';
import type { Keep, Keeps } from './keeps.ts';

export interface KeepInput {
  /** Records of this calendar that are scheduled and not over. */
  readonly records: readonly BookingRecord[];
  /** What this version reads in the last good body. */
  readonly outcomes: readonly Outcome[];
  /** The recurrence id that the old version gave an instance, where that is known to differ. */
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

/** Slots are seen a day before and after those that are known: a zone may be read otherwise. */
const MARGIN = Temporal.Duration.from({ hours: 26 });

/** The span in which the events of these records lie; undefined where there are none. */
export function spanOf(records: readonly BookingRecord[]): Window | undefined {
  const ms = records.flatMap(({ start, end }) =>
    [start, end].map((text) => Temporal.Instant.from(text).epochMilliseconds),
  );
  if (ms.length === 0) return undefined;
  const at = (edge: number): Temporal.Instant => Temporal.Instant.fromEpochMilliseconds(edge);
  // by a loop: arguments of a call are limited, records are not
  const [first, last] = ms.reduce(
    ([a, b], one) => [Math.min(a, one), Math.max(b, one)],
    [Infinity, -Infinity],
  );
  return { from: at(first).subtract(MARGIN), to: at(last).add(MARGIN) };
}

/** Pairs what was published with what is read now, by event and instance; the surest sign first. */
export function keepIdentities(input: KeepInput): Keeps {
  const records = new Set(input.records);
  const outcomes = new Set(input.outcomes.filter((one) => one.outcome === 'booking'));
  const take = ({ one, record }: Pair): boolean => outcomes.delete(one) && records.delete(record);
  // found under its event and labels, or under the number that derives from them: nothing to keep
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
    // an UID that was read otherwise: none of the two is anywhere else
    {
      ofRecord: (record) => (seen.has(record.source.uid) ? '' : slot(record)),
      ofOutcome: (record) => (published.has(record.source.uid) ? '' : slot(record)),
    },
  ];
}

const event: Name = ({ source: { uid, recurrenceId } }) => eventKey(uid, recurrenceId);
const labelledEvent: Name = (record) => JSON.stringify([event(record), labelsOf(record.labels)]);
const labelsOf = ({ project, subject, session }: Labels): readonly string[] => [project, subject, session];

/** Those of equal name; of several, the first in time with the first. An empty name is none. */
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
    // where their numbers differ, nobody knows which one is missing
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
 * The old version could not read the event as it stands, so the record may tell an older one: somebody may have
 * relabelled it since. Where it is known how the old version would have read it, that decides.
 */
function isDoubtful({ one, record }: Pair, { rejected }: KeepInput): boolean {
  const isSame = (labels: Labels | undefined): boolean =>
    labels !== undefined && labelsOf(labels).join('\n') === labelsOf(record.labels).join('\n');
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
