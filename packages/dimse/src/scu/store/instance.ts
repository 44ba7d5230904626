/**
 * A file that is ready to be sent. To open it reads its head, calls the caller's look, and checks where the file ends.
 * Its first bytes are held until they leave; the rest is read then. Never altered.
 */
import type { Hash } from 'node:crypto';
import type { Stats } from 'node:fs';
import {
  DicomDecodeError,
  fileEnd,
  readFileHeader,
  transferSyntaxes,
  applyEdits,
  type Edit,
  type Part10Header,
} from '@scanflow/dicom/file';
import { FailureError, permanent } from '@scanflow/failure';
import { SLOT, changed, openFile, unreadable, type Buffers, type OpenFile } from './file.ts';
import type { StoreItem } from './order.ts';

/** Deflated transfer syntaxes: their stream is padded to an even length by one NUL (PS3.5 A.5). */
const DEFLATED = [
  transferSyntaxes.deflatedExplicitVRLittleEndian,
  '1.2.840.10008.1.2.4.95',
  '1.2.840.10008.1.2.4.205',
];
/** Of a file that is held for edits all over it. */
const MOST_HELD = 67_108_864;
const NUL = Buffer.alloc(1);

/** A file with its first bytes in memory. */
interface Opened {
  readonly item: StoreItem;
  readonly file: OpenFile | undefined;
  readonly buffers: Buffers;
  readonly size: number;
  readonly stat: Stats | undefined;
  readonly head: Buffer;
  readonly filled: number;
}

/** Opens a file and reads its head. Throws FailureError: NO_FILE, FILE_UNREADABLE, FILE_CHANGED, NOT_DICOM, DICOM_BROKEN, look's own. */
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

const broken = (why: string): FailureError =>
  new FailureError(permanent('DICOM_BROKEN', `This is no complete DICOM file: ${why}.`));

const REWRITE =
  'Have it written with file meta information that names its transfer syntax, and send it again.';

/** Nothing says that it is a DICOM file, or it is one that cannot be read. */
function notDicom({ code, message }: DicomDecodeError, head: Buffer): FailureError {
  if (code === 'TRANSFER_SYNTAX')
    return new FailureError(
      permanent('DICOM_SYNTAX_UNTOLD', `This file cannot be sent: ${message}. ${REWRITE}`),
    );
  if (code !== 'NOT_PART10' || head.toString('latin1', 128, 132) === 'DICM') return broken(code);
  return new FailureError(permanent('NOT_DICOM', `This is no DICOM file: ${message}.`));
}

/** Loaded where there is something to compare: OpenSSL takes 10 ms. */
const sha256 = async (): Promise<Hash> => (await import('node:crypto')).createHash('sha256');

async function openHead(item: StoreItem, buffers: Buffers, inPlace: boolean): Promise<Opened> {
  const { bytes, path } = item;
  if (bytes !== undefined) {
    const head = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return { item, file: undefined, buffers, size: head.length, stat: undefined, head, filled: head.length };
  }
  const pending = path === undefined ? item.open?.() : openFile(path, inPlace);
  if (pending === undefined) {
    throw new FailureError(permanent('NO_FILE', 'The item has neither a path nor bytes.'));
  }
  const file = pending instanceof Promise ? await pending : pending;
  const head = buffers.forFile(file.size);
  try {
    const reading = file.read(head, Math.min(file.size, head.length), 0);
    const filled = typeof reading === 'number' ? reading : await reading;
    if (filled < Math.min(file.size, head.length)) throw changed('it has become shorter');
    const { size, stat } = file;
    if (filled < size) return { item, file, buffers, size, stat, head, filled };
    file.close();
    return { item, file: undefined, buffers, size, stat, head, filled };
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

/** The facts about it, or how many bytes of the file are needed for them. */
function examine({ item, size, stat, head, filled }: Opened): Seen | number {
  const held = head.subarray(0, filled);
  const header = readFileHeader(held, size);
  if ('needMore' in header) {
    if (filled >= size) throw broken('it ends within its file meta information');
    return header.atLeast;
  }
  if (header.sopClassUid === '' || header.sopInstanceUid === '')
    throw broken('SOP class or instance UID is missing');
  const look = item.look?.({ head: held, complete: filled === size, size, header, stat }) ?? { edits: [] };
  if ('failure' in look) throw new FailureError(look.failure);
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
  const { size, head, filled } = opened;
  const held = head.subarray(0, filled);
  const end = await fileEnd(header, size, (offset, length) => bytesAt(opened, offset, length), held);
  if (end.kind === 'broken') throw broken(end.why);
  const odd = (size - header.dataSetOffset) % 2 !== 0 && !DEFLATED.includes(header.transferSyntax);
  if (end.kind === 'unknown') {
    if (odd) throw broken('its data set has an odd number of bytes');
    return { edits, pad: 0, held: 0 };
  }
  const { pad = 0, edits: evening } = end;
  const needed = Math.max(0, ...evening.map(({ offset, remove }) => offset + remove));
  if (needed > MOST_HELD) throw broken('values of odd length stand far behind its beginning');
  // behind the last byte, where the tag may go, too
  const last: Edit[] = odd && end.pad !== undefined && filled === size ? [padAt(size, pad)] : [];
  return { edits: inOrder([...evening, ...last], edits), pad, held: needed };
}

const padAt = (offset: number, pad: number): Edit => ({ offset, remove: 0, insert: Uint8Array.of(pad) });

/** At the same place, what makes a value even comes first: it belongs to what stands before. */
const inOrder = (evening: readonly Edit[], edits: readonly Edit[]): readonly Edit[] =>
  evening.length === 0 ? edits : [...evening, ...edits].toSorted((a, b) => a.offset - b.offset);

/** Reads from `position` until the buffer is full. */
async function fill(buffer: Buffer, file: OpenFile, position: number): Promise<void> {
  let count: number;
  try {
    count = await file.read(buffer, buffer.length, position);
  } catch (error) {
    throw unreadable(error);
  }
  readWhole(buffer, count);
}

/** The same with several buffers; gives how many bytes they hold. */
async function fillAll(buffers: readonly Buffer[], file: OpenFile, position: number): Promise<number> {
  const wanted = buffers.reduce((sum, { length }) => sum + length, 0);
  let count = 0;
  try {
    if (file.scatter !== undefined) count = await file.scatter(buffers, position);
    else for (const buffer of buffers) count += await file.read(buffer, buffer.length, position + count);
  } catch (error) {
    throw unreadable(error);
  }
  if (count < wanted) throw changed('it has become shorter');
  return wanted;
}

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
  await fill(grown.subarray(filled), file, filled);
  buffers.give(head);
  return { ...opened, head: grown, filled: grown.length };
}

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
    const length = this.#edited;
    return length + (length % 2);
  }

  /** Only first() has to be sent. */
  get whole(): boolean {
    return this.#headBytes === this.#size;
  }

  /** The data set's first bytes, with the edits done. Valid until close() is called. */
  first(): Uint8Array {
    const held = this.#head?.subarray(0, this.#headBytes) ?? NUL;
    if (this.#edits.length === 0) return held.subarray(this.#dataSetOffset);
    return applyEdits(held, this.#edits).subarray(this.#dataSetOffset);
  }

  /** Bytes of the file behind those that first() gives, as far as fill() has not given them yet. */
  get left(): number {
    return this.#file === undefined ? 0 : this.#size - this.#at;
  }

  /**
   * Fills the buffers with the next bytes, no more than are left. Throws FailureError: FILE_UNREADABLE, or FILE_CHANGED
   * before the last bytes may leave if size or hash do not fit.
   */
  async fill(buffers: readonly Buffer[]): Promise<void> {
    if (this.#file === undefined) return;
    this.#at += await fillAll(buffers, this.#file, this.#at);
    for (const buffer of buffers) this.#hash?.update(buffer);
    if (this.#at === this.#size) this.#checkHash();
  }

  /** What follows the last byte, to make the length even. */
  get padding(): Uint8Array {
    return this.#edited % 2 === 0 ? NUL.subarray(1) : this.#pad;
  }

  close(): void {
    if (this.#head === undefined) return;
    this.#file?.close();
    if (this.item.bytes === undefined) this.#buffers.give(this.#head);
    this.#head = undefined;
  }

  /** Bytes of the data set with the edits done. */
  get #edited(): number {
    const grown = this.#edits.reduce((sum, { insert, remove }) => sum + insert.length - remove, 0);
    return this.#size - this.#dataSetOffset + grown;
  }

  #checkHash(): void {
    if (this.#hash !== undefined && this.#hash.digest('hex') !== this.item.sha256?.toLowerCase()) {
      throw changed('its SHA-256 is another');
    }
  }
}
