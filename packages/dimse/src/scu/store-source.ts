/** The files of a C-STORE: their heads read first, their bytes read ahead later. They are never altered. */
import { createHash, type Hash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { DicomDecodeError, readPart10Header, transferSyntaxes } from '@scanflow/dicom';
import { DimseError, permanent, transient } from '../failure.ts';

/** A Part 10 file to be sent, on disk or in memory. */
export interface StoreItem {
  /** The caller's own; comes back in the outcome. */
  readonly id: string;
  readonly path?: string;
  readonly bytes?: Uint8Array;
  /** Of the whole file, in hexadecimal. Where it does not fit, the instance is not completed at the peer. */
  readonly sha256?: string;
}

/** What must be known of a file before it is sent. */
export interface Instance {
  readonly item: StoreItem;
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntax: string;
  readonly dataSetOffset: number;
  /** Bytes of the whole file. */
  readonly size: number;
}

const HEAD = 4_096;
/** Deflated transfer syntaxes: their stream is padded to an even length by one NUL (PS3.5 A.5). */
const DEFLATED = [transferSyntaxes.deflatedExplicitVRLittleEndian, '1.2.840.10008.1.2.4.95'];

interface Bytes {
  readonly size: number;
  /** Fewer bytes than asked for only at the end. Reads into `buffer` where one is given and needed. */
  read(offset: number, length: number, buffer?: Buffer): Promise<Uint8Array>;
  close(): Promise<void>;
}

async function openBytes(item: StoreItem): Promise<Bytes> {
  const { bytes, path } = item;
  if (bytes !== undefined) {
    const read = (offset: number, length: number): Promise<Uint8Array> =>
      Promise.resolve(bytes.subarray(offset, offset + length));
    return { size: bytes.length, read, close: () => Promise.resolve() };
  }
  if (path === undefined)
    throw new DimseError(permanent('NO_FILE', 'The item has neither a path nor bytes.'));
  try {
    const handle = await open(path, 'r');
    const { size } = await handle.stat();
    return {
      size,
      read: (offset, length, buffer) =>
        readFully(handle, offset, buffer ?? Buffer.allocUnsafe(length), length),
      close: () => handle.close(),
    };
  } catch (error) {
    throw unreadable(error);
  }
}

async function readFully(
  handle: FileHandle,
  offset: number,
  buffer: Buffer,
  length: number,
): Promise<Uint8Array> {
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/** Missing and forbidden files stay so until someone acts; the rest (EIO, ESTALE, EMFILE) may pass. */
function unreadable(error: unknown): DimseError {
  if (error instanceof DimseError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  const lasting = ['ENOENT', 'EACCES', 'EPERM', 'EISDIR', 'ENOTDIR'].includes(code);
  const message = `The file cannot be read: ${code}. Check that it exists and may be read.`;
  return new DimseError((lasting ? permanent : transient)('FILE_UNREADABLE', message), error);
}

/** Reads a file's head. Throws DimseError FILE_UNREADABLE or NOT_DICOM. */
export async function readInstance(item: StoreItem): Promise<Instance> {
  const bytes = await openBytes(item);
  try {
    for (let length = HEAD; ;) {
      const header = readPart10Header(await bytes.read(0, Math.min(length, bytes.size)), bytes.size);
      if (!('needMore' in header)) return instanceOf(item, header, bytes.size);
      if (length >= bytes.size) throw notDicom('it ends within its file meta information');
      length = Math.max(header.atLeast, 2 * length);
    }
  } catch (error) {
    if (error instanceof DicomDecodeError) throw notDicom(error.code);
    throw unreadable(error);
  } finally {
    await bytes.close();
  }
}

function instanceOf(item: StoreItem, header: Omit<Instance, 'item' | 'size'>, size: number): Instance {
  const { sopClassUid, sopInstanceUid, transferSyntax, dataSetOffset } = header;
  if (sopClassUid === '' || sopInstanceUid === '') throw notDicom('SOP class or instance UID is missing');
  // peers abort the association over it, at the cost of every other instance
  if ((size - dataSetOffset) % 2 !== 0 && !DEFLATED.includes(transferSyntax)) {
    throw notDicom('its data set has an odd number of bytes');
  }
  return { item, size, sopClassUid, sopInstanceUid, transferSyntax, dataSetOffset };
}

const notDicom = (why: string): DimseError =>
  new DimseError(permanent('NOT_DICOM', `This is no complete DICOM file: ${why}.`));

const changed = (why: string): DimseError =>
  new DimseError(permanent('FILE_CHANGED', `The file is not what it was: ${why}. Check where it came from.`));

/** A stretch of the data set. `last`: the whole file has been read and is what it should be. */
export interface Stretch {
  readonly data: Uint8Array;
  readonly last: boolean;
}

/**
 * Reads one instance's data set from front to back, hashing the whole file on the way. A large file is read into two
 * buffers by turns: a stretch may be used until the next but one is asked for.
 */
export class InstanceReader {
  readonly #instance: Instance;
  readonly #stretchBytes: number;
  readonly #hash: Hash | undefined;
  readonly #buffers: Buffer[] = [];
  #bytes: Bytes | undefined;
  #at = 0;

  /** `stretchBytes`: length of each stretch but the last; even. */
  constructor(instance: Instance, stretchBytes: number) {
    this.#instance = instance;
    this.#stretchBytes = stretchBytes;
    this.#hash = instance.item.sha256 === undefined ? undefined : createHash('sha256');
  }

  /**
   * The next stretch. Throws DimseError, FILE_CHANGED before the last one is given out when size or hash do not fit,
   * FILE_UNREADABLE.
   */
  async next(): Promise<Stretch> {
    const { size, dataSetOffset } = this.#instance;
    this.#bytes ??= await openBytes(this.#instance.item);
    if (this.#bytes.size !== size) throw changed('its size is another');
    const head = this.#at === 0 ? dataSetOffset : 0;
    const wanted = Math.min(head + this.#stretchBytes, size - this.#at);
    const read = await this.#read(this.#bytes, wanted);
    this.#at += wanted;
    const last = this.#at === size;
    if (last) this.#checkHash();
    const data = read.subarray(head);
    return { data: last && data.length % 2 !== 0 ? Buffer.concat([data, Buffer.alloc(1)]) : data, last };
  }

  async close(): Promise<void> {
    await this.#bytes?.close();
    this.#bytes = undefined;
  }

  async #read(bytes: Bytes, length: number): Promise<Uint8Array> {
    let data: Uint8Array;
    try {
      data = await bytes.read(this.#at, length, this.#buffer(length));
    } catch (error) {
      throw unreadable(error);
    }
    if (data.length !== length) throw changed('it has become shorter');
    this.#hash?.update(data);
    return data;
  }

  /** Undefined where one read takes the rest: a buffer of that size is made for it. */
  #buffer(length: number): Buffer | undefined {
    if (this.#at === 0 && length === this.#instance.size) return undefined;
    const buffer =
      this.#buffers.length < 2 ? Buffer.allocUnsafeSlow(this.#bufferBytes) : this.#buffers.shift();
    if (buffer !== undefined) this.#buffers.push(buffer);
    return buffer;
  }

  /** The first read takes the file meta information along. */
  get #bufferBytes(): number {
    return this.#stretchBytes + (this.#at === 0 ? this.#instance.dataSetOffset : 0);
  }

  #checkHash(): void {
    const { sha256 } = this.#instance.item;
    if (this.#hash !== undefined && this.#hash.digest('hex') !== sha256?.toLowerCase()) {
      throw changed('its SHA-256 is another');
    }
  }
}
