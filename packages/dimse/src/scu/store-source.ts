/** Files of a C-STORE: opened once, their first bytes held until they leave, the rest read then. Never altered. */
import type { Hash } from 'node:crypto';
import {
  applyEdits,
  DicomDecodeError,
  readFileHeader,
  transferSyntaxes,
  type Edit,
  type Part10Header,
} from '@scanflow/dicom/file';
import { DimseError, permanent, type Failure } from '../failure.ts';
import { SLOT, type Buffers } from './store-buffers.ts';
import { openFile, unreadable, type OpenFile } from './store-file.ts';

/** A file's first bytes, for StoreItem.look. They are only lent: copy what is to be kept. */
export interface LookedAt {
  readonly head: Uint8Array;
  /** The head is the whole file. */
  readonly complete: boolean;
  /** Bytes of the whole file. */
  readonly size: number;
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

/** Deflated transfer syntaxes: their stream is padded to an even length by one NUL (PS3.5 A.5). */
const DEFLATED = [transferSyntaxes.deflatedExplicitVRLittleEndian, '1.2.840.10008.1.2.4.95'];
const NUL = Buffer.alloc(1);

const broken = (why: string): DimseError =>
  new DimseError(permanent('DICOM_BROKEN', `This is no complete DICOM file: ${why}.`));

const REWRITE =
  'Have it written with file meta information that names its transfer syntax, and send it again.';

/** Nothing says that it is a DICOM file, or it is one that cannot be read. */
function notDicom({ code, message }: DicomDecodeError, head: Buffer): DimseError {
  if (code === 'TRANSFER_SYNTAX')
    return new DimseError(
      permanent('DICOM_SYNTAX_UNTOLD', `This file cannot be sent: ${message}. ${REWRITE}`),
    );
  if (code !== 'NOT_PART10' || head.toString('latin1', 128, 132) === 'DICM') return broken(code);
  return new DimseError(permanent('NOT_DICOM', `This is no DICOM file: ${message}.`));
}

const changed = (why: string): DimseError =>
  new DimseError(permanent('FILE_CHANGED', `The file is not what it was: ${why}. Check where it came from.`));

/** A file that is ready to be sent. Close it. */
export class Instance {
  readonly item: StoreItem;
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntax: string;
  readonly #file: OpenFile | undefined;
  readonly #buffers: Buffers;
  readonly #dataSetOffset: number;
  readonly #edits: readonly Edit[];
  readonly #size: number;
  readonly #hash: Hash | undefined;
  #head: Buffer | undefined;
  #headBytes: number;
  #at: number;

  constructor(
    opened: Opened,
    header: Part10Header,
    { edits, hash }: { edits: readonly Edit[]; hash: Hash | undefined },
  ) {
    this.item = opened.item;
    this.sopClassUid = header.sopClassUid;
    this.sopInstanceUid = header.sopInstanceUid;
    this.transferSyntax = header.transferSyntax;
    this.#file = opened.file;
    this.#buffers = opened.buffers;
    this.#dataSetOffset = header.dataSetOffset;
    this.#edits = edits;
    this.#size = opened.size;
    this.#head = opened.head;
    this.#headBytes = opened.filled;
    this.#at = opened.filled;
    this.#hash = hash;
    this.#hash?.update(opened.head.subarray(0, opened.filled));
    if (this.#at === this.#size) this.#checkHash();
  }

  /** Bytes of memory that it holds. */
  get held(): number {
    return this.item.bytes === undefined ? (this.#head?.length ?? 0) : 0;
  }

  /** Bytes of the data set as it is sent: even. */
  get length(): number {
    const grown = this.#edits.reduce((sum, { insert, remove }) => sum + insert.length - remove, 0);
    const length = this.#size - this.#dataSetOffset + grown;
    return length + (length % 2);
  }

  /** Nothing but first() is to be sent. */
  get whole(): boolean {
    return this.#headBytes === this.#size;
  }

  /** The data set's first bytes, with the edits done. Valid until more() or close() is called. */
  first(): Uint8Array {
    const held = this.#head?.subarray(0, this.#headBytes) ?? NUL;
    if (this.#edits.length === 0) return held.subarray(this.#dataSetOffset);
    return applyEdits(held, this.#edits).subarray(this.#dataSetOffset);
  }

  /**
   * The next bytes, into `buffer`; undefined when all has been given. Throws DimseError: FILE_UNREADABLE, or
   * FILE_CHANGED before the last bytes are given out where size or hash do not fit.
   */
  async more(buffer: Buffer): Promise<Uint8Array | undefined> {
    const wanted = Math.min(buffer.length, this.#size - this.#at);
    if (wanted === 0 || this.#file === undefined) return undefined;
    let count: number;
    try {
      count = await this.#file.read(buffer, wanted, this.#at);
    } catch (error) {
      throw unreadable(error);
    }
    if (count !== wanted) throw changed('it has become shorter');
    const data = buffer.subarray(0, count);
    this.#hash?.update(data);
    this.#at += count;
    if (this.#at === this.#size) this.#checkHash();
    return data;
  }

  /** What follows the last byte, to make the length even. */
  get padding(): Uint8Array {
    const grown = this.#edits.reduce((sum, { insert, remove }) => sum + insert.length - remove, 0);
    return (this.#size - this.#dataSetOffset + grown) % 2 === 0 ? NUL.subarray(1) : NUL;
  }

  close(): void {
    if (this.#head === undefined) return;
    this.#file?.close();
    if (this.item.bytes === undefined) this.#buffers.give(this.#head);
    this.#head = undefined;
  }

  #checkHash(): void {
    if (this.#hash !== undefined && this.#hash.digest('hex') !== this.item.sha256?.toLowerCase()) {
      throw changed('its SHA-256 is another');
    }
  }
}

/** A file with its first bytes in memory. */
interface Opened {
  readonly item: StoreItem;
  readonly file: OpenFile | undefined;
  readonly buffers: Buffers;
  readonly size: number;
  readonly head: Buffer;
  readonly filled: number;
}

/** Opens a file and reads its head. Throws DimseError: NO_FILE, FILE_UNREADABLE, FILE_CHANGED, NOT_DICOM, DICOM_BROKEN, look's own. */
export async function openInstance(item: StoreItem, buffers: Buffers, inPlace: boolean): Promise<Instance> {
  let opened = await openHead(item, buffers, inPlace);
  try {
    const hash = item.sha256 === undefined ? undefined : await sha256();
    for (;;) {
      const needed = examine(opened, hash);
      if (needed instanceof Instance) return needed;
      opened = await longer(opened, needed);
    }
  } catch (error) {
    opened.file?.close();
    if (item.bytes === undefined) buffers.give(opened.head);
    if (error instanceof DicomDecodeError) throw notDicom(error, opened.head.subarray(0, opened.filled));
    throw error;
  }
}

/** Loaded where there is something to compare: OpenSSL takes 10 ms. */
const sha256 = async (): Promise<Hash> => (await import('node:crypto')).createHash('sha256');

async function openHead(item: StoreItem, buffers: Buffers, inPlace: boolean): Promise<Opened> {
  const { bytes, path } = item;
  if (bytes !== undefined) {
    const head = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return { item, file: undefined, buffers, size: head.length, head, filled: head.length };
  }
  const pending = path === undefined ? item.open?.() : openFile(path, inPlace);
  if (pending === undefined) {
    throw new DimseError(permanent('NO_FILE', 'The item has neither a path nor bytes.'));
  }
  const file = pending instanceof Promise ? await pending : pending;
  const head = buffers.forFile(file.size);
  try {
    const reading = file.read(head, Math.min(file.size, head.length), 0);
    const filled = typeof reading === 'number' ? reading : await reading;
    if (filled < Math.min(file.size, head.length)) throw changed('it has become shorter');
    const { size } = file;
    if (filled < size) return { item, file, buffers, size, head, filled };
    file.close();
    return { item, file: undefined, buffers, size, head, filled };
  } catch (error) {
    file.close();
    buffers.give(head);
    throw unreadable(error);
  }
}

/** The instance, or how many bytes of the file must be held for it. */
function examine(opened: Opened, hash: Hash | undefined): Instance | number {
  const { item, size, head, filled } = opened;
  const held = head.subarray(0, filled);
  const header = readFileHeader(held, size);
  if ('needMore' in header) {
    if (filled >= size) throw broken('it ends within its file meta information');
    return header.atLeast;
  }
  const { sopClassUid, sopInstanceUid, transferSyntax, dataSetOffset } = header;
  if (sopClassUid === '' || sopInstanceUid === '') throw broken('SOP class or instance UID is missing');
  // peers abort the association over it, at the cost of every other instance
  if ((size - dataSetOffset) % 2 !== 0 && !DEFLATED.includes(transferSyntax)) {
    throw broken('its data set has an odd number of bytes');
  }
  const look = item.look?.({ head: held, complete: filled === size, size }) ?? { edits: [] };
  if ('failure' in look) throw new DimseError(look.failure);
  if ('edits' in look) return new Instance(opened, header, { edits: look.edits, hash });
  if (filled >= size) throw broken('it ends too early');
  return look.needMore;
}

/** The same with a longer head, in memory of its own: twice as long at least, as it is walked anew. */
async function longer(opened: Opened, needed: number): Promise<Opened> {
  const { file, buffers, size, head, filled } = opened;
  if (file === undefined) throw broken('it ends too early');
  const grown = Buffer.allocUnsafeSlow(Math.min(size, Math.max(needed, 2 * filled, SLOT)));
  head.copy(grown, 0, 0, filled);
  const rest = grown.subarray(filled);
  let count: number;
  try {
    count = await file.read(rest, rest.length, filled);
  } catch (error) {
    throw unreadable(error);
  }
  if (count < rest.length) throw changed('it has become shorter');
  buffers.give(head);
  return { ...opened, head: grown, filled: grown.length };
}
