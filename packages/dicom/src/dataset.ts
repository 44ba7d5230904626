/** DICOM as data: tags, elements and data sets, and the error of what cannot be decoded. */
import { isSameBytes } from '#platform';

/** A tag as one number: `0x00100010` is (0010,0010). */
export type Tag = number;

/**
 * Text, decoded: `values` without the padding of PS3.5 table 6.2-1; an empty list is an empty element. LT, ST, UT
 * and UR have at most one value.
 */
export interface TextElement {
  readonly vr: string;
  readonly kind: 'text';
  readonly values: readonly string[];
}

/** Everything else: the value's bytes, little endian whatever the transfer syntax was. No bytes is an empty element. */
export interface BinaryElement {
  readonly vr: string;
  readonly kind: 'binary';
  readonly bytes: Uint8Array;
}

/** A sequence. No item and one empty item are two things. */
export interface SequenceElement {
  readonly vr: 'SQ';
  readonly kind: 'sequence';
  readonly items: readonly DataSet[];
}

export type Element = TextElement | BinaryElement | SequenceElement;

/** Elements by tag. The order is not relied on: what encodes, sorts. */
export type DataSet = ReadonlyMap<Tag, Element>;

export type DicomDecodeErrorCode =
  /** The bytes end inside an element. */
  | 'TRUNCATED'
  /** A length that its place or its VR does not allow. */
  | 'BAD_LENGTH'
  /** Two bytes where a VR should stand, that are none. */
  | 'BAD_VR'
  /** An item or delimiter where an element should stand, or the reverse. */
  | 'BAD_STRUCTURE'
  /** The same tag twice in one data set. */
  | 'DUPLICATE'
  /** (0008,0005) stands after text that it would have to explain. */
  | 'ORDER'
  | 'TOO_DEEP'
  | 'TOO_MANY'
  /** Bytes that the declared character set does not define. */
  | 'BAD_TEXT'
  /** A character set that is not known, for text that needs it. */
  | 'CHARACTER_SET'
  /** A transfer syntax that this codec does not read. */
  | 'TRANSFER_SYNTAX'
  /** Compressed pixel data, which is no plain element. */
  | 'ENCAPSULATED'
  /** Not a DICOM Part 10 file, or one whose file meta information is incomplete. */
  | 'NOT_PART10';

/** What cannot be decoded: why, and at which byte of the input. */
export class DicomDecodeError extends Error {
  readonly code: DicomDecodeErrorCode;
  /** Bytes from the start of the input. */
  readonly offset: number;

  constructor(code: DicomDecodeErrorCode, offset: number, message: string) {
    super(`${message} (at byte ${offset})`);
    this.name = 'DicomDecodeError';
    this.code = code;
    this.offset = offset;
  }
}

/** Whether two elements hold the same values or bytes, at every depth. The VR does not count. */
export function isSameElement(one: Element, other: Element): boolean {
  if (one.kind === 'text' && other.kind === 'text') return isSameList(one.values, other.values, Object.is);
  if (one.kind === 'binary' && other.kind === 'binary') return isSameBytes(one.bytes, other.bytes);
  return (
    one.kind === 'sequence' && other.kind === 'sequence' && isSameList(one.items, other.items, isSameDataSet)
  );
}

const isSameDataSet = (one: DataSet, other: DataSet): boolean =>
  one.size === other.size &&
  [...one].every(([tag, element]) => {
    const found = other.get(tag);
    return found !== undefined && isSameElement(element, found);
  });

const isSameList = <T>(one: readonly T[], other: readonly T[], isSame: (a: T, b: T) => boolean): boolean =>
  one.length === other.length && one.every((value, at) => isSame(value, other[at] as T));
