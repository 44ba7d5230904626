/** What the beginning of a file shows: which series it is of and where the tag goes, or which archive it is. */
import { closeSync, openSync, readSync, statSync, type Stats } from 'node:fs';
import { basename } from 'node:path';
import { defined } from '@scanflow/failure/defined';
import { number, planSplice, readAttributes, readUid, text, type PrivateTag } from '@scanflow/dicom/file';
import type { Look, LookedAt, StoreOutcome } from '@scanflow/dimse';
import type { Found, SeriesFacts } from './found.ts';

export interface Seen {
  /** The file as it was when it was opened; undefined for what is no file on disk. */
  readonly stat?: Stats | undefined;
  /** Undefined if the file does not say. */
  readonly series: SeriesFacts | undefined;
  /** Bytes of the file. */
  readonly size: number;
  /** Why it is sent without the tag. */
  readonly untagged?: string;
}

const TAG = {
  seriesInstanceUid: 0x0020000e,
  studyInstanceUid: 0x0020000d,
  studyId: 0x00200010,
  seriesNumber: 0x00200011,
  seriesDescription: 0x0008103e,
} as const;
const SERIES = [TAG.seriesInstanceUid];
const FACTS = Object.values(TAG);
/** Media Storage Directory Storage: a DICOMDIR is no image. */
const DIRECTORY = '1.2.840.10008.1.3.10';

/** Code of the failure that stands for a DICOMDIR. */
export const DICOMDIR = 'DICOMDIR';

/** Facts by Series Instance UID, read from the first image of each series. */
export type KnownSeries = Map<string, SeriesFacts>;

/**
 * Makes the function for `StoreItem.look`: it reports what it saw, and returns the edits of the tag.
 *
 * @param tag the private tag; undefined: files are sent as they are
 * @param known is read and filled
 * @param seen is called once for each file, before it is sent
 */
export function lookFor(
  tag: PrivateTag | undefined,
  known: KnownSeries,
  seen: (what: Seen) => void,
): (file: LookedAt) => Look {
  return (file) => {
    const { head, complete, size, stat } = file;
    const found = seriesOf(file, known);
    if (typeof found === 'number') return { needMore: found };
    if (found === 'directory')
      return { failure: { kind: 'permanent', code: DICOMDIR, message: 'This is a DICOMDIR.' } };
    const series = found === 'unknown' ? undefined : found;
    if (tag === undefined) {
      seen({ series, size, stat });
      return { edits: [] };
    }
    const plan = planSplice(head, tag, complete, { fileSize: size });
    if (plan.kind === 'needMore') return { needMore: plan.atLeast };
    // a deflated data set would have to be packed anew
    const deflated = plan.kind === 'splice' && plan.deflatedFrom !== undefined;
    const untagged =
      plan.kind === 'refused' ? plan.message : deflated ? 'The data set is deflated.' : undefined;
    seen({ series, size, stat, ...defined({ untagged }) });
    return { edits: plan.kind === 'splice' && !deflated ? plan.edits : [] };
  };
}

/** The facts of the series, or how many bytes are needed for them. */
function seriesOf(
  { head, complete, size, header }: LookedAt,
  known: KnownSeries,
): SeriesFacts | 'unknown' | 'directory' | number {
  const read = (tags: readonly number[]): ReturnType<typeof readAttributes> =>
    readAttributes(head, tags, { complete, fileSize: size, header });
  const plain = header && readUid(head, TAG.seriesInstanceUid, { complete, fileSize: size, header });
  const seen = known.get(plain ?? '');
  if (seen !== undefined) return seen;
  const first = read(SERIES);
  if (first.kind === 'needMore') return first.atLeast;
  if (first.kind === 'refused') return 'unknown';
  if (first.header.sopClassUid === DIRECTORY) return 'directory';
  const uid = text(first.dataSet, TAG.seriesInstanceUid) ?? '';
  if (uid === '') return 'unknown';
  const met = known.get(uid);
  if (met !== undefined) return met;
  const all = read(FACTS);
  if (all.kind === 'needMore') return all.atLeast;
  const facts = factsOf(uid, (all.kind === 'refused' ? first : all).dataSet);
  known.set(uid, facts);
  return facts;
}

function factsOf(seriesInstanceUid: string, dataSet: Parameters<typeof text>[0]): SeriesFacts {
  return {
    seriesInstanceUid,
    studyInstanceUid: text(dataSet, TAG.studyInstanceUid) ?? '',
    studyId: text(dataSet, TAG.studyId) ?? '',
    seriesNumber: number(dataSet, TAG.seriesNumber),
    seriesDescription: text(dataSet, TAG.seriesDescription) ?? '',
  };
}

/** `gz`: one file, compressed by itself. */
export type ArchiveKind = 'zip' | 'tar' | 'tgz' | 'gz';

/** `unread`: name of a format that Scanflow cannot read. */
type Packed = { readonly kind: ArchiveKind } | { readonly unread: string };

/** Enough for every format below. */
const HEAD = 4096;

/**
 * The kind of archive, by its first bytes. Never throws.
 *
 * @param name its ending decides where the bytes do not
 * @returns undefined if it is no archive, cannot be read, or holds no images
 */
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
    // sending it fails for the same reason, and reports it
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

function packedIn(head: Buffer, name: string): Packed | undefined {
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

/** First groups of file meta information and of a data set. */
const GROUPS: ReadonlySet<number> = new Set([0x0002, 0x0008]);

/** Looks at the beginning of the content: a compressed NIfTI file, for example, is not unpacked to be skipped. */
function gzipped(head: Buffer, name: string): Packed | undefined {
  if (/\.(tgz|taz|tar\.gz)$/i.test(name)) return { kind: 'tgz' };
  let inner: Buffer;
  try {
    const { constants, gunzipSync } = process.getBuiltinModule('node:zlib');
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

type RefusedFile =
  | { readonly archive: { readonly path: string; readonly kind: ArchiveKind } }
  /** It may hold images, and was not read. */
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

/**
 * What a file really is that failed as NOT_DICOM: an archive, an image without content, or a format that is not read.
 * Archives are read one level deep.
 *
 * @returns undefined if the failure is right
 */
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
