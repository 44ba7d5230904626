/** What hooks, sessions and cleaning up need from the ledger. */
import type { Failure } from '../model/failure.ts';
import type { HookEvent } from './plan.ts';
import type { LegState, SeriesState } from '../model/series.ts';
import type { Millis } from '../ledger/claim.ts';
import type { SeriesView } from '../ledger/rows.ts';

/** What the ledger has to know of the configuration to write down, with a fact, whom it is to be told. */
export interface Followers {
  /** Names of the hooks that want this event; a session has no modality. */
  readonly hooksFor: (event: HookEvent, modality: string | undefined) => readonly string[];
  /** Whether a destination is asked to commit itself to what it was sent; default: none is. */
  readonly commits?: (destination: string) => boolean;
  /** What is stored is verified this long after, in milliseconds; default: not by itself. */
  readonly verifyEveryMs?: number | undefined;
  /** A session is looked at this long after its last news, in milliseconds. */
  readonly sessionQuietMs: number;
}

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

/** Every method is one transaction. */
export interface EventLedger {
  /** The next delivery of this hook whose time has come, none of the same subject before it waiting. */
  readonly nextDelivery: (hook: string, now: Millis) => Promise<DeliveryWork | undefined>;
  readonly nextDeliveryTime: (hook: string) => Promise<Millis | undefined>;
  /** The lease begins anew; false where another has it by now. */
  readonly renewDelivery: (work: DeliveryWork, now: Millis) => Promise<boolean>;
  readonly delivered: (work: DeliveryWork, output: string, now: Millis) => Promise<void>;
  /** Without a next try it is given up; without a failure it is laid down as if it had not begun. */
  readonly notDelivered: (
    work: DeliveryWork,
    end: {
      readonly failure: Failure | undefined;
      readonly output: string;
      readonly nextTry: Millis | undefined;
    },
    now: Millis,
  ) => Promise<void>;
  /** Of series and sessions, latest first. */
  readonly deliveries: (subjects: readonly string[]) => Promise<ReadonlyMap<string, readonly DeliveryView[]>>;
  /** Latest first. */
  readonly deliveriesIn: (
    state: LegState | undefined,
    limit: number,
  ) => Promise<readonly (DeliveryView & { readonly subject: string })[]>;
  /** What failed, or waits for its next try, is told now: all of a subject, or `hook:NAME`. Those targets. */
  readonly retryDeliveries: (
    subject: string,
    target: string | undefined,
    now: Millis,
  ) => Promise<readonly string[]>;
  /** What failed, or waits for its next try, of `hook:NAME` is given up: nothing waits for it. Those targets. */
  readonly skipDeliveries: (subject: string, target: string, now: Millis) => Promise<readonly string[]>;
  /** Forgets what was told before this moment. How many. */
  readonly prune: (before: Millis) => Promise<number>;

  /** A session whose quiet time is over, with nothing under way and nothing that waits for a person. */
  readonly nextSession: (now: Millis) => Promise<SessionView | undefined>;
  /**
   * Complete, with the hooks told of it, unless something came since it was looked at: then false, and it is looked at
   * again, also where another streamer has told it meanwhile as what it is now.
   */
  readonly sessionComplete: (
    session: SessionView,
    outcome: { readonly digest: string; readonly folder: string | undefined },
    now: Millis,
  ) => Promise<boolean>;
  readonly sessionLater: (session: string, failure: Failure, due: Millis) => Promise<void>;
  /** Latest news first. */
  readonly sessions: (limit: number) => Promise<readonly SessionView[]>;
  readonly session: (id: string) => Promise<SessionView | undefined>;

  /** At most two series whose id begins so. */
  readonly matching: (prefix: string) => Promise<readonly SeriesView[]>;
  /** Series of this Series Instance UID: several where its patient or study was corrected, and it was sent again. */
  readonly ofUid: (seriesInstanceUid: string) => Promise<readonly SeriesView[]>;
  /** Series whose quiet timer runs, the next one to end first. */
  readonly collecting: (limit: number) => Promise<readonly string[]>;
  /** All that the scanner made is there: the quiet timer ends now. */
  readonly hasten: (series: string, now: Millis) => Promise<void>;
  /** How many images the scanner made of it. Of a session that was complete already, the report is written anew. */
  readonly expect: (series: string, images: number, now: Millis) => Promise<void>;
  /** Series that were busy since, of which nobody knows how many images the scanner made; latest first. */
  readonly unexpected: (
    since: Millis,
    limit: number,
  ) => Promise<readonly { readonly id: string; readonly uid: string }[]>;

  /** Complete series, settled since before this moment, with nothing left to tell, that are still in Orthanc. */
  readonly cleanable: (settledBefore: Millis, limit: number) => Promise<readonly SeriesView[]>;
  /** Series, quiet since before this moment, that are still in Orthanc and not to be deleted from there, the oldest first. */
  readonly kept: (quietSince: Millis, limit: number) => Promise<readonly KeptSeries[]>;
  /** It is about to be deleted, and what is missing from now on is no loss. False where something came. */
  readonly cleaning: (series: string, now: Millis) => Promise<boolean>;
  /** It is no longer in Orthanc. False where something came meanwhile. */
  readonly cleaned: (series: string, now: Millis) => Promise<boolean>;
}
