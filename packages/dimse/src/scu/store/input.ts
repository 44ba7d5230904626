/** What the caller of store() passes: items, options, and a gate that holds sending back. */
import type { Stats } from 'node:fs';
import type { Edit, Part10Header } from '@scanflow/dicom/file';
import type { Failure } from '@scanflow/failure';
import type { DimseLog } from '../../log.ts';
import type { OpenFile } from './file.ts';

/** A file's first bytes, for StoreItem.look. They are only lent: copy what you keep. */
export interface LookedAt {
  readonly head: Uint8Array;
  /** The head is the whole file. */
  readonly complete: boolean;
  /** Bytes of the whole file. */
  readonly size: number;
  /** What readFileHeader() gave of it, where that is known already. */
  readonly header?: Part10Header;
  /** Of a file that was opened by its path, as it was then. */
  readonly stat?: Stats | undefined;
}

/**
 * What the caller makes of the first bytes. `edits` (planSplice's; all of them within the head) are carried out while
 * the file is sent: none leave it as it is. `needMore`: call again with at least so many bytes. `failure`: it is not
 * sent.
 */
export type Look =
  { readonly edits: readonly Edit[] } | { readonly needMore: number } | { readonly failure: Failure };

/** A Part 10 file to be sent: on disk, in memory, or elsewhere. */
export interface StoreItem {
  /** The caller's own; comes back in the outcome. */
  readonly id: string;
  readonly path?: string;
  readonly bytes?: Uint8Array;
  /**
   * Opens it where it is neither on disk nor in memory, only when its turn has come. An error that carries a `failure` is
   * the file's. Several may be open at a time with only their first 256 KiB read.
   */
  readonly open?: () => Promise<OpenFile>;
  /** Of the whole file as it is there, in hexadecimal. Where it does not fit, the instance is not completed at the peer. */
  readonly sha256?: string;
  /** Is shown the file's first bytes before it is sent. What it throws counts as a failure of this file. */
  readonly look?: (file: LookedAt) => Look;
}

/** Holds sending back: what it waits for is waited for between images, and within large ones. */
export interface StoreGate {
  /** Asked before each image. False: neither it nor what comes after it is sent; they fail with SEND_HELD. */
  readonly admits: () => Promise<boolean>;
  /** Asked before each piece of an image: 256 KiB of a file, all of what is in memory already. */
  readonly passes: (bytes: number) => Promise<void>;
}

export interface StoreOptions {
  /** Aborts the associations; what was not sent fails with CANCELLED. */
  readonly signal?: AbortSignal;
  readonly log?: DimseLog;
  /** Associations side by side. Default 1; a peer that takes fewer is served by those that it takes. */
  readonly associations?: number;
  /** Requests under way at once on each, where the peer grants it (PS3.7 D.3.3.3). Default 8; 1 asks for nothing. */
  readonly operations?: number;
  /**
   * Files are read without the thread pool: several times faster from a disk or the cache. Nothing else happens in the
   * process while a piece is read (272 KiB at most). For a process that does nothing but send.
   */
  readonly inPlace?: boolean;
  /** Shared by all associations; so may several calls share one. */
  readonly gate?: StoreGate | undefined;
}
