/** What the steps need from the ledger: what was seen, what is due, what is done. */
import type { Labels } from '@scanflow/booking';
import type { Decision } from '../model/decision.ts';
import type { EarlierStudy } from '../store/place/earlier.ts';
import type { Failure } from '../model/failure.ts';
import type { MoveOrder } from '../move/plan.ts';
import type { Attributes } from '../store/place/route.ts';
import type { Joinable, JoinLedger } from '../joining/types.ts';
import type { CommitmentLedger } from '../commitment/types.ts';
import type { EraseLedger } from '../erase/types.ts';
import type { EventLedger } from '../hooks/types.ts';
import type { RootLedger } from '../roots/types.ts';
import type { RecoveryLedger } from '../rebuild/types.ts';
import type { VerifyLedger } from '../verify/types.ts';
import type { Claim, Millis } from './claim.ts';
import type {
  FirstImages,
  Cursor,
  StoreWork,
  ForwardWork,
  Progress,
  Binding,
  StoreDone,
  StoredAnew,
  SenderView,
  CopyDone,
  Quarantined,
  Retry,
  SeriesView,
  Summary,
  SeriesQuery,
} from './rows.ts';

/** Durable when the promise resolves. Every method is one transaction. */
export interface Ledger
  extends EventLedger, JoinLedger, CommitmentLedger, EraseLedger, RecoveryLedger, RootLedger, VerifyLedger {
  /** How long a claim holds without being renewed, in milliseconds. */
  readonly leaseMs: number;
  /** Rejects, with LEDGER_CORRUPT, once the ledger turns out to be damaged. */
  readonly broken?: Promise<never>;

  /**
   * Whether this streamer is the one that reads what Orthanc reports; to be asked before each round, as that renews
   * it. While another one is, setCursor, arrived and reconcile throw LEDGER_LEASE_LOST.
   */
  readonly lead: (now: Millis) => Promise<boolean>;
  readonly cursor: () => Promise<Cursor | undefined>;
  readonly setCursor: (cursor: Cursor) => Promise<void>;
  /**
   * Something of these series arrived: their quiet timers start anew; the cursor advances with it. Their sessions have news,
   * so none of them is complete. `first`: attributes of the first image of those that are `unread`.
   */
  readonly arrived: (
    cursor: Cursor,
    series: readonly string[],
    now: Millis,
    due: Millis,
    first?: FirstImages,
    joinable?: Joinable,
  ) => Promise<void>;
  /** Compares with what Orthanc has; a series that is unknown or has other instances becomes due. How many did. */
  reconcile(
    listed: readonly { id: string; digest: string }[],
    now: Millis,
    due: Millis,
    first?: FirstImages,
    joinable?: Joinable,
  ): Promise<number>;
  /** Those of these series of which the ledger does not know yet to which session they belong. */
  readonly unread: (series: readonly string[]) => Promise<readonly string[]>;
  /** After the clock stepped back nothing waits longer than it was meant to. */
  readonly clampTimers: (latestDue: Millis, latestTry: Millis) => Promise<void>;

  /**
   * The next series whose quiet timer ended, or whose storing is to be tried again: in the asker's hands alone. With the
   * end of the timer the legs of the targets `alongside` are opened too: they do not wait for storage.
   */
  readonly nextStore: (now: Millis, alongside?: readonly string[]) => Promise<StoreWork | undefined>;
  readonly nextForward: (target: string, now: Millis) => Promise<ForwardWork | undefined>;
  /** When the next work for a target (or STORAGE) is due, or may be taken over. */
  readonly nextTime: (target: string) => Promise<Millis | undefined>;
  /** The lease begins anew. Throws LEDGER_LEASE_LOST. */
  readonly renew: (claim: Claim, now: Millis) => Promise<void>;
  /** Somebody may go on with it at once. Nothing where the work has ended, or another has it. */
  readonly giveBack: (claim: Claim, now: Millis) => Promise<void>;

  /** Binds the series to its folder and labels, before the first image of this pull is written. */
  readonly bind: (claim: Claim, binding: Binding, now: Millis) => Promise<void>;
  readonly record: (claim: Claim, progress: readonly Progress[]) => Promise<void>;
  readonly progress: (series: string, target: string) => Promise<readonly Progress[]>;

  // each of these ends the claim
  readonly stored: (claim: Claim, done: StoreDone, now: Millis) => Promise<void>;
  readonly storeLater: (claim: Claim, retry: Retry, now: Millis) => Promise<void>;
  /** The end of a leg that recheck() opened: nothing is missing. */
  readonly rechecked: (claim: Claim, now: Millis) => Promise<void>;
  /** Given up as a whole: nothing of it could be stored. */
  readonly storeFailed: (claim: Claim, failure: Failure, now: Millis) => Promise<void>;
  readonly quarantine: (claim: Claim, found: Quarantined, now: Millis) => Promise<void>;
  /**
   * Every instance of the increments up to `through` was dealt with; `failure` is that of one which was given up,
   * now or earlier. The leg stays pending where the series has grown meanwhile.
   */
  readonly forwarded: (
    claim: Claim,
    through: number,
    failure: Failure | undefined,
    now: Millis,
  ) => Promise<void>;
  /** The end of a leg that was opened alongside: all of the series is there, but for what `failure` says. */
  readonly copied: (claim: Claim, done: CopyDone, now: Millis) => Promise<void>;
  /** Given up as a whole: nothing more can be sent until somebody puts something right. */
  readonly forwardFailed: (claim: Claim, failure: Failure, now: Millis) => Promise<void>;
  /** It is not for this destination after all: the leg goes, or is done where images were sent before. */
  readonly unwanted: (claim: Claim, now: Millis) => Promise<void>;
  readonly forwardLater: (claim: Claim, retry: Retry, now: Millis) => Promise<void>;

  quarantined(): Promise<readonly { readonly id: string; readonly attributes: Attributes }[]>;
  /** Storing is tried at once, with the labels that a person gave. False where there is no such series. */
  readonly release: (series: string, decision: Decision | undefined, now: Millis) => Promise<boolean>;

  /** A stored series is to be moved to other labels. Throws SERIES_NOT_MOVABLE with the reason. */
  readonly orderMove: (
    series: string,
    order: Omit<MoveOrder, 'was' | 'failure' | 'stored'>,
    now: Millis,
  ) => Promise<void>;
  /** It is stored at its new place; the old one is still to be left. */
  readonly storedAnew: (claim: Claim, anew: StoredAnew, now: Millis) => Promise<void>;
  /** Ends the claim. `left`: files that stayed in the old folder. */
  readonly moveDone: (claim: Claim, left: readonly string[], now: Millis) => Promise<void>;
  /** Ends the claim: it stays where it was. */
  readonly moveFailed: (claim: Claim, failure: Failure, now: Millis) => Promise<void>;

  readonly sent: (sender: Pick<SenderView, 'aet' | 'called' | 'address'>, now: Millis) => Promise<void>;
  /** The latest first. */
  readonly senders: () => Promise<readonly SenderView[]>;
  /**
   * What failed, or waits for its next try, is tried at once: the leg of this target, or all of them. The targets
   * that are; not among them what is being worked on, and what waits in quarantine.
   */
  readonly retry: (series: string, target: string | undefined, now: Millis) => Promise<readonly string[]>;
  /**
   * Files of a stored series may be missing: its legs of these targets (STORAGE, COPY) open again where they are done, so
   * that the series is no longer complete. The step of the leg then looks at every file that `series.json` names (is it a
   * file, has it its size?), pulls what is missing while Orthanc has it, and fails visibly with STORE_FILE_MISSING where
   * Orthanc has it no longer. A file of the right size is not read: move one with changed bytes aside first, and it is
   * pulled again; nothing is overwritten. What is pulled again keeps its increment, so that nothing is sent again.
   * Gives the targets that are open now, also those that were open before; a target that has failed is not among them.
   */
  readonly recheck: (series: string, targets: readonly string[], now: Millis) => Promise<readonly string[]>;

  /** A stored series that did not go to this destination goes there. False where it does, or is not stored. */
  readonly open: (series: string, target: string, now: Millis) => Promise<boolean>;

  /** `warned`: only those with a warning or a doubt. */
  list(query: SeriesQuery): Promise<readonly SeriesView[]>;
  /** Other series with these labels, of other sessions than this one; the latest first. */
  readonly labelled: (labels: Labels, session: string | undefined) => Promise<readonly EarlierStudy[]>;
  readonly summary: () => Promise<Summary>;
  readonly close: () => Promise<void>;
}
