/** What a query is answered with: the matching entries, one response each, made one at a time. */
import { answer, formatTag, invalidKeys, items, keywordOf, matcher } from '@scanflow/dicom';
import { texts, unsupportedKeys, type DataSet, type MatchOptions, type Tag } from '@scanflow/dicom';
import { isOf, type AccessPolicy } from './access.ts';
import type { Entry, Schedule } from './schedule.ts';

export interface Query {
  readonly identifier: DataSet;
  readonly callingAet: string;
}

export interface Answer {
  /** FF00, or FF01 where a key had a value that cannot be matched (PS3.4 table K.4-1). */
  readonly status: 0xff00 | 0xff01;
  readonly identifier: DataSet;
  /** Character set in which the identifier is to be written. */
  readonly characterSet: string;
}

/** Operators type names without looking at the case; PS3.4 C.2.2.2.1 leaves it to the SCP. */
const options: MatchOptions = { caseInsensitivePn: true };

/** Why a query cannot be answered. */
export interface Refusal {
  /** A900, identifier does not match SOP class (PS3.4 table K.4-1). */
  readonly status: 0xa900;
  readonly offendingElement: Tag;
  /** At most 64 characters; names the attribute, not its value. */
  readonly comment: string;
}

/** A query with a key that is no value of its kind, such as a date of words: it must not be taken for one without. */
export function refusal(identifier: DataSet): Refusal | undefined {
  const [tag] = invalidKeys(identifier);
  if (tag === undefined) return undefined;
  const comment = `Invalid ${keywordOf(tag) ?? formatTag(tag)}`.slice(0, 64);
  return { status: 0xa900, offendingElement: tag, comment };
}

/** So many entries without a match take about a millisecond. */
const BREATH = 500;

/**
 * The answers to a query, in order of start. The schedule cannot change meanwhile; stopping early costs nothing.
 * After many entries that do not match it gives undefined, so that a caller can let others have their turn.
 */
export function* answers(
  schedule: Schedule,
  query: Query,
  policy: AccessPolicy,
): Generator<Answer | undefined, void> {
  const { identifier, callingAet } = query;
  const characterSet = characterSetOf(query, policy);
  const matches = matcher(identifier, options);
  let missed = 0;
  for (const { item } of candidates(schedule, query, policy.station(callingAet))) {
    if (!matches(item)) {
      missed += 1;
      if (missed % BREATH === 0) yield undefined;
      continue;
    }
    const status = unsupportedKeys(identifier, item).length > 0 ? 0xff01 : 0xff00;
    yield { status, identifier: answer(identifier, item, options), characterSet };
  }
}

/** Character set in which the query is answered. */
export const characterSetOf = ({ identifier, callingAet }: Query, policy: AccessPolicy): string =>
  policy.characterSet(callingAet, texts(identifier, 'SpecificCharacterSet'));

/** The entries that can match: the caller's view, narrowed by station where the query names one. */
function candidates(schedule: Schedule, { identifier }: Query, station: string | undefined): Iterable<Entry> {
  const asked = stationKey(identifier);
  if (asked !== undefined) {
    const entries = schedule.byStation.get(asked) ?? [];
    return station === undefined || station === asked
      ? entries
      : entries.filter((entry) => isOf(entry, station));
  }
  return station === undefined ? schedule.entries : (schedule.byStation.get(station) ?? []);
}

/** The one station that the query asks for; undefined where it asks for several, for a pattern or for any. */
function stationKey(identifier: DataSet): string | undefined {
  const steps = items(identifier, 'ScheduledProcedureStepSequence');
  const asked = steps.flatMap((step) => texts(step, 'ScheduledStationAETitle'));
  const [only] = asked;
  return steps.length === 1 && asked.length === 1 && only !== undefined && /^[^*?]+$/.test(only)
    ? only
    : undefined;
}
