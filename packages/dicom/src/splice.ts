/**
 * The private tag, spliced into an encoded data set: which bytes go in where. Every byte of the file stays as it
 * came, save a group length of the tag's group (PS3.5 7.2), which has to count what was added.
 */
import { DicomDecodeError } from './dataset.ts';
import { inDataSet, inflateFile, type Located } from './locate.ts';
import {
  elementsOf,
  encodeText,
  freeBlock,
  groupLength,
  inBlock,
  ownBlocks,
  placeOf,
  readGroup,
  requirePrivateTag,
  type Group,
  type PrivateTag,
  type TagElement,
} from './splice-tag.ts';
import { Head, NeedMore } from './splice-walk.ts';
import type { Layout } from './layout.ts';

/** At `offset` of the original, `remove` bytes make way for `insert`. */
export interface Edit {
  readonly offset: number;
  readonly remove: number;
  readonly insert: Uint8Array;
}

type SpliceRefusal =
  /** The file meta information names no transfer syntax, and the data set does not show its own for certain. */
  | 'TAG_NOT_PART10'
  /** A transfer syntax whose layout is not known. */
  | 'TAG_SYNTAX_UNKNOWN'
  /** The file ends inside an element, or bytes follow the last one that are too few for an element. */
  | 'TAG_TRUNCATED'
  /** The elements do not ascend, so that there is no sorted place. */
  | 'TAG_OUT_OF_ORDER'
  /** The walk cannot get past an element before the place. */
  | 'TAG_UNDECODABLE'
  /** All 240 blocks of the group are taken (PS3.5 7.8.1). */
  | 'TAG_NO_FREE_BLOCK'
  /** The place lies further into the file than the caller is ready to hold. */
  | 'TAG_HEAD_TOO_LONG'
  /** The deflated data set breaks off, has something behind it, or is larger than any may be (PS3.5 A.5). */
  | 'TAG_INFLATE_FAILED';

export interface Refused {
  readonly kind: 'refused';
  readonly code: SpliceRefusal;
  /** For a person: the fault of the file, and the remedy if there is one. */
  readonly message: string;
}

export type SplicePlan =
  | {
      readonly kind: 'splice';
      readonly edits: readonly Edit[];
      /** Where a deflated data set starts: the edits are for the file with its data set inflated. */
      readonly deflatedFrom?: number;
    }
  | { readonly kind: 'already' }
  | { readonly kind: 'needMore'; readonly atLeast: number }
  | Refused;

interface SpliceOptions {
  /** Length of the whole file in bytes, where known: a length that passes the end shows at once. */
  readonly fileSize?: number;
  /** The longest head to request, in bytes; 64 MiB by default. */
  readonly maxHead?: number;
}

const MAX_HEAD = 64 * 1024 * 1024;

/**
 * Plans the splice from the first bytes of a file; `fileComplete` says that they are all of it. The plan depends
 * on the elements up to the first one behind the tag's group, and on nothing after that one's header.
 *
 * - 'splice': the edits, ascending, apart from each other, and all within `head`: `applyEdits(head, edits)`, then the
 *   rest of the file as it comes. With `deflatedFrom`, the file has to be inflated first: TagStream does so.
 * - 'already': an element of ours is there, whatever its value; the file stays as it is.
 * - 'needMore': call again with `atLeast` bytes or more (better twice as many: the head is walked anew). Never when
 *   the file is complete, never beyond `maxHead`.
 * - 'refused': the file stays as it is, and a person should look into the reason.
 *
 * Throws RangeError for a tag that cannot be (an even group, a value over 64 characters …).
 */
export function planSplice(
  head: Uint8Array,
  tag: PrivateTag,
  fileComplete: boolean,
  { fileSize, maxHead = MAX_HEAD }: SpliceOptions = {},
): SplicePlan {
  requirePrivateTag(tag);
  try {
    return inDataSet(new Head(head, fileComplete ? head.length : fileSize), (located) => plan(located, tag));
  } catch (error) {
    if (error instanceof DicomDecodeError)
      return refuse(REFUSAL[error.code] ?? 'TAG_UNDECODABLE', error.message);
    if (!(error instanceof NeedMore)) throw error;
    if (error.atLeast <= maxHead) return { kind: 'needMore', atLeast: error.atLeast };
    return refuse(
      'TAG_HEAD_TOO_LONG',
      `the tag's place lies behind the first ${maxHead} bytes; configure a lower group`,
    );
  }
}

const REFUSAL: Readonly<Record<string, SpliceRefusal>> = {
  NOT_PART10: 'TAG_NOT_PART10',
  TRANSFER_SYNTAX: 'TAG_SYNTAX_UNKNOWN',
  TRUNCATED: 'TAG_TRUNCATED',
  ORDER: 'TAG_OUT_OF_ORDER',
};

/** A refusal, in words. */
export function refuse(code: SpliceRefusal, message: string): Refused {
  return { kind: 'refused', code, message: `The file stays as it came, without the tag: ${message}.` };
}

function plan({ head, header, layout, deflated }: Located, tag: PrivateTag): SplicePlan {
  const group = readGroup(head, header.dataSetOffset, layout, tag.group);
  const own = ownBlocks(head, group, tag.creator);
  const has = (block: number, { element }: TagElement): boolean =>
    group.elements.has(inBlock(block, element));
  if (own.some((block) => has(block, tag))) return { kind: 'already' };
  const elements = elementsOf(tag);
  const open = own.find((block) => !elements.some((element) => has(block, element)));
  const block = open ?? freeBlock(group);
  if (block === undefined)
    return refuse(
      'TAG_NO_FREE_BLOCK',
      `group ${tag.group.toString(16).padStart(4, '0')} has no free block; configure another`,
    );
  const creator: TagElement[] = open === undefined ? [{ element: block, vr: 'LO', value: tag.creator }] : [];
  const ours = elements.map((one) => ({ ...one, element: inBlock(block, one.element) }));
  const edits = insertions(head, group, layout, tag.group, [...creator, ...ours]);
  // a last value may be known by its length alone; the caller must not get a place that it does not hold
  for (const { offset, remove } of edits) head.require(offset + remove, offset);
  return { kind: 'splice', edits, ...(deflated ? { deflatedFrom: header.dataSetOffset } : {}) };
}

function insertions(
  head: Head,
  group: Group,
  layout: Layout,
  number: number,
  elements: readonly TagElement[],
): Edit[] {
  const added = [...elements]
    .sort((a, b) => a.element - b.element)
    .map((one): Edit => ({
      offset: placeOf(group, one.element),
      remove: 0,
      insert: encodeText(number, one, layout),
    }));
  return [...updatedLength(head, group, layout, added), ...joined(added)];
}

/** Insertions at one offset become one, so that edits never touch each other. */
function joined(edits: readonly Edit[]): Edit[] {
  const places = Map.groupBy(edits, ({ offset }) => offset);
  return [...places].map(([offset, all]) => ({
    offset,
    remove: 0,
    insert: Buffer.concat(all.map(({ insert }) => insert)),
  }));
}

function updatedLength(head: Head, group: Group, layout: Layout, edits: readonly Edit[]): Edit[] {
  const length = groupLength(head, group, layout);
  if (length === undefined) return [];
  const value = length.value + growthBy(edits);
  if (value < 0 || value > 0xfffffffe)
    throw new DicomDecodeError(
      'BAD_LENGTH',
      length.offset,
      'the group length does not hold what it should count',
    );
  const insert = new Uint8Array(4);
  new DataView(insert.buffer).setUint32(0, value, !layout.bigEndian);
  return [{ offset: length.offset, remove: 4, insert }];
}

function growthBy(edits: readonly Edit[]): number {
  return edits.reduce((sum, { insert, remove }) => sum + insert.length - remove, 0);
}

/**
 * A copy of the file with the edits done, for files that fit in memory.
 *
 * @param edits from `planSplice` or `removeSplice`: in the order of their offsets, without overlap
 */
export function applyEdits(bytes: Uint8Array, edits: readonly Edit[]): Uint8Array {
  const result = new Uint8Array(bytes.length + growthBy(edits));
  let from = 0;
  let to = 0;
  const put = (part: Uint8Array): void => {
    result.set(part, to);
    to += part.length;
  };
  for (const { offset, remove, insert } of edits) {
    put(bytes.subarray(from, offset));
    put(insert);
    from = offset + remove;
  }
  put(bytes.subarray(from));
  return result;
}

/**
 * Takes the tag out of a tagged file, which gives the original's bytes: to verify what was stored. The block's
 * Private Creator goes too where nothing else uses the block, so that only a file which came with its block
 * reserved and empty does not get that creator back. Of `tag`, only the numbers and the creator count. A deflated file
 * comes inflated, to be compared with `inflateFile(original)`. Throws DicomDecodeError where the tag is not there.
 */
export function removeSplice(bytes: Uint8Array, tag: PrivateTag): Uint8Array {
  requirePrivateTag(tag);
  const edits = inDataSet(new Head(bytes, bytes.length), ({ head, header, layout }) => {
    const group = readGroup(head, header.dataSetOffset, layout, tag.group);
    const block = ownBlocks(head, group, tag.creator).find((own) =>
      group.elements.has(inBlock(own, tag.element)),
    );
    if (block === undefined)
      throw new DicomDecodeError('BAD_STRUCTURE', group.end, `the file has no element of ${tag.creator}`);
    const ours = new Set(elementsOf(tag).map(({ element }) => inBlock(block, element)));
    const alone = ![...group.elements.keys()].some(
      (element) => element >>> 8 === block && !ours.has(element),
    );
    const cuts = [...group.elements.keys()]
      .filter((element) => ours.has(element) || (alone && element === block))
      .map((element): Edit => {
        const offset = placeOf(group, element);
        return { offset, remove: placeOf(group, element + 1) - offset, insert: new Uint8Array() };
      });
    return [...updatedLength(head, group, layout, cuts), ...cuts];
  });
  return applyEdits(inflateFile(bytes), edits);
}
