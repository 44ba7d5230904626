/** Deliveries, sessions, and series that stay in Orthanc, as the ledger shows them. */
import type { HookEvent } from './plan.ts';
import type { LegState, SeriesState } from '../model/series.ts';
import type { Millis } from '../ledger/claim.ts';
import type { SeriesView } from '../ledger/rows.ts';

/** One event for one hook, in a worker's hands until its lease ends. */
export interface DeliveryWork {
  /** Of this delivery. */
  readonly id: string;
  readonly token: string;
  /** The same for every repeat, and for every hook that is told: receivers drop what they know. */
  readonly event: string;
  readonly hook: string;
  readonly kind: HookEvent;
  /** A series' Orthanc id, or of `complete` a session's. */
  readonly subject: string;
  /** Destination, of `forwarded` and `failed`; `storage` where storing failed. */
  readonly target: string | undefined;
  readonly increment: number;
  /** Of `failed`. */
  readonly cause: { readonly code: string; readonly message: string } | undefined;
  readonly created: Millis;
  /** Failures in a row so far. */
  readonly attempts: number;
}

export interface DeliveryView {
  readonly event: string;
  readonly hook: string;
  readonly kind: HookEvent;
  readonly target: string | undefined;
  readonly increment: number;
  readonly state: LegState;
  readonly attempts: number;
  readonly nextTry: Millis | null;
  readonly failure: { readonly code: string; readonly message: string } | undefined;
  readonly output: string;
  readonly created: Millis;
}

export interface SessionView {
  readonly id: string;
  readonly firstSeen: Millis;
  readonly updated: Millis;
  /** When it is looked at next; null: it was told complete, and nothing came since. */
  readonly due: Millis | null;
  /** How many times it was told complete. */
  readonly increment: number;
  readonly digest: string | undefined;
  /** Of its report, by the name that the store gives it; once chosen it stays. */
  readonly folder: string | undefined;
  readonly failure: { readonly code: string; readonly message: string } | undefined;
  readonly series: readonly SeriesView[];
}

/** A series that may not be deleted from Orthanc. */
export interface KeptSeries {
  readonly id: string;
  readonly state: SeriesState;
  /** Why it is quarantined. */
  readonly reason: { readonly code: string; readonly message: string } | undefined;
  /** Legs, and `hook:NAME` of it and of its session, that are not done. */
  readonly open: readonly {
    readonly target: string;
    readonly state: LegState;
    readonly failure: { readonly code: string; readonly message: string } | undefined;
  }[];
}
