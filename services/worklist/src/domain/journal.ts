/** The last queries, for the page of facility IT: who asked, when, for what kind of thing, and how many came back. */
import type { DataSet } from '@scanflow/dicom';

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
