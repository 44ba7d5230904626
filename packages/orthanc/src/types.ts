/** What the steps need from Orthanc. */
import type { Attributes } from '../store/place/route.ts';

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
  /** Other bytes that were sent again under its UIDs, kept beside its own: 1 for the first of them. Absent: its own file. */
  readonly version?: number;
  /** Another one where other bytes took this instance's place. */
  readonly fileUuid: string;
  readonly bytes: number;
  readonly tags: Attributes;
  /** The series of Orthanc's that it is in, where that was joined with another. */
  readonly series?: string;
}

/** One of the files that Orthanc has of an instance. */
export type FileOfInstance = Pick<InstanceListing, 'id' | 'version'>;

export interface SeriesListing {
  readonly id: string;
  /** Series Instance UID. */
  readonly uid: string;
  readonly instances: readonly string[];
}

export interface InstanceBody {
  /** Content-Length. */
  readonly bytes: number;
  /** What Orthanc computed when it received the instance; undefined where it keeps none. */
  readonly md5: string | undefined;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** Where an instance came from, as far as Orthanc noted it. */
export interface Origin {
  /** UTC. */
  readonly received?: string;
  /** AE title of who sent it. */
  readonly from?: string;
  /** AE title that was called. */
  readonly called?: string;
  /** Of who sent it. */
  readonly address?: string;
  /** It came through the HTTP interface of Orthanc. */
  readonly uploaded?: boolean;
}

/** What was noted on a series in Orthanc. */
export interface Notes {
  /** JSON: what a person decided of it. */
  readonly decision?: string;
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
  readonly instance: (instance: string, signal: AbortSignal) => Promise<InstanceListing>;
  /** Deletes one instance; the last of a series takes that with it. */
  readonly remove: (instance: string, signal: AbortSignal) => Promise<void>;
  /** Each instance's own file, and every version that was sent again with other bytes. */
  readonly instances: (series: string, signal: AbortSignal) => Promise<readonly InstanceListing[]>;
  /** Versions of one instance that are kept beside its own file. */
  readonly versions: (instance: string, signal: AbortSignal) => Promise<readonly FileOfInstance[]>;
  /** Whether an instance of the series has such versions, or may have. */
  readonly hasVersions: (series: string, signal: AbortSignal) => Promise<boolean>;
  /** Attributes that Orthanc keeps in its database of the series and its study, the way it decoded them. */
  readonly seriesTags: (series: string, signal: AbortSignal) => Promise<Attributes>;
  readonly origin: (instance: string, series: string, signal: AbortSignal) => Promise<Origin>;
  readonly notes: (series: string, signal: AbortSignal) => Promise<Notes>;
  /** Keeps what a person decided on the series itself, where a ledger that is lost does not lose it. */
  readonly noteDecision: (series: string, decision: string, signal: AbortSignal) => Promise<void>;
  /**
   * Says on the series since when it is being deleted (an instant), or that it no longer is. What is sent again meanwhile is
   * not acknowledged: see docs/decisions/0017-who-receives.md.
   */
  readonly noteLeaving: (series: string, since: string | undefined, signal: AbortSignal) => Promise<void>;
  readonly open: (file: FileOfInstance, signal: AbortSignal) => Promise<InstanceBody>;
  /** The instance in another transfer syntax, under its own UID. Throws TRANSCODE_FAILED where Orthanc cannot. */
  readonly transcode: (
    instance: string,
    transferSyntax: string,
    signal: AbortSignal,
  ) => Promise<InstanceBody>;
}
