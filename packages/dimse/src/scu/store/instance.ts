/** Files of a C-STORE: opened once, their first bytes held until they leave, the rest read then. Never altered. */
import type { Hash } from 'node:crypto';
import {
  applyEdits,
  DicomDecodeError,
  fileEnd,
  readFileHeader,
  transferSyntaxes,
  type Edit,
  type Part10Header,
} from '@scanflow/dicom/file';
import { DimseError, permanent, type Failure } from '../../failure.ts';
import { SLOT, type Buffers } from './buffers.ts';
import { openFile, unreadable, type OpenFile } from './file.ts';

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
const DEFLATED = [
  transferSyntaxes.deflatedExplicitVRLittleEndian,
  '1.2.840.10008.1.2.4.95',
  '1.2.840.10008.1.2.4.205',
];
const NUL = Buffer.alloc(1);
/** Of a file that is held for edits all over it. */
const MOST_HELD = 67_108_864;

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
  /** What an odd data set ends with. */
  readonly #pad: Buffer;
  #head: Buffer | undefined;
  #headBytes: number;
  #at: number;

  constructor(
    opened: Opened,
    header: Part10Header,
    { edits, pad, hash }: { edits: readonly Edit[]; pad: number; hash: Hash | undefined },
  ) {
    this.item = opened.item;
    this.sopClassUid = header.sopClassUid;
    this.sopInstanceUid = header.sopInstanceUid;
    this.transferSyntax = header.transferSyntax;
    this.#file = opened.file;
    this.#buffers = opened.buffers;
    this.#dataSetOffset = header.dataSetOffset;
    this.#edits = edits;
    this.#pad = pad === 0 ? NUL : Buffer.of(pad);
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
    return (this.#size - this.#dataSetOffset + grown) % 2 === 0 ? NUL.subarray(1) : this.#pad;
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
      const seen = examine(opened);
      if (typeof seen === 'number') {
        opened = await longer(opened, seen);
        continue;
      }
      const end = await endOf(opened, seen);
      if (end.held > opened.filled) opened = await longer(opened, end.held);
      else return new Instance(opened, seen.header, { edits: end.edits, pad: end.pad, hash });
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

/** What its head shows. */
interface Seen {
  readonly header: Part10Header;
  readonly edits: readonly Edit[];
}

/** What is to be known of it, or how many bytes of the file must be held for that. */
function examine({ item, size, head, filled }: Opened): Seen | number {
  const held = head.subarray(0, filled);
  const header = readFileHeader(held, size);
  if ('needMore' in header) {
    if (filled >= size) throw broken('it ends within its file meta information');
    return header.atLeast;
  }
  if (header.sopClassUid === '' || header.sopInstanceUid === '')
    throw broken('SOP class or instance UID is missing');
  const look = item.look?.({ head: held, complete: filled === size, size }) ?? { edits: [] };
  if ('failure' in look) throw new DimseError(look.failure);
  if ('edits' in look) return { header, edits: look.edits };
  if (filled >= size) throw broken('it ends too early');
  return look.needMore;
}

interface End {
  readonly edits: readonly Edit[];
  /** What makes the data set even, where it is not. */
  readonly pad: number;
  /** Bytes that must be held for the edits. */
  readonly held: number;
}

/**
 * Compares its end with the file's: over one that was cut, peers abort the association or wait, at the cost of every
 * other instance. Values of odd length become even, as the data set has to be (PS3.5 7.1.1).
 */
async function endOf(opened: Opened, { header, edits }: Seen): Promise<End> {
  const { size, filled } = opened;
  const end = await fileEnd(header, size, (offset, length) => bytesAt(opened, offset, length));
  if (end.kind === 'broken') throw broken(end.why);
  const odd = (size - header.dataSetOffset) % 2 !== 0 && !DEFLATED.includes(header.transferSyntax);
  if (end.kind === 'unknown') {
    if (odd) throw broken('its data set has an odd number of bytes');
    return { edits, pad: 0, held: 0 };
  }
  const { pad = 0, edits: evening } = end;
  const held = Math.max(0, ...evening.map(({ offset, remove }) => offset + remove));
  if (held > MOST_HELD) throw broken('values of odd length stand far behind its beginning');
  // behind the last byte, where the tag may go, too
  const last: Edit[] = odd && end.pad !== undefined && filled === size ? [padAt(size, pad)] : [];
  return { edits: inOrder([...evening, ...last], edits), pad, held };
}

const padAt = (offset: number, pad: number): Edit => ({ offset, remove: 0, insert: Uint8Array.of(pad) });

/** At the same place, what makes a value even comes first: it belongs to what stands before. */
const inOrder = (evening: readonly Edit[], edits: readonly Edit[]): readonly Edit[] =>
  evening.length === 0 ? edits : [...evening, ...edits].toSorted((a, b) => a.offset - b.offset);

/** Of a file that can be read at any place, or what is held of it. */
function bytesAt(
  { item, file, head, filled, size }: Opened,
  offset: number,
  length: number,
): Uint8Array | Promise<Uint8Array> | undefined {
  if (offset + length <= filled || filled === size) return head.subarray(offset, filled);
  // a header at the end of what is held
  if (offset + HEADER <= filled) return head.subarray(offset, filled);
  if (file === undefined || item.path === undefined) return undefined;
  const window = Buffer.allocUnsafe(Math.min(length, size - offset));
  const reading = file.read(window, window.length, offset);
  return typeof reading === 'number'
    ? readWhole(window, reading)
    : reading.then((count) => readWhole(window, count), failedToRead);
}

/** Of an element, with the longest length field (PS3.5 7.1.2). */
const HEADER = 12;

function readWhole(window: Buffer, count: number): Buffer {
  if (count < window.length) throw changed('it has become shorter');
  return window;
}

function failedToRead(error: unknown): never {
  throw unreadable(error);
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
