/** Walks an encoded data set by its element headers. Values are stepped over; no length is believed unchecked. */
import { latin1, viewOf } from '#platform';
import { DicomDecodeError } from './dataset.ts';
import { formatTag, vrOf } from './dictionary.ts';
import { type Layout, vrOfCode } from './layout.ts';

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
  readonly #text: Uint8Array;

  constructor(bytes: Uint8Array, size: number | undefined) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#text = viewOf(bytes);
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
    return latin1(this.#text, start, end);
  }
}

const ITEM = 0xfffee000;
const ITEM_END = 0xfffee00d;
const SEQUENCE_END = 0xfffee0dd;
export const MAX_DEPTH = 64;
/** Groups of commands, file meta information and items (PS3.5 7.1, 7.5). */
export const FOREIGN: ReadonlySet<number> = new Set([0x0000, 0x0002, 0xfffe]);

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
  const traits = vrOfCode(view.getUint16(offset + 4));
  if (traits === undefined) {
    const letters = JSON.stringify(head.latin1(offset + 4, offset + 6));
    throw new DicomDecodeError('BAD_VR', offset, `${letters} is no value representation`);
  }
  const { vr } = traits;
  if (!traits.long)
    return { tag, vr, offset, valueOffset: offset + 8, length: view.getUint16(offset + 6, little) };
  head.require(offset + 12, offset);
  return { tag, vr, offset, valueOffset: offset + 12, length: view.getUint32(offset + 8, little) };
}

/** Where a walk over top-level elements is, and the tag before that. */
export interface Place {
  offset: number;
  previous: number;
}

/**
 * Moves on over elements of explicit VR little endian, without an object for each header: most of a file. It stops at
 * the tag `before`, and at each element that needs a closer look: a sequence, an undefined length, one that is out of
 * order, passes `end`, or is no element.
 */
export function skim(
  { view }: Head,
  place: Place,
  { before = Infinity, end = Infinity }: { before?: number; end?: number | undefined },
): void {
  for (let { offset } = place; offset + 12 <= view.byteLength; place.offset = offset) {
    const group = view.getUint16(offset, true);
    const tag = group * 0x10000 + view.getUint16(offset + 2, true);
    const traits = vrOfCode(view.getUint16(offset + 4));
    if (tag >= before || tag <= place.previous || traits === undefined || traits.kind === 'sequence') return;
    const length = traits.long ? view.getUint32(offset + 8, true) : view.getUint16(offset + 6, true);
    offset += (traits.long ? 12 : 8) + length;
    if (length === UNDEFINED_LENGTH || offset > end || FOREIGN.has(group)) return;
    place.previous = tag;
  }
}

/**
 * Visits the top-level elements of a data set until `visit` answers true or the file ends; gives the offset of
 * the element it stopped at, or of the file's end. Tags must ascend (PS3.5 7.1). Throws NeedMore, or
 * DicomDecodeError for what cannot be walked. `from`: elements before this tag need no visit.
 */
export function walkTopLevel(
  head: Head,
  start: number,
  layout: Layout,
  visit: (header: ElementHeader) => boolean,
  from = 0,
): number {
  const place: Place = { offset: start, previous: -1 };
  for (;;) {
    if (from > 0 && layout.explicit && !layout.bigEndian) skim(head, place, { before: from, end: head.size });
    const { offset, previous } = place;
    if (offset === head.size) return offset;
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
    place.offset = endOfValue(head, header, layout);
    place.previous = header.tag;
  }
}

/** Explicit VR under an implicit UID: the VR's letters would read as a length over 16 KB of a first element. */
function refuseOtherSyntax(head: Head, header: ElementHeader, layout: Layout): void {
  if (layout.explicit) return;
  if (vrOfCode(head.view.getUint16(header.offset + 4)) !== undefined)
    throw new DicomDecodeError(
      'BAD_VR',
      header.offset,
      'the data set is explicit VR, its transfer syntax implicit',
    );
}

/**
 * Offset of what follows an element's value. Sequences are walked, those of defined length too: an item that is
 * longer than its sequence makes readers disagree on where the sequence ends.
 */
export function endOfValue(head: Head, header: ElementHeader, layout: Layout): number {
  const content = contentOf(header, layout, Infinity);
  return content === undefined ? endOfPlain(head, header) : endOfContent(head, content, header.valueOffset);
}

function endOfPlain(head: Head, header: ElementHeader): number {
  const end = header.valueOffset + header.length;
  head.fits(end, header.offset);
  return end;
}

/** A value that is being walked through. */
export interface Frame {
  readonly kind: 'items' | 'elements' | 'fragments';
  readonly layout: Layout;
  /** Undefined where a delimiter ends it. */
  readonly end: number | undefined;
  /** Where the innermost value of defined length ends that this is in. */
  readonly limit: number;
}

/** Not recursive: how deep a sender nests its sequences must not be our stack's depth. */
function endOfContent(head: Head, content: Frame, start: number): number {
  const frames: Frame[] = [content];
  let offset = start;
  for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
    if (offset === frame.end) {
      frames.pop();
      continue;
    }
    const header = readHeader(head, offset, frame.layout);
    if (header.valueOffset > frame.limit)
      throw new DicomDecodeError('BAD_STRUCTURE', offset, 'an element passes the end of what it stands in');
    const inner = frame.kind === 'elements' ? inItem(header, frame) : inSequence(header, frame);
    if (inner === 'end') frames.pop();
    else if (inner !== undefined) frames.push(inner);
    if (frames.length > MAX_DEPTH)
      throw new DicomDecodeError('TOO_DEEP', offset, `sequences nest deeper than ${MAX_DEPTH} levels`);
    offset = inner === undefined ? endOfPlain(head, header) : header.valueOffset;
  }
  return offset;
}

function frameOf(kind: Frame['kind'], layout: Layout, header: ElementHeader, limit: number): Frame {
  if (header.length === UNDEFINED_LENGTH) return { kind, layout, end: undefined, limit };
  const end = header.valueOffset + header.length;
  return { kind, layout, end, limit: end };
}

/** What a value holds: a sequence (PS3.5 7.5), fragments (PS3.5 A.4), or, undefined, plain bytes. */
export function contentOf(header: ElementHeader, layout: Layout, limit: number): Frame | undefined {
  const { vr, tag, offset } = header;
  const open = header.length === UNDEFINED_LENGTH;
  if (!open && header.valueOffset + header.length > limit)
    throw new DicomDecodeError('BAD_STRUCTURE', offset, `${formatTag(tag)} is longer than what it stands in`);
  const sequence = layout.explicit ? vr === 'SQ' : open || vrOf(tag) === 'SQ';
  if (sequence) return frameOf('items', layout, header, limit);
  if (!open) return undefined;
  // PS3.5 6.2.2 note 4: UN of undefined length is a sequence in implicit VR little endian, whatever the syntax
  if (vr === 'UN') return frameOf('items', IMPLICIT_LE, header, limit);
  if (vr === 'OB' || vr === 'OW') return frameOf('fragments', layout, header, limit);
  throw new DicomDecodeError('BAD_LENGTH', offset, `${formatTag(tag)} cannot have undefined length`);
}

/** A value to walk through, the end of the one that we are in, or, undefined, plain bytes to step over. */
export type Step = Frame | 'end' | undefined;

export function inItem(header: ElementHeader, frame: Frame): Step {
  if (isDelimiter(header, ITEM_END, frame)) return 'end';
  if (header.tag >>> 16 === 0xfffe)
    throw new DicomDecodeError('BAD_STRUCTURE', header.offset, 'an item ends without its delimiter');
  return contentOf(header, frame.layout, frame.limit);
}

export function inSequence(header: ElementHeader, frame: Frame): Step {
  if (isDelimiter(header, SEQUENCE_END, frame)) return 'end';
  if (header.tag !== ITEM)
    throw new DicomDecodeError('BAD_STRUCTURE', header.offset, 'an item was expected here');
  const open = header.length === UNDEFINED_LENGTH;
  if (!open && header.valueOffset + header.length > frame.limit)
    throw new DicomDecodeError('BAD_STRUCTURE', header.offset, 'an item is longer than its sequence');
  if (frame.kind === 'items') return frameOf('elements', frame.layout, header, frame.limit);
  if (open)
    throw new DicomDecodeError('BAD_LENGTH', header.offset, 'a fragment cannot have undefined length');
  return undefined;
}

function isDelimiter(header: ElementHeader, tag: number, frame: Frame): boolean {
  if (header.tag !== tag) return false;
  if (header.length !== 0)
    throw new DicomDecodeError('BAD_STRUCTURE', header.offset, 'a delimiter has a length');
  if (frame.end !== undefined)
    throw new DicomDecodeError(
      'BAD_STRUCTURE',
      header.offset,
      'a delimiter stands in a value of defined length',
    );
  return true;
}
