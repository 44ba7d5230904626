/** What the ledger takes and gives: series, legs and their work. */
import type { Labels } from '@scanflow/booking';
import type { Failure } from '@scanflow/failure';
import type { Decision, Moved, MoveOrder } from '../model/decision.ts';
import type { Warning, Doubt, Reason, LegState, SeriesState, Attributes } from '../model/series.ts';
import type { VerificationView } from '../verify/types.ts';
import type { Gaps } from '../intake/gaps.ts';
import type { Claim, Millis } from './tx.ts';
import type { HookEvent } from '../hooks/plan.ts';
import type { Pause } from './pauses.ts';

/** What the first image of each series says. */
export type FirstImages = ReadonlyMap<string, Attributes>;

export interface Cursor {
  readonly seq: number;
  readonly database: string | undefined;
  /** Numbers up to `seq` that may still appear; absent: none. */
  readonly gaps?: Gaps;
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

export interface LegWork extends Claim {
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
  /** Transfer syntax in which it was sent, where that was not the stored file. */
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

export interface Quarantined extends Pick<StoreDone, 'attributes' | 'inOrthanc' | 'digest' | 'parts'> {
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
  readonly failure: Reason | undefined;
  readonly done: number;
  readonly total: number;
  /** Of those sent: how many went transcoded, not as the stored files. */
  readonly transcoded: number;
  readonly through: number;
  /** It is pending, and a person paused its destination. */
  readonly paused?: Pause | undefined;
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
  /** AE title that sent its first image, where that is known. */
  readonly sender?: string | undefined;
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

/** One event for one hook, in a worker's hands until its lease ends. */
export interface DeliveryWork {
  /** Of this delivery. */
  readonly id: string;
  readonly token: string;
  /** The same for every repeat, and for every hook: receivers drop events that they know. */
  readonly event: string;
  readonly hook: string;
  readonly kind: HookEvent;
  /** A series' Orthanc id, or of `complete` a session's. */
  readonly subject: string;
  /** Of the series or session, for the log. */
  readonly accession?: string | undefined;
  /** Destination, of `forwarded` and `failed`; `storage` where storing failed. */
  readonly target: string | undefined;
  readonly increment: number;
  /** Of `failed`. */
  readonly cause: Reason | undefined;
  readonly created: Millis;
  /** Failures in a row so far. */
  readonly attempts: number;
}

export interface DeliveryView
  extends
    Omit<DeliveryWork, 'id' | 'token' | 'subject' | 'cause'>,
    Pick<LegView, 'state' | 'nextTry' | 'failure'> {
  readonly output: string;
  readonly updated: Millis;
}

export interface SessionView {
  readonly id: string;
  readonly firstSeen: Millis;
  readonly updated: Millis;
  /** When the streamer looks at it next; null: it was reported as complete, and nothing came since. */
  readonly due: Millis | null;
  /** How many times it was reported as complete. */
  readonly increment: number;
  readonly digest: string | undefined;
  /** Of its report, by the name that the store gives it; once chosen it stays. */
  readonly folder: string | undefined;
  readonly failure: Reason | undefined;
  readonly series: readonly SeriesView[];
}
