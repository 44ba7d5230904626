/** A few attributes from the head of a file, without reading its pixels: for routing and for the storage layout. */
import { joined } from '#platform';
import { defined } from '@scanflow/failure/defined';
import { DicomDecodeError, type DataSet, type Tag } from './dataset.ts';
import { decodeDataSet } from './decode.ts';
import { tagOf } from './dictionary.ts';
import { inDataSet, type Located } from './locate.ts';
import { unpadded, type Part10Header } from './part10.ts';
import { endOfValue, Head, NeedMore, UNDEFINED_LENGTH, walkTopLevel } from './splice-walk.ts';
import type { Layout } from './layout.ts';
import { transferSyntaxes } from './uids.ts';
import type { AttributeName } from './values.ts';

export interface AttributesOptions {
  /** The head is the whole file. */
  readonly complete: boolean;
  /** Length of the whole file in bytes, where known: lengths that pass the end show at once. */
  readonly fileSize?: number;
  /** Character set of a file that declares none: a defined term of (0008,0005). */
  readonly defaultCharacterSet?: string;
  /** What readFileHeader() gave of the same file: it is not read again. */
  readonly header?: Part10Header | undefined;
}

export type AttributesResult =
  | {
      readonly kind: 'attributes';
      /** The requested ones that the file has, and Specific Character Set. */
      readonly dataSet: DataSet;
      readonly header: Part10Header;
      /** Tags of those which the file has, and which could not be decoded or are longer than 64 KiB. */
      readonly unreadable: readonly Tag[];
    }
  | { readonly kind: 'needMore'; readonly atLeast: number }
  | {
      readonly kind: 'refused';
      /** `DICOM_SYNTAX_UNKNOWN`: it cannot be read here; the others: the file is broken. */
      readonly code: 'DICOM_NOT_PART10' | 'DICOM_SYNTAX_UNKNOWN' | 'DICOM_TRUNCATED' | 'DICOM_UNDECODABLE';
      readonly message: string;
    };

const SPECIFIC_CHARACTER_SET = 0x00080005;
const PIXEL_DATA = 0x7fe00010;
const MAX_VALUE = 64 * 1024;

/**
 * Reads top-level attributes (by keyword or tag) from a file's first bytes, decoded in the file's character set. The walk
 * ends behind the last requested one and at Pixel Data; big values and sequences are stepped over. Bytes that the
 * character set does not define come as U+FFFD. Throws Error for a keyword that is unknown or stands in or behind
 * Pixel Data.
 */
export function readAttributes(
  head: Uint8Array,
  names: readonly AttributeName[],
  options: AttributesOptions,
): AttributesResult {
  const wanted = new Set(names.map((name) => (typeof name === 'number' ? name : tagOf(name))));
  for (const tag of wanted)
    if (tag >= PIXEL_DATA) throw new Error('Attributes are read before Pixel Data only.');
  try {
    const file = new Head(head, options.complete ? head.length : options.fileSize);
    return inDataSet(file, (located) => read(located, wanted, options), options.header);
  } catch (error) {
    if (error instanceof NeedMore) return { kind: 'needMore', atLeast: error.atLeast };
    if (!(error instanceof DicomDecodeError)) throw error;
    return { kind: 'refused', code: REFUSAL[error.code] ?? 'DICOM_UNDECODABLE', message: error.message };
  }
}

/**
 * A UID of a file of which readFileHeader() gave `header`, without decoding the rest: for what is read of each of many
 * images. Undefined where it is not there, or not as plain as in most files: readAttributes() says more.
 */
export function readUid(
  bytes: Uint8Array,
  tag: Tag,
  { header, complete, fileSize }: AttributesOptions & { readonly header: Part10Header },
): string | undefined {
  const file = new Head(bytes, complete ? bytes.length : fileSize);
  let uid: string | undefined;
  const read = ({ head, header: { dataSetOffset }, layout }: Located): number =>
    walkTopLevel(
      head,
      dataSetOffset,
      layout,
      (found) => {
        const end = found.valueOffset + found.length;
        if (found.tag === tag && end <= head.bytes.length)
          uid = unpadded(head.latin1(found.valueOffset, end));
        return found.tag >= tag;
      },
      tag,
    );
  try {
    inDataSet(file, read, header);
  } catch (error) {
    if (!(error instanceof NeedMore || error instanceof DicomDecodeError)) throw error;
  }
  return uid;
}

const REFUSAL: Readonly<Record<string, (AttributesResult & { kind: 'refused' })['code']>> = {
  NOT_PART10: 'DICOM_NOT_PART10',
  TRANSFER_SYNTAX: 'DICOM_SYNTAX_UNKNOWN',
  TRUNCATED: 'DICOM_TRUNCATED',
};

function read(
  { head, header, layout }: Located,
  wanted: ReadonlySet<Tag>,
  options: AttributesOptions,
): AttributesResult {
  const { found, unreadable } = collect(head, header.dataSetOffset, layout, wanted);
  const characterSet = found.get(SPECIFIC_CHARACTER_SET) ?? new Uint8Array();
  const dataSet = new Map(decode([characterSet], layout, options));
  for (const [tag, bytes] of found) {
    try {
      const element =
        tag === SPECIFIC_CHARACTER_SET ? undefined : decode([characterSet, bytes], layout, options).get(tag);
      if (element !== undefined) dataSet.set(tag, element);
    } catch (error) {
      if (!(error instanceof DicomDecodeError)) throw error;
      unreadable.push(tag);
    }
  }
  return { kind: 'attributes', dataSet, header, unreadable };
}

/** The wanted elements and the character set, encoded as they stand in the file. */
function collect(
  head: Head,
  start: number,
  layout: Layout,
  wanted: ReadonlySet<Tag>,
): { readonly found: ReadonlyMap<Tag, Uint8Array>; readonly unreadable: Tag[] } {
  const last = Math.max(SPECIFIC_CHARACTER_SET, ...wanted);
  const found = new Map<Tag, Uint8Array>();
  const unreadable: Tag[] = [];
  walkTopLevel(head, start, layout, (header) => {
    const { tag, length, valueOffset, offset } = header;
    if (tag > last) return true;
    if (!wanted.has(tag) && tag !== SPECIFIC_CHARACTER_SET) return false;
    const end =
      length !== UNDEFINED_LENGTH && length > MAX_VALUE ? Infinity : endOfValue(head, header, layout);
    if (end - valueOffset > MAX_VALUE) {
      unreadable.push(tag);
      return false;
    }
    head.require(end, offset);
    found.set(tag, head.bytes.subarray(offset, end));
    return tag === last;
  });
  return { found, unreadable };
}

/** One by one, so that one broken value does not take the others with it. */
function decode(
  parts: readonly Uint8Array[],
  layout: Layout,
  { defaultCharacterSet }: AttributesOptions,
): DataSet {
  const { explicitVRBigEndian, explicitVRLittleEndian, implicitVRLittleEndian } = transferSyntaxes;
  const explicit = layout.bigEndian ? explicitVRBigEndian : explicitVRLittleEndian;
  return decodeDataSet(joined(parts), layout.explicit ? explicit : implicitVRLittleEndian, {
    undecodable: 'replace',
    ...defined({ defaultCharacterSet }),
  });
}
