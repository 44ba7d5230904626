/** What a pass did, for the API, the metrics and the health page. */
import type { Failure } from '@scanflow/chassis';
import type { Window } from '@scanflow/calendar';
import type { Planned } from './domain/plan.ts';
import type { Action } from './domain/reconcile.ts';

export interface CalendarReport {
  readonly calendar: string;
  readonly scanner: string;
  /** `stale`: it does not answer, what it last said counts. `unknown`: it was never read, what is published stays. */
  readonly state: 'good' | 'stale' | 'unknown';
  readonly lastGood: Temporal.Instant | undefined;
  readonly failure: Failure | undefined;
  readonly outcomes: readonly Planned[];
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
