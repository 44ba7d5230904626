/** The last queries, for the page of facility IT: who asked, when, for what, as far as it may be shown, and how many came back. Pure. */
import { type DataSet, formatTag, keywordOf, type Element } from '@scanflow/dicom';

export interface QueryRecord {
  /** UTC instant, `2026-11-22T08:00:00Z`. */
  readonly at: string;
  readonly callingAet: string;
  readonly address: string;
  /** Keys that had a value. */
  readonly keys: readonly string[];
  /** Values of those keys that say nothing of a person, by key. */
  readonly values: Readonly<Record<string, string>>;
  readonly characterSet: string;
  readonly answers: number;
  readonly milliseconds: number;
  /** `limited`: more items matched than a query is answered with. `unreadable`: its identifier was no data set. */
  readonly outcome: 'complete' | 'limited' | 'cancelled' | 'failed' | 'refused' | 'unreadable';
  /** Why it was refused, could not be read, or failed; without any value. */
  readonly why?: string;
}

/** The last query of a caller, as it came. It stays in memory: its keys may name a patient. */
export interface LastQuery {
  readonly record: QueryRecord;
  /** Undefined where it could not be read, or was too long to be kept. */
  readonly identifier: DataSet | undefined;
}

export interface Journal {
  readonly add: (record: QueryRecord, identifier?: DataSet) => void;
  /** The last query of any of these AE titles. */
  readonly last: (callingAets: readonly string[]) => LastQuery | undefined;
  /** Newest first. */
  readonly latest: () => QueryRecord[];
}

/** Callers whose last query is kept; the one that was silent for longest gives way. */
const CALLERS = 64;
/** Keys of a query that is kept as it came. */
const KEPT_KEYS = 512;

/** A journal of at most `capacity` queries; older ones are forgotten. */
export function createJournal(capacity = 200): Journal {
  const ring: QueryRecord[] = [];
  const lasts = new Map<string, LastQuery & { readonly number: number }>();
  let next = 0;
  const keep = (record: QueryRecord, identifier: DataSet | undefined): void => {
    const isSmall = identifier !== undefined && countKeys(identifier) <= KEPT_KEYS;
    // the order of a Map is that of insertion: who asked last stands last
    lasts.delete(record.callingAet);
    lasts.set(record.callingAet, { record, identifier: isSmall ? identifier : undefined, number: next });
    const [silent] = lasts.keys();
    if (lasts.size > CALLERS && silent !== undefined) lasts.delete(silent);
  };
  return {
    add: (record, identifier) => {
      ring[next % capacity] = record;
      next += 1;
      keep(record, identifier);
    },
    last: (callingAets) =>
      callingAets
        .flatMap((aet) => lasts.get(aet) ?? [])
        .sort((one, other) => other.number - one.number)
        .at(0),
    latest: () => {
      const oldest = next > capacity ? next % capacity : 0;
      return [...ring.slice(oldest), ...ring.slice(0, oldest)].reverse();
    },
  };
}

const countKeys = (keys: DataSet): number =>
  [...keys.values()].reduce(
    (sum, key) =>
      sum + 1 + (key.kind === 'sequence' ? key.items.reduce((inner, one) => inner + countKeys(one), 0) : 0),
    0,
  );

/** Paths that are kept of a query. */
const MOST_KEYS = 64;

/** Paths of the keys that have a value, such as `ScheduledProcedureStepSequence.Modality`; never the values. */
export function valuedKeys(identifier: DataSet): string[] {
  return [...new Set(pathsOf(identifier))].slice(0, MOST_KEYS);
}

function pathsOf(identifier: DataSet): string[] {
  return [...identifier].flatMap(([tag, element]) => {
    const name = keywordOf(tag) ?? formatTag(tag);
    if (element.kind === 'sequence') return element.items.flatMap(pathsOf).map((inner) => `${name}.${inner}`);
    return hasValue(element) ? [name] : [];
  });
}

function hasValue(element: Exclude<Element, { kind: 'sequence' }>): boolean {
  return element.kind === 'text' ? element.values.some((value) => value !== '') : element.bytes.length > 0;
}

/** Keys of a station, a day or a kind of scan. Names, numbers and UIDs of a patient or an exam are none of them. */
const IMPERSONAL: ReadonlySet<string> = new Set([
  ...[
    'SpecificCharacterSet',
    'TimezoneOffsetFromUTC',
    'Modality',
    'ScheduledStationAETitle',
    'ScheduledStationName',
  ],
  ...['ScheduledProcedureStepLocation', 'ScheduledProcedureStepStartDate', 'ScheduledProcedureStepStartTime'],
  ...['ScheduledProcedureStepStatus', 'RequestedProcedurePriority', 'StudyDate', 'StudyTime'],
]);
/** Characters that are shown of a value. */
const LONGEST = 64;

const IS_TIME = /(?:Date|Time)$/;
const TIME = /^[\d\s.:\\-]*$/;

/**
 * Whether a value of a key, by the last keyword of its path, may be shown. Whoever types into the wrong field may type a
 * patient's number: a date or a time shows only where it is written as one.
 */
export const isShown = (path: string, value: string): boolean =>
  IMPERSONAL.has(path.slice(path.lastIndexOf('.') + 1)) && (!IS_TIME.test(path) || TIME.test(value));

/** The values that may be shown, by the path of their key. */
export function shownValues(identifier: DataSet): Record<string, string> {
  const walk = (keys: DataSet, prefix: string): [string, string][] =>
    [...keys].flatMap(([tag, element]): [string, string][] => {
      const path = prefix + (keywordOf(tag) ?? formatTag(tag));
      if (element.kind === 'sequence') return element.items.flatMap((item) => walk(item, `${path}.`));
      if (!hasValue(element) || element.kind !== 'text') return [];
      const value = element.values.join('\\');
      return isShown(path, value) ? [[path, shorten(value)]] : [];
    });
  return Object.fromEntries(walk(identifier, '').slice(0, MOST_KEYS));
}

/** At most so much of a value as a page has room for. */
export const shorten = (value: string): string =>
  value.length <= LONGEST ? value : `${value.slice(0, LONGEST)}…`;
