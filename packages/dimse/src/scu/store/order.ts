/** What the caller of store() passes, and what becomes of each instance (PS3.7 9.1.1.1.9 and annex C, PS3.4 B.2.3). Pure. */
import { defined } from '@scanflow/failure/defined';
import type { Stats } from 'node:fs';
import { type Edit, type Part10Header, describeStatus } from '@scanflow/dicom/file';
import { type Failure, ambiguous, permanent, transient } from '@scanflow/failure';
import type { DimseLog } from '../../scp/types.ts';
import type { OpenFile } from './file.ts';
import { hex, type Command } from '../../message.ts';
import { nameOf, type Peer } from '../associate.ts';

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
   * process while a piece is read (256 KiB at most). For a process that does nothing but send.
   */
  readonly inPlace?: boolean;
  /** Shared by all associations; so may several calls share one. */
  readonly gate?: StoreGate | undefined;
}

/** What became of one instance. `sent` and `warning`: the peer has it. */
export type StoreOutcome = {
  readonly id: string;
  readonly sopInstanceUid?: string;
  /** Of the C-STORE response, where there was one. */
  readonly status?: number;
  /** The association ended while it was under way: it may be why. */
  readonly underWay?: true;
  /** What the peer does not take, where that is why. */
  readonly notNegotiated?: { readonly sopClassUid: string; readonly transferSyntax: string };
} & (
  | { readonly result: 'sent' }
  | { readonly result: 'warning'; readonly meaning: string }
  | { readonly result: 'failed'; readonly failure: Failure }
);

/** Whose outcome it is. */
export interface Subject {
  readonly item: { readonly id: string };
  readonly sopInstanceUid?: string;
  readonly sopClassUid?: string;
  readonly transferSyntax?: string;
}

export function failed(subject: Subject, failure: Failure, status?: number): StoreOutcome {
  const { item, sopInstanceUid, sopClassUid, transferSyntax } = subject;
  const refused =
    failure.code === 'NOT_NEGOTIATED' && sopClassUid !== undefined && transferSyntax !== undefined;
  return {
    id: item.id,
    ...defined({ sopInstanceUid, status }),
    ...(refused ? { notNegotiated: { sopClassUid, transferSyntax } } : {}),
    result: 'failed',
    failure,
  };
}

/** Of one that was under way when the association ended. */
export const brokenOff = (subject: Subject, failure: Failure): StoreOutcome => ({
  ...failed(subject, failure),
  underWay: true,
});

/** Of a response. */
export function answered(
  subject: Subject & { readonly sopInstanceUid: string },
  response: Command,
  peer: Peer,
): StoreOutcome {
  const { status = 0, affectedSopInstanceUid, errorComment } = response;
  const { item, sopInstanceUid } = subject;
  if (affectedSopInstanceUid !== undefined && affectedSopInstanceUid !== sopInstanceUid) {
    const message = `${nameOf(peer)} answered for another instance; nobody knows whether it has this one.`;
    return failed(subject, ambiguous('RESPONSE_MISMATCH', message), status);
  }
  const { category, meaning, transient: passes } = describeStatus('C-STORE', status);
  const known = { id: item.id, sopInstanceUid, status };
  if (category === 'success') return { ...known, result: 'sent' };
  if (category === 'warning') return { ...known, result: 'warning', meaning };
  const comment = errorComment === undefined ? '' : ` (${errorComment})`;
  const message = `${nameOf(peer)} refused the instance: ${meaning}${comment} (status ${hex(status)}).`;
  return failed(subject, (passes ? transient : permanent)('STORE_REFUSED', message), status);
}

/** The instance was sent whole and nothing came back; `why`: how the association ended. */
export const unanswered = (peer: Peer, why: string): Failure =>
  ambiguous('NO_RESPONSE', `${nameOf(peer)} may or may not have the instance: ${why}.`);

/** A presentation context that was not accepted is an outcome, never silence. */
export function notNegotiated(
  { sopClassUid, transferSyntax }: { readonly sopClassUid: string; readonly transferSyntax: string },
  peer: Peer,
  why: string,
): Failure {
  return permanent(
    'NOT_NEGOTIATED',
    `${nameOf(peer)} does not take SOP class ${sopClassUid} in transfer syntax ${transferSyntax}: ${why}.`,
  );
}
