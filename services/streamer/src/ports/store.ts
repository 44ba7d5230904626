/** What the steps need from project storage. */
import type { Labels } from '@scanflow/booking';
import type { Attributes, Reason } from '../domain/route.ts';

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
