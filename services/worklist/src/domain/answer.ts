/** What a query is answered with: the matching entries, one response each, made one at a time. */
import { answer, items, matches, texts, type DataSet } from '@scanflow/dicom';
import { isOf, type AccessPolicy } from './access.ts';
import { extraKeys, holds } from './keys.ts';
import type { Entry, Schedule } from './schedule.ts';

export interface Query {
  readonly identifier: DataSet;
  readonly callingAet: string;
}

export interface Answer {
  /** FF00, or FF01 where a key of the query is not supported (PS3.4 table K.4-1). */
  readonly status: 0xff00 | 0xff01;
  readonly identifier: DataSet;
  /** Character set in which the identifier is to be written. */
  readonly characterSet: string;
}

/** The answers to a query, in order of start. The schedule cannot change meanwhile; stopping early costs nothing. */
export function* answers(schedule: Schedule, query: Query, policy: AccessPolicy): Generator<Answer, void> {
  const { identifier, callingAet } = query;
  const characterSet = characterSetOf(query, policy);
  const extra = extraKeys(identifier);
  for (const { item } of candidates(schedule, query, policy.station(callingAet))) {
    if (!matches(identifier, item)) continue;
    const unsupported = extra.some((key) => !holds(item, key));
    yield { status: unsupported ? 0xff01 : 0xff00, identifier: answer(identifier, item), characterSet };
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
