/** What the ledger takes and gives: series, legs and their work. */
import type { Labels } from '@scanflow/booking';
import type { Failure } from '@scanflow/failure';
import type { Decision } from '../model/decision.ts';
import type { Warning } from '../completeness/warnings.ts';
import type { Doubt } from '../store/place/evidence.ts';
import type { Moved, MoveOrder } from '../move/plan.ts';
import type { Attributes } from '../store/place/route.ts';
import type { Reason } from '../model/series.ts';
import type { LegState, SeriesState } from '../model/series.ts';
import type { VerificationView } from '../verify/types.ts';
import type { Claim, Millis } from './claim.ts';

/** What the first image of each series says. */
export type FirstImages = ReadonlyMap<string, Attributes>;

export interface Cursor {
  readonly seq: number;
  readonly database: string | undefined;
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
  /** Transfer syntax of the transcoded copy, where one was sent instead of the stored file. */
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
  /** Of those sent: transcoded copies, sent instead of the stored files. */
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
