/** What the streamer's steps need from the outside: the adapters give it, tests and other databases may too. */
import type { Labels } from '@scanflow/booking';
import type { Failure } from './domain/failure.ts';
import type { Attributes, Reason } from './domain/route.ts';
import type { LegState, SeriesState } from './domain/series.ts';

/** Milliseconds since the Unix epoch. */
export type Millis = number;

// ── Orthanc ────────────────────────────────────────────────────────────────────────────────────────────

export interface SystemInfo {
  readonly version: string;
  /** DatabaseServerIdentifier, from Orthanc 1.11.1. */
  readonly database: string | undefined;
  /** What makes Orthanc delete the oldest images by itself; undefined where nothing does or it does not say. */
  readonly recycling: string | undefined;
}

export interface Change {
  readonly seq: number;
  readonly type: string;
  /** Orthanc id of the resource. */
  readonly id: string;
}

export interface ChangePage {
  readonly changes: readonly Change[];
  readonly last: number;
  readonly done: boolean;
}

export interface InstanceListing {
  readonly id: string;
  /** Another one where other bytes took this instance's place. */
  readonly fileUuid: string;
  readonly bytes: number;
  readonly tags: Attributes;
}

export interface SeriesListing {
  readonly id: string;
  readonly instances: readonly string[];
}

export interface InstanceBody {
  /** Content-Length. */
  readonly bytes: number;
  /** What Orthanc computed when it received the instance; undefined where it keeps none. */
  readonly md5: string | undefined;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** All throw Fault; what is gone is ORTHANC_GONE (permanent). */
export interface Orthanc {
  readonly system: (signal: AbortSignal) => Promise<SystemInfo>;
  readonly changes: (since: number, limit: number, signal: AbortSignal) => Promise<ChangePage>;
  readonly lastChange: (signal: AbortSignal) => Promise<number>;
  /** Series of an instance. */
  readonly parentOf: (instance: string, signal: AbortSignal) => Promise<string>;
  readonly series: (id: string, signal: AbortSignal) => Promise<SeriesListing>;
  readonly seriesPage: (
    since: number,
    limit: number,
    signal: AbortSignal,
  ) => Promise<readonly SeriesListing[]>;
  readonly instances: (series: string, signal: AbortSignal) => Promise<readonly InstanceListing[]>;
  /** Attributes that Orthanc keeps in its database of the series and its study, the way it decoded them. */
  readonly seriesTags: (series: string, signal: AbortSignal) => Promise<Attributes>;
  readonly open: (instance: string, signal: AbortSignal) => Promise<InstanceBody>;
}

// ── Ledger ─────────────────────────────────────────────────────────────────────────────────────────────

export interface Cursor {
  readonly seq: number;
  readonly database: string | undefined;
}

export interface StoreWork {
  readonly series: string;
  /** Failures in a row so far. */
  readonly attempts: number;
  readonly labels: Labels | undefined;
  /** Folder below the root, once claimed. */
  readonly path: string | undefined;
  /** Number of pulls that brought something. */
  readonly increment: number;
}

export interface ForwardWork {
  readonly series: string;
  readonly target: string;
  readonly attempts: number;
  readonly path: string;
  /** Increments up to this one have been dealt with. */
  readonly through: number;
}

/** One instance's outcome in the work on a leg; `detail` is JSON that the step itself understands. */
export interface Progress {
  readonly instance: string;
  readonly outcome: 'done' | 'failed';
  readonly detail: string;
}

export interface Binding {
  readonly attributes: Attributes;
  readonly labels: Labels | undefined;
  readonly path: string;
  readonly inOrthanc: number;
}

export interface StoreDone extends Binding {
  readonly increment: number;
  readonly stored: number;
  readonly untagged: number;
  /** digestOf() the instances that Orthanc listed. */
  readonly digest: string;
  /** The first of the instances that were given up. */
  readonly failure: Failure | undefined;
  /** Destinations that want this series. */
  readonly targets: readonly string[];
}

export interface Quarantined {
  readonly attributes: Attributes;
  readonly inOrthanc: number;
  readonly digest: string;
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
  readonly reason: Reason | undefined;
  readonly path: string | undefined;
  readonly inOrthanc: number;
  readonly stored: number;
  readonly untagged: number;
  readonly legs: readonly LegView[];
}

export interface Summary {
  readonly series: Readonly<Record<SeriesState, number>>;
  readonly legs: readonly { readonly target: string; readonly state: LegState; readonly count: number }[];
  /** When the oldest series that still has something pending was first seen. */
  readonly oldestPending: Millis | undefined;
}

/** Durable when the promise resolves. Every method is one transaction. */
export interface Ledger {
  readonly cursor: () => Promise<Cursor | undefined>;
  readonly setCursor: (cursor: Cursor) => Promise<void>;
  /** Something of these series arrived: their quiet timers start anew; the cursor advances with it. */
  readonly arrived: (cursor: Cursor, series: readonly string[], now: Millis, due: Millis) => Promise<void>;
  /** Compares with what Orthanc has; a series that is unknown or has other instances becomes due. How many did. */
  reconcile(listed: readonly { id: string; digest: string }[], now: Millis, due: Millis): Promise<number>;
  /** After the clock stepped back nothing waits longer than it was meant to. */
  readonly clampTimers: (latestDue: Millis, latestTry: Millis) => Promise<void>;

  /** The next series whose quiet timer ended, or whose storing is to be tried again. */
  readonly nextStore: (now: Millis, busy: readonly string[]) => Promise<StoreWork | undefined>;
  readonly nextForward: (
    target: string,
    now: Millis,
    busy: readonly string[],
  ) => Promise<ForwardWork | undefined>;
  /** When the next work for a target (or STORAGE) is due. */
  readonly nextTime: (target: string) => Promise<Millis | undefined>;

  /** Binds the series to its folder and labels, before the first image of this pull is written. */
  readonly bind: (series: string, binding: Binding, now: Millis) => Promise<void>;
  readonly record: (series: string, target: string, progress: readonly Progress[]) => Promise<void>;
  readonly progress: (series: string, target: string) => Promise<readonly Progress[]>;

  readonly stored: (series: string, done: StoreDone, now: Millis) => Promise<void>;
  readonly storeLater: (series: string, retry: Retry, now: Millis) => Promise<void>;
  /** Given up as a whole: nothing of it could be stored. */
  readonly storeFailed: (series: string, failure: Failure, now: Millis) => Promise<void>;
  readonly quarantine: (series: string, found: Quarantined, now: Millis) => Promise<void>;

  /**
   * Every instance of the increments up to `through` was dealt with; `failure` is that of one which was given up,
   * now or earlier. The leg stays pending where the series has grown meanwhile.
   */
  readonly forwarded: (
    series: string,
    target: string,
    through: number,
    failure: Failure | undefined,
    now: Millis,
  ) => Promise<void>;
  /** Given up as a whole: nothing more can be sent until somebody puts something right. */
  readonly forwardFailed: (series: string, target: string, failure: Failure, now: Millis) => Promise<void>;
  readonly forwardLater: (series: string, target: string, retry: Retry, now: Millis) => Promise<void>;

  quarantined(): Promise<readonly { readonly id: string; readonly attributes: Attributes }[]>;
  /** Storing is tried at once. */
  readonly release: (series: string, now: Millis) => Promise<void>;

  list(query: { readonly limit: number; readonly state?: SeriesState }): Promise<readonly SeriesView[]>;
  readonly summary: () => Promise<Summary>;
  readonly close: () => Promise<void>;
}

// ── Project storage ────────────────────────────────────────────────────────────────────────────────────

/** One image in `series.json`. */
export interface StoredInstance {
  readonly orthancId: string;
  readonly fileUuid: string;
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntax: string;
  /** Name within the folder. */
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly original: { readonly md5: string; readonly bytes: number };
  readonly tagged: boolean;
  /** Why it carries no tag. */
  readonly untagged?: Reason;
  /** The same SOP Instance UID came before with other bytes. */
  readonly differsFrom?: string;
  readonly increment: number;
}

/** `series.json`. */
export interface SeriesRecord {
  readonly version: 1;
  readonly orthancSeries: string;
  readonly seriesInstanceUid: string;
  readonly state: 'storing' | 'stored';
  readonly attributes: Attributes;
  readonly labels?: Labels;
  readonly routedBy?: string;
  readonly tag?: {
    readonly group: string;
    readonly creator: string;
    readonly element: string;
    readonly value: string;
  };
  readonly counts: {
    readonly inOrthanc: number;
    readonly stored: number;
    readonly untagged: number;
    readonly failed: number;
  };
  readonly failures: readonly {
    readonly orthancId: string;
    readonly code: string;
    readonly message: string;
  }[];
  readonly instances: readonly StoredInstance[];
  readonly updated?: string;
}

/** A series' folder, claimed. */
export interface Folder {
  /** Absolute. */
  readonly path: string;
  /** Below the root, with `/`. */
  readonly below: string;
  readonly record: SeriesRecord;
}

export interface ImageFile {
  readonly write: (chunk: Uint8Array) => Promise<void>;
  /** Flushes and publishes; `name` gets a suffix where it is taken by other bytes. */
  publish(name: string): Promise<{ file: string; sha256: string; bytes: number }>;
  /** Removes what was written, unless it was published. */
  readonly discard: () => Promise<void>;
}

export interface Store {
  /** Gives the series its folder; `fresh` is the record that claims it where nobody has yet. */
  readonly claim: (names: readonly string[], fresh: SeriesRecord) => Promise<Folder>;
  /** The folder that a series claimed before; undefined where it is no longer there. */
  readonly reopen: (below: string, orthancSeries: string) => Promise<Folder | undefined>;
  readonly create: (folder: Folder) => Promise<ImageFile>;
  /** Makes published names durable. */
  readonly flush: (folder: Folder) => Promise<void>;
  readonly writeManifest: (folder: Folder, record: SeriesRecord) => Promise<void>;
  readonly writeRecord: (folder: Folder, record: SeriesRecord) => Promise<void>;
  /** Absolute path of a stored image. */
  pathOf(below: string, file: string): string;
  readonly record: (below: string) => Promise<SeriesRecord | undefined>;
}
