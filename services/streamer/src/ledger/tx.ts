/** The ledger as the features use it: a feature writes functions over a transaction. */
import type { Statements } from '@scanflow/database';
import type { HookEvent } from '../hooks/plan.ts';

/** What the configuration wants done with a fact, written with the fact itself. */
export interface Consequences {
  /** Names of the hooks that want this event; a session has no modality. */
  readonly hooksFor: (event: HookEvent, modality: string | undefined) => readonly string[];
  /** Whether storage commitment is requested from a destination; default: from none. */
  readonly commits?: (destination: string) => boolean;
  /** A stored series is verified this long after storing, in milliseconds; default: never by schedule. */
  readonly verifyEveryMs?: number | undefined;
  /** A session is looked at this long after its last news, in milliseconds. */
  readonly sessionQuietMs: number;
}

/** One transaction, or one consistent read, of this streamer. */
export interface Tx extends Statements {
  /** A claim holds so long without being renewed, in milliseconds. */
  readonly leaseMs: Millis;
  /** This streamer, where several share the ledger. */
  readonly owner: string;
  readonly consequences: Consequences;
}

/** Work of one transaction, with what it is given. */
type Run = <A extends readonly unknown[], R>(
  work: (tx: Tx, ...given: A) => Promise<R>,
  ...given: A
) => Promise<R>;

/**
 * SQLite or PostgreSQL.
 * @example
 * ```ts no-run
 * import { nextStore } from './claims.ts';
 * import { progressOf } from './leg.ts';
 * import type { Ledger } from './tx.ts';
 *
 * async function example(ledger: Ledger, now: number): Promise<void> {
 *   const work = await ledger.write(nextStore, now);
 *   const rows = work && (await ledger.read(progressOf, work.series, 'storage'));
 *   console.log(rows?.length);
 * }
 * ```
 */
export interface Ledger {
  /** Runs a function in one transaction: all or nothing, durable when the promise resolves. */
  readonly write: Run;
  /** Runs a function that only reads; it sees one state. */
  readonly read: Run;
  /** A claim holds so long without being renewed, in milliseconds. */
  readonly leaseMs: Millis;
  /** Rejects, with LEDGER_CORRUPT, once the ledger turns out to be damaged. */
  readonly broken?: Promise<never>;
  /** Makes deleted rows unreadable in the database's files, as far as the database can. */
  readonly scrub: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Milliseconds since the Unix epoch. */
export type Millis = number;

/**
 * A leg in one worker's hands, until its lease ends. What is written with a claim that another worker has taken over
 * meanwhile is refused: FailureError LEDGER_LEASE_LOST, transient.
 */
export interface Claim {
  readonly series: string;
  readonly target: string;
  /** Of this claim alone. */
  readonly token: string;
  /** Of the series, for the log. */
  readonly accession?: string | undefined;
}
