/** The files of a C-STORE: their heads read first, their bytes read ahead later. They are never altered. */
import { createHash, type Hash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { DicomDecodeError, readPart10Header } from '@scanflow/dicom';
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
/** Bytes read at a time: two of them are in memory per association. */
export const CHUNK = 262_144;

interface Bytes {
  readonly size: number;
  /** Fewer bytes than asked for only at the end. */
  read(offset: number, length: number): Promise<Uint8Array>;
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
    return { size, read: (offset, length) => readFully(handle, offset, length), close: () => handle.close() };
  } catch (error) {
    throw unreadable(error);
  }
}

async function readFully(handle: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(length);
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

/** Reads one instance's data set from front to back, hashing the whole file on the way. */
export class InstanceReader {
  readonly #instance: Instance;
  readonly #hash: Hash | undefined;
  #bytes: Bytes | undefined;
  #at = 0;

  constructor(instance: Instance) {
    this.#instance = instance;
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
    for (;;) {
      const wanted = Math.min(CHUNK, size - this.#at);
      const data = await this.#read(wanted);
      const start = Math.max(0, dataSetOffset - this.#at);
      this.#at += wanted;
      const last = this.#at === size;
      if (last) this.#checkHash();
      if (last || start < data.length) return { data: data.subarray(start), last };
    }
  }

  async close(): Promise<void> {
    await this.#bytes?.close();
    this.#bytes = undefined;
  }

  async #read(length: number): Promise<Uint8Array> {
    let data: Uint8Array | undefined;
    try {
      data = await this.#bytes?.read(this.#at, length);
    } catch (error) {
      throw unreadable(error);
    }
    if (data?.length !== length) throw changed('it has become shorter');
    this.#hash?.update(data);
    return data;
  }

  #checkHash(): void {
    const { sha256 } = this.#instance.item;
    if (this.#hash !== undefined && this.#hash.digest('hex') !== sha256?.toLowerCase()) {
      throw changed('its SHA-256 is another');
    }
  }
}
