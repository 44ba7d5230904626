/** One part of a STOW-RS request: a stored file as it is, or with edits made while it is read. */
import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import {
  applyEdits,
  DicomDecodeError,
  encodePart10,
  fileEnd,
  readFileHeader,
  type Edit,
  type Part10Header,
} from '@scanflow/dicom';
import type { StoreItem } from '@scanflow/dimse';
import { type Failure, FailureError, codeOf, permanent, transient } from '@scanflow/failure';

export interface Part {
  readonly id: string;
  readonly sopInstanceUid: string;
  /** Bytes as they are sent. */
  readonly length: number;
  /** Throws FailureError: FILE_UNREADABLE; FILE_CHANGED before the last bytes are given. May be read again. */
  readonly chunks: () => AsyncGenerator<Uint8Array>;
}

/** Read at a time. */
const CHUNK = 262_144;

const broken = (why: string): Failure => permanent('DICOM_BROKEN', `This is no complete DICOM file: ${why}.`);
const changed = (why: string): Failure =>
  permanent('FILE_CHANGED', `The file is not what it was: ${why}. Check where it came from.`);

/** Missing and forbidden files stay so until someone acts; the rest (EIO, ESTALE, EMFILE) may pass. */
function unreadable(error: unknown): FailureError {
  if (error instanceof FailureError) return error;
  const code = codeOf(error) ?? 'unknown error';
  const lasting = ['ENOENT', 'EACCES', 'EPERM', 'EISDIR', 'ENOTDIR'].includes(code);
  const message = `The file cannot be read: ${code}. Check that it exists and may be read.`;
  return new FailureError((lasting ? permanent : transient)('FILE_UNREADABLE', message), error);
}

/** Something whose bytes are read by their place. */
interface Source {
  readonly size: number;
  /** Gives fewer bytes only at the end. */
  read(position: number, length: number): Promise<Buffer>;
  close(): Promise<void>;
}

/** Looks at the item's head. Throws FailureError where it cannot be sent. */
export async function openPart(item: StoreItem): Promise<Part> {
  const source = await sourceOf(item);
  try {
    for (let wanted = CHUNK; ;) {
      const head = await source.read(0, wanted);
      const seen = examine(item, head, source.size);
      if (typeof seen !== 'number') {
        await requireWhole(seen.header, head, source, item);
        return { id: item.id, ...seen, chunks: () => read(item, seen) };
      }
      if (head.length === source.size) throw new FailureError(broken('it ends too early'));
      wanted = Math.max(seen, 2 * head.length);
    }
  } catch (error) {
    if (error instanceof DicomDecodeError) throw new FailureError(broken(error.code), error);
    throw error;
  } finally {
    await source.close();
  }
}

/** A file that was cut would fail a request with all of its images. */
async function requireWhole(
  header: Part10Header,
  head: Buffer,
  source: Source,
  { open: inOrder }: StoreItem,
): Promise<void> {
  const end = await fileEnd(header, source.size, (offset, length) => {
    if (offset + length <= head.length) return head.subarray(offset);
    return inOrder === undefined ? source.read(offset, length) : undefined;
  });
  if (end.kind === 'broken') throw new FailureError(broken(end.why));
}

interface Seen {
  readonly header: Part10Header;
  readonly sopInstanceUid: string;
  readonly length: number;
  readonly size: number;
  /** Edits are within these first bytes. */
  readonly head: number;
  readonly edits: readonly Edit[];
  /** Goes before the file's bytes. */
  readonly prefix: Uint8Array;
}

/** How many bytes it takes, where these do not show enough. */
function examine(item: StoreItem, head: Buffer, size: number): Seen | number {
  const header = readFileHeader(head, size);
  if ('needMore' in header) return header.atLeast;
  const { sopInstanceUid } = header;
  if (sopInstanceUid === '') throw new FailureError(broken('SOP instance UID is missing'));
  const look = item.look?.({ head, complete: head.length === size, size }) ?? { edits: [] };
  if ('failure' in look) throw new FailureError(look.failure);
  if ('needMore' in look) return look.needMore;
  const { edits } = look;
  const grown = edits.reduce((sum, { insert, remove }) => sum + insert.length - remove, 0);
  const prefix = prefixOf(header);
  const length = prefix.length + size + grown;
  return { header, sopInstanceUid, length, size, head: edits.length === 0 ? 0 : head.length, edits, prefix };
}

/** What is sent as application/dicom has file meta information (PS3.10 7.1): a data set alone is given its own. */
function prefixOf(header: Part10Header): Uint8Array {
  if (header.meta.size === 0) return encodePart10(new Map(), header);
  if (header.meta.has(TRANSFER_SYNTAX)) return new Uint8Array();
  throw new FailureError(broken('its file meta information names no transfer syntax'));
}

const TRANSFER_SYNTAX = 0x00020010;

async function* read(item: StoreItem, { size, head, edits, prefix }: Seen): AsyncGenerator<Uint8Array> {
  const source = await sourceOf(item);
  const hash = item.sha256 === undefined ? undefined : createHash('sha256');
  try {
    if (source.size !== size) throw new FailureError(changed('its length is another'));
    if (prefix.length > 0) yield prefix;
    for (let at = 0; at < size;) {
      const chunk = await source.read(at, at === 0 ? Math.max(head, CHUNK) : CHUNK);
      if (chunk.length === 0) throw new FailureError(changed('it has become shorter'));
      const edited = at === 0 && edits.length > 0 ? applyEdits(chunk, edits) : chunk;
      at += chunk.length;
      hash?.update(chunk);
      if (at >= size && hash !== undefined && hash.digest('hex') !== item.sha256?.toLowerCase())
        throw new FailureError(changed('its SHA-256 is another'));
      yield edited;
    }
  } finally {
    await source.close();
  }
}

async function sourceOf({ path, bytes, open: openIt }: StoreItem): Promise<Source> {
  if (bytes !== undefined)
    return {
      size: bytes.length,
      read: (position, length) => Promise.resolve(Buffer.from(bytes.subarray(position, position + length))),
      close: () => Promise.resolve(),
    };
  if (path === undefined) {
    if (openIt === undefined)
      throw new FailureError(permanent('NO_FILE', 'The item has neither a path nor bytes.'));
    return elsewhere(await openIt());
  }
  let handle: FileHandle | undefined;
  try {
    const opened = (handle = await open(path, 'r'));
    const { size } = await opened.stat();
    return {
      size,
      read: (position, length) =>
        fill(opened, Buffer.allocUnsafe(Math.min(length, size - position)), position),
      close: () => opened.close().catch(() => undefined),
    };
  } catch (error) {
    await handle?.close();
    throw unreadable(error);
  }
}

function elsewhere(file: Awaited<ReturnType<NonNullable<StoreItem['open']>>>): Source {
  return {
    size: file.size,
    read: async (position, length) => {
      const buffer = Buffer.allocUnsafe(Math.min(length, file.size - position));
      return buffer.subarray(0, await file.read(buffer, buffer.length, position));
    },
    close: () => {
      file.close();
      return Promise.resolve();
    },
  };
}

async function fill(handle: FileHandle, buffer: Buffer, position: number): Promise<Buffer> {
  let filled = 0;
  try {
    while (filled < buffer.length) {
      const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, position + filled);
      if (bytesRead === 0) throw new FailureError(changed('it has become shorter'));
      filled += bytesRead;
    }
  } catch (error) {
    throw unreadable(error);
  }
  return buffer;
}
