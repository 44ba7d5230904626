/** Walks an encoded data set by its element headers. Values are stepped over; no length is believed unchecked. */
import { DicomDecodeError } from './dataset.ts';
import { formatTag } from './dictionary.ts';
import type { Layout } from './syntax.ts';
import { vrTraits } from './vr.ts';

const IMPLICIT_LE: Layout = { explicit: false, bigEndian: false };
export const EXPLICIT_LE: Layout = { explicit: true, bigEndian: false };

/** Value length of a value that ends with a delimiter (PS3.5 7.1.1). */
export const UNDEFINED_LENGTH = 0xffffffff;

/** What stands before a value. Offsets count from the start of the file. */
export interface ElementHeader {
  readonly tag: number;
  /** Absent in implicit VR and for items. */
  readonly vr: string | undefined;
  readonly offset: number;
  readonly valueOffset: number;
  readonly length: number;
}

/** The head ends before what has to be read; the same call with at least `atLeast` bytes gets further. */
export class NeedMore extends Error {
  readonly atLeast: number;
  constructor(atLeast: number) {
    super(`the first ${atLeast} bytes are needed`);
    this.name = 'NeedMore';
    this.atLeast = atLeast;
  }
}

/** The first bytes of a file, and how long the file is where that is known. */
export class Head {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly size: number | undefined;

  constructor(bytes: Uint8Array, size: number | undefined) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.size = size;
  }

  /** Throws DicomDecodeError TRUNCATED where the file cannot have `end` bytes. */
  fits(end: number, at: number): void {
    if (this.size !== undefined && end > this.size)
      throw new DicomDecodeError(
        'TRUNCATED',
        at,
        `what starts here needs ${end} bytes, the file has ${this.size}`,
      );
  }

  /** Throws TRUNCATED, or NeedMore where the file may hold `end` bytes and the head does not. */
  require(end: number, at: number): void {
    this.fits(end, at);
    if (end > this.bytes.length) throw new NeedMore(end);
  }

  /** Bytes as ISO 8859-1 text. The caller has made sure that they are there. */
  latin1(start: number, end: number): string {
    let text = '';
    for (const byte of this.bytes.subarray(start, end)) text += String.fromCharCode(byte);
    return text;
  }
}

const ITEM = 0xfffee000;
const ITEM_END = 0xfffee00d;
const SEQUENCE_END = 0xfffee0dd;
const MAX_DEPTH = 64;
/** Groups of commands, file meta information and items (PS3.5 7.1, 7.5). */
const FOREIGN: ReadonlySet<number> = new Set([0x0000, 0x0002, 0xfffe]);

/** Reads the header at `offset`. Items and delimiters carry no VR in any syntax (PS3.5 7.5). */
export function readHeader(head: Head, offset: number, layout: Layout): ElementHeader {
  head.require(offset + 8, offset);
  const { view } = head;
  const little = !layout.bigEndian;
  const group = view.getUint16(offset, little);
  const tag = group * 0x10000 + view.getUint16(offset + 2, little);
  if (!layout.explicit || group === 0xfffe)
    return {
      tag,
      vr: undefined,
      offset,
      valueOffset: offset + 8,
      length: view.getUint32(offset + 4, little),
    };
  const vr = head.latin1(offset + 4, offset + 6);
  const traits = vrTraits(vr);
  if (traits === undefined)
    throw new DicomDecodeError('BAD_VR', offset, `${JSON.stringify(vr)} is no value representation`);
  if (!traits.long)
    return { tag, vr, offset, valueOffset: offset + 8, length: view.getUint16(offset + 6, little) };
  head.require(offset + 12, offset);
  return { tag, vr, offset, valueOffset: offset + 12, length: view.getUint32(offset + 8, little) };
}

/**
 * Visits the top-level elements of a data set until `visit` answers true or the file ends; gives the offset of
 * the element it stopped at, or of the file's end. Tags must ascend (PS3.5 7.1). Throws NeedMore, or
 * DicomDecodeError for what cannot be walked.
 */
export function walkTopLevel(
  head: Head,
  start: number,
  layout: Layout,
  visit: (header: ElementHeader) => boolean,
): number {
  let offset = start;
  let previous = -1;
  while (offset !== head.size) {
    const header = readHeader(head, offset, layout);
    if (offset === start) refuseOtherSyntax(head, header, layout);
    if (FOREIGN.has(header.tag >>> 16))
      throw new DicomDecodeError(
        'BAD_STRUCTURE',
        offset,
        `${formatTag(header.tag)} is no element of a data set`,
      );
    if (header.tag <= previous)
      throw new DicomDecodeError(
        'ORDER',
        offset,
        `${formatTag(header.tag)} stands behind ${formatTag(previous)}`,
      );
    if (header.length !== UNDEFINED_LENGTH) head.fits(header.valueOffset + header.length, offset);
    if (visit(header)) return offset;
    offset = endOfValue(head, header, layout);
    previous = header.tag;
  }
  return offset;
}

/** Explicit VR under an implicit UID: the VR's letters would read as a length over 16 KB of a first element. */
function refuseOtherSyntax(head: Head, header: ElementHeader, layout: Layout): void {
  if (layout.explicit) return;
  const letters = head.latin1(header.offset + 4, header.offset + 6);
  if (vrTraits(letters) !== undefined)
    throw new DicomDecodeError(
      'BAD_VR',
      header.offset,
      'the data set is explicit VR, its transfer syntax implicit',
    );
}

/** Offset of what follows an element's value; a value of undefined length is walked to its delimiter. */
export function endOfValue(head: Head, header: ElementHeader, layout: Layout): number {
  if (header.length === UNDEFINED_LENGTH) return endOfUndefined(head, header, layout);
  const end = header.valueOffset + header.length;
  head.fits(end, header.offset);
  return end;
}

interface Frame {
  readonly kind: 'items' | 'elements' | 'fragments';
  readonly layout: Layout;
}

/** Not recursive: how deep a sender nests its sequences must not be our stack's depth. */
function endOfUndefined(head: Head, first: ElementHeader, layout: Layout): number {
  const frames: Frame[] = [contentOf(first, layout)];
  let offset = first.valueOffset;
  for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
    const header = readHeader(head, offset, frame.layout);
    const inner = frame.kind === 'elements' ? inItem(header, frame) : inSequence(header, frame);
    if (inner === 'end') frames.pop();
    else if (inner !== 'skip') frames.push(inner);
    if (frames.length > MAX_DEPTH)
      throw new DicomDecodeError('TOO_DEEP', offset, `sequences nest deeper than ${MAX_DEPTH} levels`);
    offset = inner === 'skip' ? endOfValue(head, header, frame.layout) : header.valueOffset;
  }
  return offset;
}

/** What a value of undefined length holds: a sequence (PS3.5 7.5), or fragments (PS3.5 A.4). */
function contentOf(header: ElementHeader, layout: Layout): Frame {
  if (!layout.explicit || header.vr === 'SQ') return { kind: 'items', layout };
  // PS3.5 6.2.2 note 4: UN of undefined length is a sequence in implicit VR little endian, whatever the syntax
  if (header.vr === 'UN') return { kind: 'items', layout: IMPLICIT_LE };
  if (header.vr === 'OB' || header.vr === 'OW') return { kind: 'fragments', layout };
  throw new DicomDecodeError(
    'BAD_LENGTH',
    header.offset,
    `${header.vr ?? 'an item'} cannot have undefined length`,
  );
}

type Step = Frame | 'end' | 'skip';

function inItem(header: ElementHeader, frame: Frame): Step {
  if (isDelimiter(header, ITEM_END)) return 'end';
  if (header.tag >>> 16 === 0xfffe)
    throw new DicomDecodeError('BAD_STRUCTURE', header.offset, 'an item ends without its delimiter');
  return header.length === UNDEFINED_LENGTH ? contentOf(header, frame.layout) : 'skip';
}

function inSequence(header: ElementHeader, frame: Frame): Step {
  if (isDelimiter(header, SEQUENCE_END)) return 'end';
  if (header.tag !== ITEM)
    throw new DicomDecodeError('BAD_STRUCTURE', header.offset, 'an item was expected here');
  if (header.length !== UNDEFINED_LENGTH) return 'skip';
  if (frame.kind === 'fragments')
    throw new DicomDecodeError('BAD_LENGTH', header.offset, 'a fragment cannot have undefined length');
  return { kind: 'elements', layout: frame.layout };
}

function isDelimiter(header: ElementHeader, tag: number): boolean {
  if (header.tag !== tag) return false;
  if (header.length !== 0)
    throw new DicomDecodeError('BAD_STRUCTURE', header.offset, 'a delimiter has a length');
  return true;
}
