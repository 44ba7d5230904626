/**
 * What a file is that is no DICOM file: an archive that is read, one that a person has to unpack, an image without content,
 * or something else.
 */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { constants, gunzipSync } from 'node:zlib';
import type { StoreOutcome } from '@scanflow/dimse';
import type { Found } from './found.ts';

/** `gz`: one file, compressed by itself. */
export type ArchiveKind = 'zip' | 'tar' | 'tgz' | 'gz';

/** `unread`: a format that is not read here, in words. */
export type Packed = { readonly kind: ArchiveKind } | { readonly unread: string };

/** Enough for all that is looked for. */
const HEAD = 4096;

/** By the first bytes of the file, or of what is in memory; undefined for what is no archive, or none of images. */
export function packedAs(
  content: { readonly path?: string; readonly bytes?: Uint8Array },
  name: string,
): Packed | undefined {
  const head = content.bytes ?? (content.path === undefined ? undefined : headOf(content.path));
  return head === undefined
    ? undefined
    : packedIn(Buffer.from(head.buffer, head.byteOffset, head.byteLength), name);
}

function headOf(path: string): Uint8Array | undefined {
  try {
    const file = openSync(path, 'r');
    try {
      const head = Buffer.alloc(HEAD);
      return head.subarray(0, readSync(file, head, 0, HEAD, 0));
    } finally {
      closeSync(file);
    }
  } catch {
    // whoever sends it meets the same, and says so
    return undefined;
  }
}

/** Formats that nothing here reads, by their first bytes in hexadecimal. */
const UNREAD: readonly (readonly [string, string])[] = [
  ['377abcaf271c', '7-Zip archive'],
  ['526172211a07', 'RAR archive'],
  ['425a68', 'bzip2 archive'],
  ['fd377a585a00', 'xz archive'],
  ['28b52ffd', 'Zstandard archive'],
  ['04224d18', 'LZ4 archive'],
  ['1f9d', 'compress (.Z) archive'],
];

export function packedIn(head: Buffer, name: string): Packed | undefined {
  if (latin1(head, 128, 132) === 'DICM') return undefined;
  const start = latin1(head, 0, 4);
  if (start === 'PK\u0003\u0004') return isDocument(head) ? undefined : { kind: 'zip' };
  if (start === 'PK\u0005\u0006') return { kind: 'zip' };
  if (latin1(head, 0, 2) === '\u001f\u008b') return gzipped(head, name);
  if (isTar(head) || /\.tar$/i.test(name)) return { kind: 'tar' };
  const hex = head.toString('hex', 0, 8);
  const unread = UNREAD.find(([magic]) => hex.startsWith(magic))?.[1];
  return unread === undefined ? undefined : { unread };
}

const latin1 = (bytes: Buffer, from: number, to: number): string => bytes.toString('latin1', from, to);
const isTar = (head: Buffer): boolean => latin1(head, 257, 262) === 'ustar';

/** Of office programs and Java, which use zip for files of their own. */
const isDocument = (head: Buffer): boolean =>
  head.length > 30 &&
  /^(\[Content_Types\]\.xml|mimetype|META-INF\/)/.test(latin1(head, 30, 30 + head.readUInt16LE(26)));

/** With which file meta information and a data set begin, each without what stands before. */
const GROUPS: ReadonlySet<number> = new Set([0x0002, 0x0008]);

/** Looks at the beginning of what is in it: a NIfTI file, compressed by itself, is nothing to be read whole. */
function gzipped(head: Buffer, name: string): Packed | undefined {
  if (/\.(tgz|taz|tar\.gz)$/i.test(name)) return { kind: 'tgz' };
  let inner: Buffer;
  try {
    inner = gunzipSync(head.subarray(0, HEAD), {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: 8 * 1024 * 1024,
    });
  } catch {
    return { kind: 'gz' };
  }
  if (isTar(inner)) return { kind: 'tgz' };
  // with a preamble, with file meta information alone, or a data set alone
  const start = inner.length < 4 ? 0 : inner.readUInt16LE(0);
  const dicom = latin1(inner, 128, 132) === 'DICM' || latin1(inner, 0, 4) === 'DICM' || GROUPS.has(start);
  return dicom || packedIn(inner, '') !== undefined ? { kind: 'gz' } : undefined;
}

type Failure = Extract<StoreOutcome, { result: 'failed' }>['failure'];

export type RefusedFile =
  | { readonly archive: { readonly path: string; readonly kind: ArchiveKind } }
  /** It holds images, perhaps, and was not read. */
  | { readonly trouble: string }
  | { readonly failure: Failure };

/** Names that images have: by their ending, a number, or the UID. */
const IMAGE_NAME = /\.(dcm|dicom|dic|ima)$|^[^.]*\d[^.]*$|(\.\d+){3,}$/i;

const EMPTY: Failure = {
  kind: 'permanent',
  code: 'DICOM_BROKEN',
  message: 'This is no complete DICOM file: it is empty. Export it again.',
};
const UNPACK = 'Unpack it, and send the folder';

/** Undefined where it is what its failure says. Archives are read one level deep: `found.packed` came out of one. */
export function refusedFile(found: Found, { code }: Failure): RefusedFile | undefined {
  if (code !== 'NOT_DICOM') return undefined;
  const { path, bytes, id, packed: isPacked } = found;
  const size = bytes?.length ?? (path === undefined ? 0 : statSync(path, { throwIfNoEntry: false })?.size);
  const name = basename(id.replace(/ \(\d+\)$/, ''));
  if (size === 0) return IMAGE_NAME.test(name) ? { failure: EMPTY } : undefined;
  const packed = packedAs(found, name);
  if (packed === undefined) return undefined;
  if ('unread' in packed) return { trouble: `it is a ${packed.unread}, which is not read. ${UNPACK}` };
  if (isPacked === true || path === undefined)
    return { trouble: `it is an archive within an archive, which is not read. ${UNPACK}` };
  return { archive: { path, kind: packed.kind } };
}
