/** The report of a pass, for the API, the metrics and the health page. */
import type { Outcome } from '@scanflow/booking';
import type { Failure } from '@scanflow/failure';
import type { FeedNote, Window } from '@scanflow/calendar';
import type { Action } from './domain/reconcile.ts';
import type { FetchReport } from './reader.ts';

export interface CalendarReport {
  readonly calendar: string;
  /** The scanner that the calendar books, or all of them. */
  readonly scanner: string;
  /** `stale`: no answer, the last good state counts. `unknown`: never read, and published bookings stay. */
  readonly state: 'good' | 'stale' | 'unknown';
  /** A request runs without an answer so far. */
  readonly waiting: boolean;
  readonly lastGood: Temporal.Instant | undefined;
  readonly failure: Failure | undefined;
  /** Oddities of a calendar that was read. */
  readonly notes: readonly FeedNote[];
  /** The earliest next request that its server allows (Retry-After). */
  readonly notBefore: Temporal.Instant | undefined;
  /** Its server's clock minus ours, in milliseconds; undefined if the answer has no time. */
  readonly clockSkewMs: number | undefined;
  /** The answer of this pass, if one came. */
  readonly fetch: FetchReport | undefined;
  /** Whether a person accepted, for this pass, the removals that the shrink guard held back. */
  readonly accepted: boolean;
  readonly outcomes: readonly Outcome[];
  /** Why the list of projects is unreadable, if it is. */
  readonly projects: Failure | undefined;
  /** The number of actions of each kind. */
  readonly actions: Readonly<Partial<Record<Action['kind'], number>>>;
  /** Removals that wait for a second answer of the calendar. */
  readonly held: number;
  /** Why a booking could not be written. */
  readonly unwritten: Failure | undefined;
}

export interface PassReport {
  readonly at: Temporal.Instant;
  readonly ms: number;
  readonly window: Window;
  readonly calendars: readonly CalendarReport[];
  /** Items on the worklist after the pass. */
  readonly items: number;
  /** Why a booking of any calendar could not be written. */
  readonly unwritten: Failure | undefined;
}

export function countActions(actions: readonly Action[]): Partial<Record<Action['kind'], number>> {
  const counts: Partial<Record<Action['kind'], number>> = {};
  for (const { kind } of actions) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
