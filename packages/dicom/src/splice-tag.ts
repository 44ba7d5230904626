/** The private tag that Scanflow adds: what it may be, how it is encoded (PS3.5 7.8.1), and the group that it goes into. */
import { DicomDecodeError } from './dataset.ts';
import { formatTag } from './dictionary.ts';
import { UNDEFINED_LENGTH, walkTopLevel, type ElementHeader, type Head } from './splice-walk.ts';
import type { Layout } from './layout.ts';

/** One element of the block: 0x10 in block 11 is (gggg,1110). */
export interface TagElement {
  /** 0x00–0xFF. */
  readonly element: number;
  readonly vr: 'LO' | 'SH' | 'DT';
  readonly value: string;
}

/** The element by which a tagged file is known, and others that go into the same block. */
export interface PrivateTag extends TagElement {
  /** An odd group above 0007, not FFFF (PS3.5 7.1). */
  readonly group: number;
  /** Private Creator, LO: who the block of elements belongs to. */
  readonly creator: string;
  readonly also?: readonly TagElement[];
}

/** One value that any character set holds: ASCII, no `\`, no space at either end. */
const TEXT = /^(?! )[ -[\]-~]+(?<! )$/;
/** Characters at most (PS3.5 6.2). */
const LONGEST = { LO: 64, SH: 16, DT: 26 } as const;
const DATE_TIME = /^\d{14}(\.\d{1,6})?([+-]\d{4})?$/;

/**
 * Whether a text can be the value of a tag's element: ASCII without a backslash, and as short as its VR wants (PS3.5 6.2).
 */
export const isTagText = (vr: TagElement['vr'], text: string): boolean =>
  TEXT.test(text) && text.length <= LONGEST[vr] && (vr !== 'DT' || DATE_TIME.test(text));

/** An instant as a DT value in UTC, to the second: `2026-11-22T09:00:00Z` becomes `20261122090000+0000` (PS3.5 6.2). */
export const utcDateTime = (instant: Temporal.Instant): string =>
  `${instant.toString({ smallestUnit: 'second' }).replace(/[-:TZ]/g, '')}+0000`;

/** A tag as configuration and `series.json` write it. Numbers are hexadecimal. */
export interface TagText extends Pick<PrivateTag, 'creator' | 'value'> {
  readonly group: string;
  readonly element: string;
  readonly accession?: { readonly element: string; readonly value: string };
  /** As DT in UTC. */
  readonly time?: { readonly element: string; readonly value: string };
}

/**
 * The tag to splice, from its texts in the configuration or in `series.json`.
 *
 * @param tag group and elements in hexadecimal digits; whoever calls has checked them, since others become NaN
 */
export function privateTagOf({ group, creator, element, value, accession, time }: TagText): PrivateTag {
  const number = (digits: string): number => Number.parseInt(digits, 16);
  const also: TagElement[] = [];
  if (accession !== undefined)
    also.push({ element: number(accession.element), vr: 'SH', value: accession.value });
  if (time !== undefined) also.push({ element: number(time.element), vr: 'DT', value: time.value });
  return { group: number(group), creator, element: number(element), vr: 'LO', value, also };
}

/** All elements of the block that the tag is made of. */
export const elementsOf = (tag: PrivateTag): readonly TagElement[] => [tag, ...(tag.also ?? [])];

/** Throws RangeError for a tag that cannot be encoded; its message says what is wrong with it. */
export function requirePrivateTag(tag: PrivateTag): void {
  const { group, creator } = tag;
  if (!Number.isInteger(group) || group % 2 !== 1 || group < 0x0009 || group > 0xfffd)
    throw new RangeError(`group ${group.toString(16)} is not private: it must be odd, from 0009 to FFFD`);
  requireText('LO', creator);
  const numbers = new Set<number>();
  for (const { element, vr, value } of elementsOf(tag)) {
    if (!Number.isInteger(element) || element < 0 || element > 0xff)
      throw new RangeError(`element ${element.toString(16)} is not one of a block: it must be 00 to FF`);
    if (numbers.has(element)) throw new RangeError(`element ${element.toString(16)} is there twice`);
    numbers.add(element);
    requireText(vr, value);
  }
}

function requireText(vr: TagElement['vr'], text: string): void {
  if (isTagText(vr, text)) return;
  throw new RangeError(
    vr === 'DT'
      ? `'${text}' is no date and time (YYYYMMDDHHMMSS+ZZXX)`
      : `'${text}' must be 1 to ${LONGEST[vr]} ASCII characters, without \\ and without spaces around`,
  );
}

/** A text element of a short-form VR, encoded and padded to even length (PS3.5 6.2, 7.1). */
export function encodeText(group: number, { element, vr, value }: TagElement, layout: Layout): Uint8Array {
  const little = !layout.bigEndian;
  const padded = value.length % 2 === 0 ? value : `${value} `;
  const bytes = new Uint8Array(8 + padded.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, group, little);
  view.setUint16(2, element, little);
  if (layout.explicit) {
    bytes.set([vr.charCodeAt(0), vr.charCodeAt(1)], 4);
    view.setUint16(6, padded.length, little);
  } else {
    view.setUint32(4, padded.length, little);
  }
  for (let index = 0; index < padded.length; index += 1) bytes[8 + index] = padded.charCodeAt(index);
  return bytes;
}

/** A private group of an encoded data set as it stands. */
export interface Group {
  /** By element number, ascending. */
  readonly elements: ReadonlyMap<number, ElementHeader>;
  /** Offset of the first element behind the group, or of the file's end. */
  readonly end: number;
}

/** Reads a group. The walk ends at the first element behind it, and never sees the rest of the file. */
export function readGroup(head: Head, dataSetOffset: number, layout: Layout, group: number): Group {
  const elements = new Map<number, ElementHeader>();
  const end = walkTopLevel(head, dataSetOffset, layout, (header) => {
    if (header.tag >>> 16 === group) elements.set(header.tag & 0xffff, header);
    return header.tag >>> 16 > group;
  });
  return { elements, end };
}

/** The sorted place of an element, present or not: before the next higher one. */
export function placeOf({ elements, end }: Group, element: number): number {
  for (const [other, { offset }] of elements) if (other >= element) return offset;
  return end;
}

/** The number of a block's element in its group: (gggg,xx10) for 10 in block xx. */
export function inBlock(block: number, element: number): number {
  return block * 0x100 + element;
}

/** The blocks that the tag's creator has reserved, in most files none or one (PS3.5 7.8.1). */
export function ownBlocks(head: Head, { elements }: Group, creator: string): number[] {
  return [...elements]
    .filter(([element, header]) => isCreator(element) && textOf(head, header) === creator)
    .map(([element]) => element);
}

/**
 * The lowest block that nobody reserved; undefined where there is none. A block that holds elements although it has
 * no creator is taken too: ours would claim them.
 */
export function freeBlock({ elements }: Group): number | undefined {
  const taken = new Set(
    [...elements.keys()].map((element) => (isCreator(element) ? element : element >>> 8)),
  );
  for (let block = 0x10; block <= 0xff; block += 1) if (!taken.has(block)) return block;
  return undefined;
}

/** In bytes: LO is at most 64 characters, and ours is ASCII; some room for padding. */
const MAX_CREATOR = 128;

function isCreator(element: number): boolean {
  return element >= 0x10 && element <= 0xff;
}

/** A creator's value; leading and trailing spaces do not count (PS3.5 6.2, LO), nor NUL, which some pad with. */
function textOf(head: Head, { offset, valueOffset, length }: ElementHeader): string | undefined {
  if (length === UNDEFINED_LENGTH || length > MAX_CREATOR) return undefined;
  head.require(valueOffset + length, offset);
  return head.latin1(valueOffset, valueOffset + length).replace(/^ +|[ \0]+$/g, '');
}

/** The group length's value and where it stands (PS3.5 7.2); undefined where the group has none. */
export function groupLength(
  head: Head,
  { elements }: Group,
  layout: Layout,
): { readonly offset: number; readonly value: number } | undefined {
  const header = elements.get(0);
  if (header === undefined) return undefined;
  if (header.length !== 4)
    throw new DicomDecodeError(
      'BAD_LENGTH',
      header.offset,
      `group length ${formatTag(header.tag)} is not 4 bytes`,
    );
  head.require(header.valueOffset + 4, header.offset);
  return { offset: header.valueOffset, value: head.view.getUint32(header.valueOffset, !layout.bigEndian) };
}
