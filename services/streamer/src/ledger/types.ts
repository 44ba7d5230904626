/** What the steps need from the ledger: what was seen, what is due, what is done. */
import type { Labels } from '@scanflow/booking';
import type { Decision } from '../model/decision.ts';
import type { Warning } from '../completeness/warnings.ts';
import type { EarlierStudy } from '../store/place/earlier.ts';
import type { Doubt } from '../store/place/evidence.ts';
import type { Failure } from '../model/failure.ts';
import type { Moved, MoveOrder } from '../move/plan.ts';
import type { Attributes, Reason } from '../store/place/route.ts';
import type { LegState, SeriesState } from '../model/series.ts';
import type { Joinable, JoinLedger } from '../joining/types.ts';
import type { CommitmentLedger } from '../commitment/types.ts';
import type { EraseLedger } from '../erase/types.ts';
import type { EventLedger } from '../hooks/types.ts';
import type { RootLedger } from '../roots/types.ts';
import type { RecoveryLedger } from '../rebuild/types.ts';
import type { VerificationView, VerifyLedger } from '../verify/types.ts';

/** What the first image of each series says. */
export type FirstImages = ReadonlyMap<string, Attributes>;

/** Milliseconds since the Unix epoch. */
export type Millis = number;

export interface Cursor {
  readonly seq: number;
  readonly database: string | undefined;
}

/**
 * A leg in one worker's hands, until its lease ends. What is written with a claim that another worker has taken over
 * meanwhile is refused: Fault LEDGER_LEASE_LOST, transient.
 */
export interface Claim {
  readonly series: string;
  readonly target: string;
  /** Of this claim alone. */
  readonly token: string;
}

export interface StoreWork extends Claim {
  /** Failures in a row so far. */
  readonly attempts: number;
  /** Those that a person gave at release, else those that it was stored with. */
  readonly labels: Labels | undefined;
  /** By which a person gave them, as far as the ledger knows. */
  readonly decision?: Decision | undefined;
  /** A person wants it moved. */
  readonly moving?: MoveOrder | undefined;
  /** Folder below the root, once claimed. */
  readonly path: string | undefined;
  /** Number of pulls that brought something. */
  readonly increment: number;
  /** We have deleted it from Orthanc, or begun to: what is no longer there is no loss. */
  readonly cleaned?: boolean;
  /** Images that were stored when its storing last ended; 0 before that. */
  readonly stored?: number;
  /** digestOf() what Orthanc listed then. */
  readonly digest?: string | undefined;
  /** Nothing new came: files that were stored may be missing. */
  readonly recheck?: boolean;
}

export interface ForwardWork extends Claim {
  readonly attempts: number;
  readonly path: string;
  /** Increments up to this one have been dealt with. */
  readonly through: number;
  /** That of the series: a `series.json` that knows less is an older one. */
  readonly increment?: number;
  /** Nothing new came: files that were copied may be missing. */
  readonly recheck?: boolean;
  /** Images that the leg had when it last ended. */
  readonly done?: number;
  /** Folder of the series in the copy of everything. */
  readonly copyPath?: string | undefined;
}

/** One instance's outcome in the work on a leg; `detail` is JSON that the step itself understands. */
export interface Progress {
  readonly instance: string;
  /** `again`: given up earlier; a person wants it tried again. */
  readonly outcome: 'done' | 'failed' | 'again';
  readonly detail: string;
  /** Transfer syntax of the transcoded copy that was sent in the place of what is stored. */
  readonly transcoded?: string;
}

export interface Binding {
  readonly attributes: Attributes;
  readonly labels: Labels | undefined;
  /** By which a person gave them. */
  readonly decision?: Decision | undefined;
  readonly doubts?: readonly Doubt[] | undefined;
  readonly path: string;
  readonly inOrthanc: number;
}

export interface StoreDone extends Binding {
  readonly increment: number;
  readonly stored: number;
  readonly untagged: number;
  /** Other bytes under a SOP Instance UID that was there already. */
  readonly differing?: number;
  /** digestOf() the instances that Orthanc listed. */
  readonly digest: string;
  /** The first of the instances that were given up. */
  readonly failure: Failure | undefined;
  /** What a person should look at. */
  readonly warnings?: readonly Warning[] | undefined;
  /** digestOf() the instances of each series that it was joined from. */
  readonly parts?: ReadonlyMap<string, string> | undefined;
  /** Destinations that want this series. */
  readonly targets: readonly string[];
}

/** A moved series, all of it verified at its new place. */
export interface StoredAnew {
  readonly path: string;
  readonly images: number;
  /** Its files have other names than before. */
  readonly renamed: boolean;
  readonly moved: Moved;
  /** Destinations that get it once more. */
  readonly targets: readonly string[];
}

/** Who sent images to Orthanc; '' where it does not tell. */
export interface SenderView {
  readonly aet: string;
  readonly called: string;
  readonly address: string;
  readonly firstSeen: Millis;
  readonly lastSeen: Millis;
}

export interface CopyDone {
  /** Images that are there, and those that Orthanc listed. */
  readonly done: number;
  readonly total: number;
  readonly failure: Failure | undefined;
  /** Its folder, named as the copy's store names it. */
  readonly path?: string;
}

export interface Quarantined {
  readonly attributes: Attributes;
  readonly inOrthanc: number;
  readonly digest: string;
  readonly parts?: ReadonlyMap<string, string> | undefined;
  readonly reason: Reason;
}

export interface Retry {
  readonly attempts: number;
  readonly nextTry: Millis;
  readonly failure: Failure;
}

export interface LegView {
  readonly target: string;
  readonly state: LegState;
  readonly attempts: number;
  readonly nextTry: Millis | null;
  readonly failure: { readonly code: string; readonly message: string } | undefined;
  readonly done: number;
  readonly total: number;
  /** Of those sent: transcoded copies, in the place of what is stored. */
  readonly transcoded: number;
  readonly through: number;
}

export interface SeriesView {
  readonly id: string;
  readonly state: SeriesState;
  readonly due: Millis | null;
  readonly firstSeen: Millis;
  readonly updated: Millis;
  readonly attributes: Attributes;
  readonly labels: Labels | undefined;
  /** By which a person gave the labels. */
  readonly decision?: Decision | undefined;
  readonly doubts?: readonly Doubt[];
  readonly warnings?: readonly Warning[];
  readonly moving?: MoveOrder | undefined;
  readonly moved?: readonly Moved[];
  readonly reason: Reason | undefined;
  readonly path: string | undefined;
  /** Its folder in the copy of everything. */
  readonly copyPath?: string | undefined;
  readonly inOrthanc: number;
  readonly stored: number;
  readonly untagged: number;
  /** Other bytes under a SOP Instance UID that was there already. */
  readonly differing: number;
  /** How many images the scanner said that it has. */
  readonly expected: number | undefined;
  /** Number of pulls that brought something. */
  readonly increment: number;
  readonly session: string | undefined;
  /** When it was deleted from Orthanc. */
  readonly cleaned: Millis | null;
  readonly legs: readonly LegView[];
  /** In each place where it has files. */
  readonly verification: readonly VerificationView[];
}

export interface Summary {
  readonly series: Readonly<Record<SeriesState, number>>;
  readonly legs: readonly { readonly target: string; readonly state: LegState; readonly count: number }[];
  /** When the oldest series that still has something pending was first seen. */
  readonly oldestPending: Millis | undefined;
}

export interface SeriesQuery {
  readonly limit: number;
  readonly state?: SeriesState;
  readonly warned?: boolean;
}

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
