/** What a pass did, for the API, the metrics and the health page. */
import type { Outcome } from '@scanflow/booking';
import type { Failure } from '@scanflow/failure';
import type { FeedNote, Window } from '@scanflow/calendar';
import type { Action } from './domain/reconcile.ts';
import type { FetchReport } from './reader.ts';

export interface CalendarReport {
  readonly calendar: string;
  /** The scanner that it books; of several, each. */
  readonly scanner: string;
  /** `stale`: it does not answer, what it last said counts. `unknown`: it was never read, what is published stays. */
  readonly state: 'good' | 'stale' | 'unknown';
  /** It is being asked, and has not answered yet. */
  readonly waiting: boolean;
  readonly lastGood: Temporal.Instant | undefined;
  readonly failure: Failure | undefined;
  /** What is odd about it, though it was read. */
  readonly notes: readonly FeedNote[];
  /** Its server wants not to be asked before (Retry-After). */
  readonly notBefore: Temporal.Instant | undefined;
  /** Its server's clock minus ours, in milliseconds; undefined where it does not tell the time. */
  readonly clockSkewMs: number | undefined;
  /** The answer of this pass; undefined where none came. */
  readonly fetch: FetchReport | undefined;
  /** A person accepted, for this pass, what the shrink guard held back. */
  readonly accepted: boolean;
  readonly outcomes: readonly Outcome[];
  /** Why the list of projects cannot be read, where there is one that cannot. */
  readonly projects: Failure | undefined;
  /** How many actions of each kind. */
  readonly actions: Readonly<Partial<Record<Action['kind'], number>>>;
  /** Removals that wait for a second answer of the calendar. */
  readonly held: number;
  /** What could not be written. */
  readonly unwritten: Failure | undefined;
}

export interface PassReport {
  readonly at: Temporal.Instant;
  readonly ms: number;
  readonly window: Window;
  readonly calendars: readonly CalendarReport[];
  /** Items on the worklist after the pass. */
  readonly items: number;
  /** What could not be written, of whichever calendar. */
  readonly unwritten: Failure | undefined;
}

export function countActions(actions: readonly Action[]): Partial<Record<Action['kind'], number>> {
  const counts: Partial<Record<Action['kind'], number>> = {};
  for (const { kind } of actions) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
