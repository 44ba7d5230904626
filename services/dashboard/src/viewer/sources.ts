/** Where the bytes of a file come from: a file of this machine, or an entry of a zip (APPNOTE 6.3.10), inflated no further than needed. */
import { inflate } from '@scanflow/dicom/reading';
import { viewer } from '../texts/viewer.ts';

const t = viewer.zip;

/** A zip that cannot be read, in words for people. */
export class ZipError extends Error {
  override name = 'ZipError';
}

interface ZipEntry {
  readonly name: string;
  /** Inflated, as the directory says. */
  readonly size: number;
  readonly deflated: boolean;
  /** Where its bytes lie in the zip. */
  locate(): Promise<{ readonly start: number; readonly end: number }>;
}

type Read = (start: number, end: number) => Promise<Uint8Array>;

const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
/** The end record with its longest comment, and the locator before it (4.3.15, 4.3.16). */
const TAIL = 22 + 0xffff + 20;
const MAX_DIRECTORY = 64 * 1024 * 1024;
const IN_64 = 0xffffffff;

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** Files only, in the order of the directory. Throws ZipError. */
async function zipEntries(read: Read, size: number, most: number): Promise<ZipEntry[]> {
  const { offset, length } = await findDirectory(read, size);
  if (length > MAX_DIRECTORY || offset + length > size) throw new ZipError(t.broken);
  const view = viewOf(await read(offset, offset + length));
  const entries: ZipEntry[] = [];
  for (let at = 0; at + 46 <= view.byteLength && view.getUint32(at, true) === ENTRY;) {
    const next = at + 46 + [28, 30, 32].reduce((sum, field) => sum + view.getUint16(at + field, true), 0);
    if (next > view.byteLength) throw new ZipError(t.noEnd);
    const entry = entryAt(view, at, read);
    if (entry !== undefined) entries.push(entry);
    if (entries.length > most) throw new ZipError(t.tooMany(most));
    at = next;
  }
  return entries;
}

async function findDirectory(read: Read, size: number): Promise<{ offset: number; length: number }> {
  const start = Math.max(0, size - TAIL);
  const view = viewOf(await read(start, size));
  for (let at = view.byteLength - 22; at >= 0; at--) {
    if (view.getUint32(at, true) !== END) continue;
    const isLarge = at >= 20 && view.getUint32(at - 20, true) === LOCATOR_64;
    if (!isLarge) return { length: view.getUint32(at + 12, true), offset: view.getUint32(at + 16, true) };
    const end = large(view, at - 20 + 8);
    const record = viewOf(await read(end, end + 56));
    if (record.byteLength < 56 || record.getUint32(0, true) !== END_64) break;
    return { length: large(record, 40), offset: large(record, 48) };
  }
  throw new ZipError(t.noZip);
}

const large = (view: DataView, at: number): number => Number(view.getBigUint64(at, true));

/** Undefined for a folder. */
function entryAt(view: DataView, at: number, read: Read): ZipEntry | undefined {
  const flags = view.getUint16(at + 8, true);
  const method = view.getUint16(at + 10, true);
  const nameLength = view.getUint16(at + 28, true);
  const bytes = new Uint8Array(view.buffer, view.byteOffset + at + 46, nameLength);
  const name = nameOf(bytes);
  if (name.endsWith('/')) return undefined;
  const extra = at + 46 + nameLength;
  const end = extra + view.getUint16(at + 30, true);
  const [size, packed, offset] = widened(view, extra, end, [at + 24, at + 20, at + 42]);
  return {
    name,
    size,
    deflated: method === 8,
    locate: async () => {
      if ((flags & 1) !== 0) throw new ZipError(t.encrypted(name));
      if (method !== 0 && method !== 8) throw new ZipError(t.otherWay(name));
      const head = viewOf(await read(offset, offset + 30));
      if (head.byteLength < 30 || head.getUint32(0, true) !== LOCAL) throw new ZipError(t.elsewhere(name));
      const start = offset + 30 + head.getUint16(26, true) + head.getUint16(28, true);
      return { start, end: start + packed };
    },
  };
}

/** UTF-8, as most programs write it, also those that do not say so; else a character for each byte. */
function nameOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return String.fromCharCode(...bytes);
  }
}

/** Sizes and offset; those that do not fit into 32 bits stand in the extra field 0001, in this order (4.5.3). */
function widened(
  view: DataView,
  start: number,
  end: number,
  fields: readonly [number, number, number],
): [number, number, number] {
  const values = fields.map((field) => view.getUint32(field, true));
  for (let at = start; at + 4 <= end; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== 1) continue;
    let from = at + 4;
    for (const [index, value] of values.entries())
      if (value === IN_64 && from + 8 <= end) {
        values[index] = large(view, from);
        from += 8;
      }
    break;
  }
  const [size = 0, packed = 0, offset = 0] = values;
  return [size, packed, offset];
}

// Where the bytes of a file come from: a file of this machine, or an entry of a zip, inflated no further than is looked at.

export interface Source {
  /** With its folders, and the zip that it is in. */
  readonly name: string;
  readonly size: number;
  /** Bytes from `start` up to `end`, or to the end of the file. */
  read(start: number, end: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** Files of one drop, at most: each is read in part, and stands in the list. */
export const MOST_FILES = 20_000;
/** Of an entry of a zip, so many bytes are inflated at most, whatever it says of itself. */
const MOST_INFLATED = 256 * 1024 * 1024;

const bytesOf = async (blob: Blob, start: number, end: number): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array(await blob.slice(start, end).arrayBuffer());

export const fileSource = (name: string, blob: Blob): Source => ({
  name,
  size: blob.size,
  read: (start, end) => bytesOf(blob, start, end),
});

/** The files of a zip, or the file itself where it is none. Throws ZipError for a zip that cannot be read. */
export async function sourcesOf(name: string, blob: Blob): Promise<Source[]> {
  const isZip = /\.zip$/i.test(name) || (await startsAsZip(blob));
  if (!isZip) return [fileSource(name, blob)];
  const entries = await zipEntries((start, end) => bytesOf(blob, start, end), blob.size, MOST_FILES);
  return entries.map((entry) => {
    const stored = (): Promise<{ start: number; end: number }> => entry.locate();
    return {
      name: `${name}/${entry.name}`,
      size: entry.size,
      read: async (start, end) => {
        const packed = await stored();
        const last = Math.min(end, entry.size);
        if (!entry.deflated) return bytesOf(blob, packed.start + start, packed.start + last);
        if (last > MOST_INFLATED) throw new ZipError(t.tooLarge(entry.name));
        return (await inflated(blob, packed, last)).slice(start, last);
      },
    };
  });
}

/** The local header of a zip's first file (APPNOTE 4.3.7). DICOM files may start with it only within their preamble: a zip says so. */
async function startsAsZip(blob: Blob): Promise<boolean> {
  const head = await bytesOf(blob, 0, 132);
  const text = String.fromCharCode(...head);
  return text.startsWith('PK\x03\x04') && !text.endsWith('DICM');
}

/** A thousand times as many bytes may come of it. */
const FIRST_PACKED = 16 * 1024;

/** The first `wanted` bytes of an entry: ever more of it is inflated, until they are there. */
async function inflated(
  blob: Blob,
  packed: { readonly start: number; readonly end: number },
  wanted: number,
): Promise<Uint8Array<ArrayBuffer>> {
  for (let length = FIRST_PACKED; ; length *= 4) {
    const end = Math.min(packed.start + length, packed.end);
    const part = inflate(await bytesOf(blob, packed.start, end), MOST_INFLATED);
    if (part === 'too much') throw new ZipError(t.inflates);
    if (part === 'broken') throw new ZipError(t.cannotInflate);
    if (part.bytes.length >= wanted || part.ended || end === packed.end) return new Uint8Array(part.bytes);
  }
}
