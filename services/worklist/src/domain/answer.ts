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
} from '@scanflow/dicom';
import type { AccessPolicy } from './access.ts';
import { candidates } from './candidates.ts';
import type { Entry, Schedule } from './schedule.ts';

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
