/** The last queries, for the page of facility IT: who asked, when, for what kind of thing, and how many came back. */

export interface QueryRecord {
  /** UTC instant, `2026-11-22T08:00:00Z`. */
  readonly at: string;
  readonly callingAet: string;
  readonly address: string;
  /** Keys that had a value; never the values. */
  readonly keys: readonly string[];
  readonly characterSet: string;
  readonly answers: number;
  readonly milliseconds: number;
  /** `limited`: more items matched than a query is answered with. */
  readonly outcome: 'complete' | 'limited' | 'cancelled' | 'failed';
}

export interface Journal {
  readonly add: (record: QueryRecord) => void;
  /** Newest first. */
  readonly latest: () => QueryRecord[];
}

/** A journal of at most `capacity` queries; older ones are forgotten. */
export function createJournal(capacity = 200): Journal {
  const ring: QueryRecord[] = [];
  let next = 0;
  return {
    add: (record) => {
      ring[next % capacity] = record;
      next += 1;
    },
    latest: () => {
      const oldest = next > capacity ? next % capacity : 0;
      return [...ring.slice(oldest), ...ring.slice(0, oldest)].reverse();
    },
  };
}
