/** Where a file's data set starts and how it is encoded, also of a file that does not say so, or has it deflated. */
import { defined } from '@scanflow/failure/defined';
import { inflate, joined, type Inflated } from '#platform';
import { DicomDecodeError } from './dataset.ts';
import {
  fileLayout,
  metaOf,
  NO_META,
  NO_SYNTAX,
  unpadded,
  type FileHeader,
  type NeedsMore,
  type Part10Header,
} from './part10.ts';
import { EXPLICIT_LE, Head, NeedMore, readHeader, UNDEFINED_LENGTH, walkTopLevel } from './splice-walk.ts';
import type { Layout } from './layout.ts';
import { transferSyntaxes } from './uids.ts';

export interface Located {
  /** What offsets count in: of a deflated file, its meta information with the data set inflated behind it. */
  readonly head: Head;
  readonly header: Part10Header;
  readonly layout: Layout;
  readonly deflated: boolean;
}

/**
 * Finds the data set and has it read. Of a deflated one, `read` may be called several times, with more of it each
 * time. Throws what `read` throws, NeedMore, or DicomDecodeError: NOT_PART10 where it is not certain that this is a
 * data set and in which encoding, TRANSFER_SYNTAX where that is named and not known. `header`: where it is known already.
 */
export function inDataSet<T>(
  head: Head,
  read: (located: Located) => T,
  header: Part10Header | undefined = metaOf(head),
): T {
  if (header === undefined || header.transferSyntax === '') return read(untold(head, header));
  const layout = fileLayout(header.transferSyntax);
  if (layout === 'deflated') return inDeflated(head, header, read);
  if (layout === undefined)
    throw new DicomDecodeError(
      'TRANSFER_SYNTAX',
      header.dataSetOffset,
      `its transfer syntax ${header.transferSyntax} is not known`,
    );
  return read({ head, header, layout, deflated: false });
}

const FIRST_TRY = 1024;
/** No more of a deflated data set is held at a time. */
const MAX_INFLATED = 64 * 1024 * 1024;

/**
 * What the first bytes of a deflated data set (PS3.5 A.5) give; undefined where that is more than `limit` bytes. Throws
 * DicomDecodeError BAD_STRUCTURE for what is no deflate stream.
 */
export function inflateHead(stream: Uint8Array, limit: number): Inflated | undefined {
  const inflated = inflate(stream, limit);
  if (inflated === 'broken')
    throw new DicomDecodeError('BAD_STRUCTURE', 0, 'its deflated data set cannot be inflated');
  return inflated === 'too much' ? undefined : inflated;
}

const MAX_WHOLE = 1024 * 1024 * 1024;

/** From ever more of the stream, as a short one may inflate to a thousand times its length. */
function inDeflated<T>(head: Head, header: Part10Header, read: (located: Located) => T): T {
  const start = header.dataSetOffset;
  const stream = head.bytes.subarray(start);
  for (let length = FIRST_TRY; ; length *= 4) {
    const part = inflateHead(stream.subarray(0, length), MAX_INFLATED);
    if (part === undefined) throw new NeedMore(Infinity);
    const bytes = joined([head.bytes.subarray(0, start), part.bytes]);
    const inflated = new Head(bytes, part.ended ? bytes.length : undefined);
    try {
      return read({ head: inflated, header, layout: EXPLICIT_LE, deflated: true });
    } catch (error) {
      if (!(error instanceof NeedMore)) throw error;
      if (error.atLeast > MAX_INFLATED) throw new NeedMore(Infinity);
      if (length < stream.length) continue;
      if (head.bytes.length !== head.size) throw new NeedMore(head.bytes.length + 1);
      throw new DicomDecodeError('TRUNCATED', start, 'its deflated data set ends too early');
    }
  }
}

const BIG_ENDIAN: Layout = { explicit: true, bigEndian: true };
const IMPLICIT_LE: Layout = { explicit: false, bigEndian: false };

/**
 * A data set without a stated transfer syntax. It counts as one only if its elements, read in one of the
 * encodings, start in group 0008 and hold a SOP Class and a SOP Instance UID: no two encodings can do so at once.
 */
function untold(head: Head, meta: Part10Header | undefined): Located {
  const start = meta?.dataSetOffset ?? 0;
  for (const layout of [EXPLICIT_LE, BIG_ENDIAN, IMPLICIT_LE]) {
    const uids = uidsIn(head, start, layout);
    if (uids === undefined) continue;
    const [sopClassUid, sopInstanceUid] = uids;
    const header: Part10Header = {
      // explicit little endian: pixel data may be of any of its compressions
      transferSyntax: layout.bigEndian
        ? transferSyntaxes.explicitVRBigEndian
        : layout.explicit
          ? ''
          : transferSyntaxes.implicitVRLittleEndian,
      sopClassUid,
      sopInstanceUid,
      dataSetOffset: start,
      meta: meta?.meta ?? new Map(),
    };
    return { head, header, layout, deflated: false };
  }
  throw new DicomDecodeError('NOT_PART10', start, meta === undefined ? NO_META : NO_SYNTAX);
}

const SOP_CLASS_UID = 0x00080016;
const SOP_INSTANCE_UID = 0x00080018;
const UID = /^[0-2](\.\d+)+$/;

/** SOP Class and Instance UID; undefined where this is no data set of the layout. Throws NeedMore. */
function uidsIn(head: Head, start: number, layout: Layout): [string, string] | undefined {
  try {
    if (readHeader(head, start, layout).tag >>> 16 !== 0x0008) return undefined;
    const [sopClass, instance] = readUids(head, start, layout);
    return UID.test(sopClass) && UID.test(instance) ? [sopClass, instance] : undefined;
  } catch (error) {
    if (error instanceof DicomDecodeError) return undefined;
    throw error;
  }
}

/** The same without padding, '' for what is not there. Throws NeedMore, or DicomDecodeError for what cannot be walked. */
function readUids(head: Head, start: number, layout: Layout): [string, string] {
  const uids = new Map<number, string>();
  walkTopLevel(head, start, layout, ({ tag, vr, offset, valueOffset, length }) => {
    if ((tag === SOP_CLASS_UID || tag === SOP_INSTANCE_UID) && length <= LONGEST_UID && isText(vr)) {
      head.require(valueOffset + length, offset);
      uids.set(tag, unpadded(head.latin1(valueOffset, valueOffset + length)));
    }
    return tag >= SOP_INSTANCE_UID;
  });
  return [uids.get(SOP_CLASS_UID) ?? '', uids.get(SOP_INSTANCE_UID) ?? ''];
}

/** With padding; some senders pad to more than an even number. */
const LONGEST_UID = 128;
/** UN: some archives know no VR. */
const isText = (vr = 'UI'): boolean => vr === 'UI' || vr === 'UN';

/**
 * As readPart10Header, with the SOP Class and Instance UID of the data set: a C-STORE names what is in the data set it
 * carries (PS3.4 B.2.1, PS3.7 9.1.1.1.4), and the file meta information of many anonymised files names another. Where the
 * data set has none, those of the file meta information count. Of a file without file meta information, or without a
 * transfer syntax in it, what the data set shows. Throws DicomDecodeError as inDataSet does; TRANSFER_SYNTAX also for
 * compressed pixel data whose compression nothing names, or that may be compressed although nothing says so.
 */
export function readFileHeader(bytes: Uint8Array, fileSize?: number): Part10Header | NeedsMore {
  const head = new Head(bytes, fileSize);
  try {
    const header = metaOf(head);
    if (header === undefined || header.transferSyntax === '') return told(untold(head, header));
    return named(head, header);
  } catch (error) {
    if (!(error instanceof NeedMore)) throw error;
    if (error.atLeast > MAX_SEARCH) throw new DicomDecodeError('TRANSFER_SYNTAX', 0, UNTOLD);
    return { needMore: true, atLeast: error.atLeast };
  }
}

/** Pixel data may stand behind so many bytes. */
const MAX_SEARCH = 64 * 1024 * 1024;
const UNTOLD = 'no file meta information says its transfer syntax, and its data set does not show it';
/** Float, double float and other pixel data, in this order: the last elements but for the digital signatures (PS3.6). */
const FIRST_PIXELS = 0x7fe00008;
const LAST_PIXELS = 0x7fe00010;

/** Explicit VR little endian is the syntax itself where the pixels are of it, too (PS3.5 A.4). */
function told({ head, header, layout }: Located): Part10Header {
  if (header.transferSyntax !== '') return header;
  const compressed: number[] = [];
  walkTopLevel(head, header.dataSetOffset, layout, ({ tag, length }) => {
    if (tag < FIRST_PIXELS) return false;
    if (tag <= LAST_PIXELS && length === UNDEFINED_LENGTH) compressed.push(tag);
    return true;
  });
  if (compressed.length > 0) throw new DicomDecodeError('TRANSFER_SYNTAX', header.dataSetOffset, UNTOLD);
  return { ...header, transferSyntax: transferSyntaxes.explicitVRLittleEndian };
}

/** Takes the UIDs of the data set where they can stand in a command; else those of the meta information stay. */
function named(head: Head, header: FileHeader): Part10Header {
  const [sopClassUid, sopInstanceUid] = namesIn(head, header);
  return header.named(defined({ sopClassUid: usable(sopClassUid), sopInstanceUid: usable(sopInstanceUid) }));
}

/** A UID may be wrong and is sent all the same: the receiver compares the command with the data set. */
const usable = (uid: string): string | undefined => (/^[!-[\]-~]{1,64}$/.test(uid) ? uid : undefined);

function namesIn(head: Head, header: Part10Header): [string, string] {
  const read = ({ head: inner, header: { dataSetOffset }, layout }: Located): [string, string] =>
    readUids(inner, dataSetOffset, layout);
  try {
    return inDataSet(head, read, header);
  } catch (error) {
    const hopeless = error instanceof NeedMore && error.atLeast > MAX_SEARCH;
    if (error instanceof DicomDecodeError || hopeless) return ['', ''];
    throw error;
  }
}

/** The file with its data set inflated, to be held in memory; as it is where it is not deflated. */
export function inflateFile(bytes: Uint8Array, limit = MAX_WHOLE): Uint8Array {
  const header = metaOf(new Head(bytes, bytes.length));
  if (header === undefined || fileLayout(header.transferSyntax) !== 'deflated') return bytes;
  const start = header.dataSetOffset;
  const part = inflateHead(bytes.subarray(start), limit);
  if (part?.ended !== true)
    throw new DicomDecodeError('TRUNCATED', start, 'its deflated data set ends too early, or never');
  return joined([bytes.subarray(0, start), part.bytes]);
}
