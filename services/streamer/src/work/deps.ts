/** What the workers are given at start. */
import type { Erasures, Log } from '@scanflow/runtime';
import type { Failure } from '@scanflow/failure';
import type { Orthanc } from '@scanflow/orthanc';
import type { Bookings } from '../store/place/bookings.ts';
import type { Condition } from './condition.ts';
import type { Metrics } from '../http/metrics.ts';
import type { Ledger } from '../ledger/tx.ts';
import type { Store } from '../store/types.ts';
import type { Clock, Settings } from '../model/settings.ts';
import type { Notices } from '../notices/settings.ts';
import type { OpenDestination } from '../send/types.ts';
import type { RootKeeper } from '../roots/keeper.ts';
import type { VerifySettings } from '../verify/types.ts';
import type { Wake } from './wake.ts';
import type { ExamCounts } from '../intake/expected.ts';
import type { Reason } from '../model/series.ts';
import type { Hook } from '../hooks/plan.ts';
import type { ReportContext } from '../reports/series.ts';
import type { Committing } from '../commitment/plan.ts';

/** What happens once images are where they belong: hooks, reports of sessions, clean-up. */
export interface AfterStoring {
  readonly hooks: readonly Hook[];
  /** What scanners reported of their exams. */
  readonly exams: ExamCounts;
  readonly context: ReportContext;
  readonly sessionQuietMs: number;
  /** Nothing is deleted where undefined. */
  readonly cleanupAfterMs: number | undefined;
  /** Series that could not be deleted from Orthanc; also a part of the context. */
  readonly notCleaned: Map<string, Failure & { readonly again: number }>;
  /** Series that may not be deleted from Orthanc, and why; also a part of the context. */
  readonly kept: Map<string, Reason>;
}

export interface LoopDeps extends AfterStoring {
  readonly orthanc: Orthanc;
  readonly ledger: Ledger;
  readonly store: Store;
  /** Of the copy of everything, where there is one. */
  readonly copies?: Store | undefined;
  readonly keeper: RootKeeper;
  readonly bookings: Bookings;
  readonly settings: Settings;
  /** Those of the settings. */
  readonly destinations: readonly OpenDestination[];
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly condition: Condition;
  /** Destinations from which storage commitment is requested. */
  readonly committing: readonly Committing[];
  readonly verify: VerifySettings;
  readonly wakes: Wakes;
  /** What of it was erased on request. */
  readonly erasures: Erasures;
  /** Whom notices go to; undefined: to nobody. */
  readonly notices?: Notices | undefined;
  /** The folder that the services share. */
  readonly data: string;
}

export type Wakes = Readonly<
  Record<'store' | 'legs' | 'reconcile' | 'after' | 'roots' | 'verify' | 'erase', Wake>
>;
