/** One private group of an encoded data set as it stands: its elements, its blocks and who reserved them. */
import { formatTag } from './dictionary.ts';
import { DicomDecodeError } from './dataset.ts';
import { UNDEFINED_LENGTH, walkTopLevel } from './splice-walk.ts';
import type { ElementHeader, Head } from './splice-walk.ts';
import type { Layout } from './syntax.ts';

export interface Group {
  /** By element number, ascending. */
  readonly elements: ReadonlyMap<number, ElementHeader>;
  /** Offset of the first element behind the group, or of the file's end. */
  readonly end: number;
}

/** Reads a group. The walk ends at the first element behind it, so what follows that is not looked at. */
export function readGroup(head: Head, dataSetOffset: number, layout: Layout, group: number): Group {
  const elements = new Map<number, ElementHeader>();
  const end = walkTopLevel(head, dataSetOffset, layout, (header) => {
    if (header.tag >>> 16 === group) elements.set(header.tag & 0xffff, header);
    return header.tag >>> 16 > group;
  });
  return { elements, end };
}

/** Where an element has its sorted place, or would have it: before the next higher one. */
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
