/** Where the bytes of a file come from: a file of this machine, or an entry of a zip, inflated no further than is looked at. */
import { inflate } from '@scanflow/dicom/reading';
import { viewer } from '../texts/viewer.ts';
import { zipEntries, ZipError } from './zip.ts';

const t = viewer.zip;

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
export const MOST_INFLATED = 256 * 1024 * 1024;

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
