/** What the steps need from project storage. */
import type { Labels } from '@scanflow/booking';
import type { InstanceBody } from '@scanflow/orthanc';
import type { ImageCounts } from '../completeness/counts.ts';
import type { Warning, Doubt, Reason, Attributes } from '../model/series.ts';
import type { Decision, Moved } from '../model/decision.ts';
import type { Joined, RecordedTraits } from '../joining/rule.ts';
import type { TagText } from '@scanflow/dicom';

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
  /** The same SOP Instance UID is there with other bytes, as this file. */
  readonly differsFrom?: string;
  /** It was sent again under UIDs that Orthanc had: 1 for the first time. */
  readonly version?: number;
  /** FileUuid of further files of the instance that this one stands for: the same bytes, or a damaged copy that it mends. */
  readonly also?: readonly string[];
  readonly increment: number;
  /** The series of Orthanc's that it came in, where that was joined with another. */
  readonly series?: string;
  /** What it says of how many images there should be. */
  readonly counts?: ImageCounts;
}

/** The booking that the series was routed by, as its record says. */
export interface RecordedBooking {
  readonly accessionNumber: string;
  readonly studyInstanceUid: string;
  readonly status: string;
  readonly scanner: string;
  /** UTC instants. */
  readonly start: string;
  readonly end: string;
  readonly calendar: string;
  readonly event: string;
  /** Who booked. */
  readonly operator?: string;
}

/** Where it all came from, and through what it went. */
export interface Provenance {
  /** Versions of what handled the series last. */
  readonly scanflow: string;
  readonly orthanc?: string;
  /** DatabaseServerIdentifier; absent where Orthanc has none. */
  readonly orthancDatabase?: string;
  /** When the streamer first pulled something of it. */
  readonly begun: string;
  readonly increments: readonly {
    readonly increment: number;
    readonly images: number;
    readonly bytes: number;
    /** Of the first of its images, as Orthanc noted it: when it came (UTC), from which AE title and address, calling which. */
    readonly received?: string;
    readonly from?: string;
    readonly called?: string;
    readonly address?: string;
    /** It came through the HTTP interface of Orthanc. */
    readonly uploaded?: boolean;
    readonly stored: string;
  }[];
}

/** `series.tar`. */
export interface ArchiveFile {
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** `tag` in `series.json`, whose time is when the series was first pulled; absent where the series is not tagged. */
export interface TagRecord extends TagText {
  /** Absent: stored+forwarded. */
  readonly apply?: 'forwarded';
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
  /** Weak signs against the booking by which it was routed. */
  readonly doubts?: readonly Doubt[];
  /** By which a person gave it its labels. */
  readonly decision?: Decision;
  /** Where it was before, and why it is not there any more. */
  readonly moved?: readonly Moved[];
  /** It was moved to there, and this folder was kept. */
  readonly movedTo?: string;
  /** What its images are tagged with; absent: they are not. */
  readonly tag?: TagRecord;
  readonly counts: {
    readonly inOrthanc: number;
    readonly stored: number;
    readonly untagged: number;
    readonly failed: number;
    /** Images that were stored before, of which neither files nor an entry of the record are left. */
    readonly lost?: number;
  };
  readonly failures: readonly {
    readonly orthancId: string;
    /** Of an image that is missing. */
    readonly file?: string;
    readonly code: string;
    readonly message: string;
  }[];
  /** What a person should look at: images that seem to be missing. */
  readonly warnings?: readonly Warning[];
  /** Under which UIDs it came, where these were several. */
  readonly joined?: Joined;
  /** By what a further part of it is known, where it came under one UID so far and series are joined. */
  readonly joinable?: RecordedTraits;
  readonly booking?: RecordedBooking;
  readonly provenance?: Provenance;
  readonly archive?: ArchiveFile;
  readonly instances: readonly StoredInstance[];
  /** Images that were stored, whose files are missing, and that Orthanc has no longer. They are no part of `instances`. */
  readonly missing?: readonly StoredInstance[];
  /** What the last verification found, where that has changed since the record was written first. */
  readonly verification?: RecordedVerification;
  readonly updated?: string;
}

export interface RecordedVerification {
  readonly outcome: 'good' | 'failed';
  readonly code?: string;
  /** The first of the files that are not what was stored. */
  readonly files?: readonly string[];
  readonly acknowledged?: { readonly by: string; readonly at: string; readonly reason: string };
  /** When it became so. */
  readonly since?: string;
}

/** A series' folder, claimed. */
export interface Folder {
  /** Absolute. */
  readonly path: string;
  /** Its name in the ledger: below the main root, with `/`; in full below the root of some projects. */
  readonly below: string;
  readonly record: SeriesRecord;
}

export interface ImageFile {
  readonly write: (chunk: Uint8Array) => Promise<void>;
  /** Flushes and publishes; `name` gets a suffix where it is taken by other bytes, or throws STORE_COLLISION. */
  publish(name: string): Promise<{ file: string; sha256: string; bytes: number }>;
  /** Removes what was written, unless it was published. */
  readonly discard: () => Promise<void>;
}

/** A series' folder, met while all of project storage is looked at. */
export interface RecordedSeries {
  /** Its name in the ledger. */
  readonly below: string;
  readonly record: SeriesRecord;
  /** Files that the record names and that are not there with their size. */
  readonly missing: number;
}
/** A file as it was stored. */
export type StoredFile = Pick<StoredInstance, 'file' | 'sha256' | 'bytes'>;
/** `unreadable`: it is there, and the system does not let it be read. */
export type FileState = 'good' | 'missing' | 'changed' | 'unreadable';

/** A file that should be in a folder; without `bytes`, of any size. */
export interface ExpectedFile {
  readonly file: string;
  readonly bytes?: number;
}

/** Of a root, in bytes. */
export interface LowSpace {
  readonly root: string;
  readonly free: number;
  readonly floor: number;
}

/** Whether a root is the one that the ledger knows. */
export interface RootGuard {
  /** To be asked before something is read or written there. Throws STORE_ROOT_EMPTY, _OTHER, _IN_USE, _OLDER, _MISSING. */
  readonly ready: (root: string) => Promise<void>;
  /** A record was written there: from here on, a copy of the root from before is older than the ledger. */
  readonly written: (root: string) => Promise<void>;
}

/** Throws where the series is another's by now: LEDGER_LEASE_LOST. */
export type StillOurs = () => Promise<void>;

/**
 * Project storage has no lease of its own. What is written anew (`series.json`, the manifest, the archive) asks
 * `stillOurs` when it lies there under a name aside, right before it takes its place; who has the series next begins by
 * removing what lies aside. So whoever lost the series meanwhile, however long it was stopped and wherever, is refused or
 * finds nothing to put there.
 */
export interface Store {
  /** Gives the series its folder; `fresh` is the record that claims it where nobody has yet. Without `root`, the main one. Throws STORE_COLLISION. */
  readonly claim: (names: readonly string[], fresh: SeriesRecord, root?: string) => Promise<Folder>;
  /** The folder that a series claimed before; undefined where it is no longer there. Throws STORE_OUTSIDE_ROOT. */
  readonly reopen: (below: string, orthancSeries: string) => Promise<Folder | undefined>;
  /**
   * A file for an image of about so many bytes. Throws STORE_SPACE_FLOOR where too little would be left free, at once or
   * while it is written.
   */
  readonly create: (folder: Folder, bytes: number) => Promise<ImageFile>;
  /** Makes published names durable. Throws STORE_OUTSIDE_ROOT where a link took the folder's place meanwhile. */
  readonly flush: (folder: Folder) => Promise<void>;
  /** Throws STORE_SPACE_FLOOR where that many bytes more would leave too little free. */
  readonly requireSpace: (folder: Folder, bytes: number) => Promise<void>;
  /** Roots that have less free than they should; none where the configuration asks for nothing. */
  readonly lowOnSpace: () => Promise<readonly LowSpace[]>;
  /** Writes `series.tar`. Throws STORE_FILE_CHANGED, STORE_NAME_TAKEN, STORE_SPACE_FLOOR. */
  readonly archive: (folder: Folder, record: SeriesRecord, stillOurs: StillOurs) => Promise<ArchiveFile>;
  readonly writeManifest: (folder: Folder, record: SeriesRecord, stillOurs: StillOurs) => Promise<void>;
  readonly writeRecord: (folder: Folder, record: SeriesRecord, stillOurs: StillOurs) => Promise<void>;
  /**
   * Writes a file of ours into a folder above those of series, named as in the ledger; where that is empty or a root
   * itself, into `scanflow-reports` of the main root. Gives the folder's name.
   */
  writeReport(below: string, file: string, text: string): Promise<string>;
  /**
   * Those that are not there as files of their sizes: all of them where the folder is not there. They are not read. Throws
   * STORE_OUTSIDE_ROOT where a link leads out of the root.
   */
  readonly absent: <E extends ExpectedFile>(below: string, expected: readonly E[]) => Promise<ReadonlySet<E>>;
  /** Absolute path of a stored image. */
  pathOf(below: string, file: string): string;
  /** Reads a stored image once more: whether it is there, and what was stored. */
  readonly holds: (
    below: string,
    image: Pick<StoredInstance, 'file' | 'sha256' | 'bytes'>,
  ) => Promise<boolean>;
  readonly record: (below: string) => Promise<SeriesRecord | undefined>;
  /**
   * Takes away what Scanflow wrote into the folder of this series, changed or not, and the folders that are empty then.
   * Names of what stays; undefined where the folder is not of this series.
   */
  readonly remove: (below: string, orthancSeries: string) => Promise<readonly string[] | undefined>;
  /** Takes away the reports of a session in a folder, named as writeReport gave it. How many files. */
  readonly removeReports: (below: string, session: string) => Promise<number>;
  /** Every series' folder below every root, one by one; links are not followed. Throws STORE_ROOT_MISSING. */
  recorded(signal: AbortSignal): AsyncIterable<RecordedSeries>;
  /** A stored image, to be read once more. */
  open(below: string, image: Pick<StoredInstance, 'file' | 'bytes'>): InstanceBody;
  /**
   * What Scanflow wrote into the folder of a series goes, with the folders that are empty then. Names of what stays: files of
   * others, and those of ours that are no longer what was stored.
   */
  readonly leave: (below: string, series: string, stillOurs: StillOurs) => Promise<readonly string[]>;
  /** A report of the session's, written there before; nothing where it is gone. */
  readonly removeReport: (below: string, file: string) => Promise<void>;
  /** Whether a folder of these names is this series' already; without `root`, below the main one. */
  readonly isAt: (names: readonly string[], series: string, root?: string) => Promise<boolean>;
  /** The names under which claim() would put this series now. Writes nothing. */
  readonly nextNames: (names: readonly string[], series: string, root?: string) => Promise<readonly string[]>;
  /** What a person decided of the series, as project storage keeps it. */
  readonly decision: (series: string) => Promise<Decision | undefined>;
  readonly keepDecision: (series: string, decision: Decision) => Promise<void>;
  /** Every decision that is kept, by series. */
  readonly decisions: () => Promise<ReadonlyMap<string, Decision>>;
  readonly dropDecision: (series: string) => Promise<void>;
  /**
   * Reads a stored file in pieces, each of which `passes` lets pass. Throws what concerns more than this file.
   */
  readonly examine: (
    below: string,
    file: StoredFile,
    passes: (bytes: number) => Promise<void>,
  ) => Promise<FileState>;
  /** Throws where nothing can be said of what is below the folder's root: STORE_ROOT_MISSING, STORE_ROOT_EMPTY. */
  readonly requireRoot: (below: string) => Promise<void>;
  /** The bytes of a stored file, as they are. */
  readonly read: (below: string, file: string) => Promise<AsyncIterable<Uint8Array>>;
  /** A file that is no longer what was stored gets another name beside its own. Gives that name. */
  readonly setAside: (folder: Folder, file: string) => Promise<string>;
}
