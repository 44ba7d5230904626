/** A whole file for people to look at: everything before its pixels, also where a part of it is broken. */
import { DicomDecodeError, type DataSet } from './dataset.ts';
import { decodeReadable, type DecodeOptions } from './decode.ts';
import type { Layout } from './layout.ts';
import { inDataSet, type Located } from './locate.ts';
import type { Part10Header } from './part10.ts';
import { Head, NeedMore, readHeader, UNDEFINED_LENGTH } from './splice-walk.ts';

/** Float, double float and other pixel data: the last elements but for the digital signatures (PS3.6). */
const FIRST_PIXELS = 0x7fe00008;
const MAX_ELEMENTS = 65_536;

export interface ReadOptions extends Pick<DecodeOptions, 'defaultCharacterSet' | 'maxElements' | 'maxDepth'> {
  /** Length of the whole file in bytes; the head may be shorter. */
  readonly fileSize: number;
}

/** The pixels, or what else stands behind the attributes. */
export interface Pixels {
  readonly tag: number;
  /** OW where the encoding says none. */
  readonly vr: string;
  /** Bytes of the value; undefined where it is encapsulated. */
  readonly length: number | undefined;
  /** Where the value starts, in `bytes`. */
  readonly offset: number;
  /** The file; of a deflated one its meta information, and as much of the data set as was inflated. */
  readonly bytes: Uint8Array;
}

export type FileRead =
  | {
      readonly kind: 'read';
      readonly header: Part10Header;
      readonly layout: Layout;
      readonly deflated: boolean;
      readonly dataSet: DataSet;
      readonly pixels: Pixels | undefined;
      /** What is broken, for people; the last may have ended the reading. */
      readonly problems: readonly DicomDecodeError[];
    }
  | { readonly kind: 'needMore'; readonly atLeast: number }
  | { readonly kind: 'refused'; readonly error: DicomDecodeError };

/**
 * Reads a DICOM file up to its pixels, from its first bytes. It keeps what it could read of a broken file, with the
 * problems.
 *
 * @param head the first bytes of the file
 * @returns `needMore` with the number of bytes it wants, if `head` ends too early; `refused` for something that is no DICOM
 * file
 */
export function readFile(head: Uint8Array, options: ReadOptions): FileRead {
  try {
    return inDataSet(new Head(head, options.fileSize), (located) => read(located, options));
  } catch (error) {
    if (error instanceof NeedMore) return { kind: 'needMore', atLeast: error.atLeast };
    if (!(error instanceof DicomDecodeError)) throw error;
    return { kind: 'refused', error };
  }
}

function read(located: Located, { maxElements = MAX_ELEMENTS, ...options }: ReadOptions): FileRead {
  const { head, header, layout, deflated } = located;
  const start = header.dataSetOffset;
  const { dataSet, end, problems, stopped } = decodeReadable(head.bytes.subarray(start), layout, {
    ...options,
    maxElements,
    before: FIRST_PIXELS,
  });
  const isCut = head.bytes.length !== head.size;
  if (
    isCut &&
    (stopped?.code === 'TRUNCATED' || (stopped === undefined && start + end === head.bytes.length))
  )
    throw new NeedMore(head.bytes.length + 1);
  const pixels = stopped === undefined ? pixelsAt(located, start + end) : undefined;
  return { kind: 'read', header, layout, deflated, dataSet, pixels, problems };
}

function pixelsAt({ head, layout }: Located, offset: number): Pixels | undefined {
  if (offset === head.size) return undefined;
  const { tag, vr = 'OW', length, valueOffset } = readHeader(head, offset, layout);
  if (tag < FIRST_PIXELS) return undefined;
  const isOpen = length === UNDEFINED_LENGTH;
  return { tag, vr, length: isOpen ? undefined : length, offset: valueOffset, bytes: head.bytes };
}

const ITEM = 0xfffee000;

/**
 * The fragments of encapsulated pixel data (PS3.5 A.4) that follow the offset table, as far as `bytes` goes, from `offset` on;
 * each with its offset from the first one's tag, which the table counts in. Throws DicomDecodeError for what is none.
 */
export function fragments(
  bytes: Uint8Array,
  offset: number,
): {
  readonly table: Uint8Array;
  readonly fragments: readonly { readonly at: number; readonly bytes: Uint8Array }[];
} {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const found: { at: number; bytes: Uint8Array }[] = [];
  for (let at = offset; at + 8 <= bytes.length;) {
    const tag = view.getUint16(at, true) * 0x10000 + view.getUint16(at + 2, true);
    const length = view.getUint32(at + 4, true);
    if (tag !== ITEM || at + 8 + length > bytes.length) break;
    found.push({ at, bytes: bytes.subarray(at + 8, at + 8 + length) });
    at += 8 + length;
  }
  const [table, ...rest] = found;
  if (table === undefined)
    throw new DicomDecodeError('BAD_STRUCTURE', offset, 'the pixel data has no fragments');
  const first = rest[0]?.at ?? 0;
  return { table: table.bytes, fragments: rest.map((one) => ({ ...one, at: one.at - first })) };
}
