/** What a query is answered with: the matching entries, one response each, made one at a time. */
import {
  answerer,
  formatTag,
  invalidKeys,
  keywordOf,
  matcher,
  texts,
  unsupportedKeys,
  type DataSet,
  type MatchOptions,
  type Tag,
  items,
  element,
  parseRange,
} from '@scanflow/dicom';
import { type AccessPolicy, isOf } from './access.ts';
import { type Entry, type Schedule, byStart, indexed, type Index } from './schedule.ts';

interface Query {
  readonly identifier: DataSet;
  readonly callingAet: string;
}

interface Answer {
  /** FF00, or FF01 where a key had a value that cannot be matched (PS3.4 table K.4-1). */
  readonly status: 0xff00 | 0xff01;
  readonly identifier: DataSet;
  /** Character set of the identifier. */
  readonly characterSet: string;
  /** What is answered with. */
  readonly entry: Entry;
}

/** Operators type names without looking at the case; PS3.4 C.2.2.2.1 leaves it to the SCP. */
const IGNORE_CASE: MatchOptions = { caseInsensitivePn: true };

/** Why a query cannot be answered. */
interface Refusal {
  /** PS3.4 table K.4-1: A900, identifier does not match SOP class; C000, unable to process. */
  readonly status: 0xa900 | 0xc000;
  readonly offendingElement: Tag;
  /** At most 64 characters; names the attribute, not its value. */
  readonly comment: string;
}

/**
 * A query with more values than we compare, or with a key that is no value of its kind, such as a date of words: it must not
 * be taken for one without.
 */
export function refusal(identifier: DataSet): Refusal | undefined {
  const oversized = oversizedKey(identifier);
  if (oversized !== undefined) return refused(0xc000, 'Too many values', oversized);
  const [invalid] = invalidKeys(identifier);
  return invalid === undefined ? undefined : refused(0xa900, 'Invalid', invalid);
}

const refused = (status: Refusal['status'], what: string, tag: Tag): Refusal => ({
  status,
  offendingElement: tag,
  comment: `${what} ${keywordOf(tag) ?? formatTag(tag)}`.slice(0, 64),
});

/**
 * The answers to a query, in order of start, and undefined for each entry that does not match: between any two a caller
 * can let others have their turn. The schedule cannot change meanwhile; stopping early costs nothing.
 */
export function* answers(
  schedule: Schedule,
  query: Query,
  policy: AccessPolicy,
  options: MatchOptions = IGNORE_CASE,
): Generator<Answer | undefined, void> {
  const { identifier, callingAet } = query;
  const characterSet = characterSetOf(query, policy);
  const matches = matcher(identifier, options);
  const answerOf = answerer(identifier, options);
  for (const entry of candidates(schedule, identifier, policy.stations(callingAet))) {
    const { item } = entry;
    if (!matches(item)) {
      yield undefined;
      continue;
    }
    const status = unsupportedKeys(identifier, item).length > 0 ? 0xff01 : 0xff00;
    yield { status, identifier: answerOf(item), characterSet, entry };
  }
}

/** Character set in which the query is answered. */
export const characterSetOf = ({ identifier, callingAet }: Query, policy: AccessPolicy): string =>
  policy.characterSet(callingAet, texts(identifier, 'SpecificCharacterSet'));

/**
 * Characters of all values of a query, at any depth, without UIDs: a list of these is looked up, not compared. A query with
 * a value for each attribute of an item has some hundreds.
 */
const MOST_CHARACTERS = 8_192;

/** The attribute, at any depth, whose values are more than a query may have in all; undefined where they are not. */
function oversizedKey(identifier: DataSet): Tag | undefined {
  let left = MOST_CHARACTERS;
  const walk = (keys: DataSet): Tag | undefined => {
    for (const [tag, key] of keys) {
      if (key.kind === 'sequence') {
        const found = items(keys, tag)
          .map(walk)
          .find((inner) => inner !== undefined);
        if (found !== undefined) return found;
      } else if (key.kind === 'text' && key.vr !== 'UI') {
        left -= key.values.reduce((sum, value) => sum + value.length + 1, 0);
        if (left < 0) return tag;
      }
    }
    return undefined;
  };
  return walk(identifier);
}

/**
 * The few entries that can match, by the indexes of the schedule; the matcher decides which of them do. In order of start: those of the study, accession number or patient that the query names,
 * else those of its stations, or all, on its days. `stations` are the caller's view.
 */
export function candidates(
  schedule: Schedule,
  identifier: DataSet,
  stations: readonly string[] | undefined,
): readonly Entry[] {
  const inView = (entries: readonly Entry[]): readonly Entry[] =>
    stations === undefined ? entries : entries.filter((entry) => isOf(entry, stations));
  const named =
    lookUp(schedule.byStudy, exactValues(identifier, 'StudyInstanceUID', 'UI')) ??
    lookUp(schedule.byAccession, exactValues(identifier, 'AccessionNumber', 'SH')) ??
    lookUp(schedule.byPatient, exactValues(identifier, 'PatientID', 'LO'));
  if (named !== undefined) return inView(named);
  const steps = items(identifier, 'ScheduledProcedureStepSequence');
  // with several items in the key, any one of them may match
  const [step] = steps.length === 1 ? steps : [];
  const asked = step && lookUp(schedule.byStation, exactValues(step, 'ScheduledStationAETitle', 'AE'));
  if (asked !== undefined) return inView(onDays(asked, schedule, step));
  return onDays(lookUp(schedule.byStation, stations) ?? schedule.entries, schedule, step);
}

/**
 * The values of a key that are matched as they are; undefined where the key is universal, has a wild card, or a VR
 * that is matched by other rules.
 */
function exactValues(keys: DataSet, keyword: string, vr: string): string[] | undefined {
  const key = element(keys, keyword);
  if (key?.kind !== 'text' || key.vr !== vr) return undefined;
  const given = key.values.filter((value) => value !== '');
  return given.length > 0 && given.every((value) => !/[*?]/.test(value)) ? given : undefined;
}

function lookUp(index: Index, values: readonly string[] | undefined): readonly Entry[] | undefined {
  if (values === undefined) return undefined;
  const lists = [...new Set(values.map(indexed))].flatMap((value) => {
    const list = index.get(value);
    return list === undefined ? [] : [list];
  });
  const [first = []] = lists;
  return lists.length < 2 ? first : [...new Set(lists.flat())].sort(byStart);
}

/** Those of the list, which is in order of start, that can start on the days of the step's key. */
function onDays(
  entries: readonly Entry[],
  { oneDayEach }: Schedule,
  step: DataSet | undefined,
): readonly Entry[] {
  const key = step && element(step, 'ScheduledProcedureStepStartDate');
  if (!oneDayEach || key?.kind !== 'text' || key.vr !== 'DA' || key.values.length !== 1) return entries;
  const range = parseRange('DA', key.values[0] ?? '');
  if (range === undefined) return entries;
  const { low, high } = range;
  const from = low === undefined ? 0 : firstWhere(entries, ({ day }) => day >= low);
  const to = high === undefined ? entries.length : firstWhere(entries, ({ day }) => day > high);
  return entries.slice(from, to);
}

/** Place of the first entry that has it, in a list where all after it have it too. */
function firstWhere(entries: readonly Entry[], has: (entry: Entry) => boolean): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const entry = entries[middle];
    if (entry !== undefined && has(entry)) high = middle;
    else low = middle + 1;
  }
  return low;
}
