/**
 * The private tag, spliced into an encoded data set: which bytes go in where. Every byte of the file stays as it
 * came, save a group length of the tag's group (PS3.5 7.2), which has to count what was added.
 */
import { DicomDecodeError } from './dataset.ts';
import { fileLayout, readPart10Header } from './part10.ts';
import {
  freeBlock,
  groupLength,
  inBlock,
  ownBlocks,
  placeOf,
  readGroup,
  type Group,
} from './splice-group.ts';
import { encodeLo, requirePrivateTag, type PrivateTag } from './splice-tag.ts';
import { Head, NeedMore } from './splice-walk.ts';
import type { Layout } from './syntax.ts';

/** At `offset` of the original, `remove` bytes make way for `insert`. */
export interface Edit {
  readonly offset: number;
  readonly remove: number;
  readonly insert: Uint8Array;
}

export type SpliceRefusal =
  /** No preamble, or no file meta information that names a transfer syntax. */
  | 'TAG_NOT_PART10'
  /** The data set is one deflated stream (PS3.5 A.5). */
  | 'TAG_DEFLATED'
  /** A transfer syntax whose layout is not known. */
  | 'TAG_SYNTAX_UNKNOWN'
  /** The file ends inside an element, or after the last one something follows that is too short for one. */
  | 'TAG_TRUNCATED'
  /** The elements do not ascend, so that there is no sorted place. */
  | 'TAG_OUT_OF_ORDER'
  /** What stands before the place cannot be walked. */
  | 'TAG_UNDECODABLE'
  /** All 240 blocks of the group are taken (PS3.5 7.8.1). */
  | 'TAG_NO_FREE_BLOCK'
  /** The place lies further into the file than the caller is ready to hold. */
  | 'TAG_HEAD_TOO_LONG';

interface Refused {
  readonly kind: 'refused';
  readonly code: SpliceRefusal;
  /** For a person: what is wrong with the file, and what to do where something can be done. */
  readonly message: string;
}

export type SplicePlan =
  | { readonly kind: 'splice'; readonly edits: readonly Edit[] }
  | { readonly kind: 'already' }
  | { readonly kind: 'needMore'; readonly atLeast: number }
  | Refused;

export interface SpliceOptions {
  /** Length of the whole file in bytes, where known (Content-Length): a length that passes the end shows at once. */
  readonly fileSize?: number;
  /** The longest head to ask for, in bytes; 64 MiB unless told. */
  readonly maxHead?: number;
}

const MAX_HEAD = 64 * 1024 * 1024;

/**
 * Plans the splice from the first bytes of a file; `fileComplete` says that they are all of it. The plan depends
 * on the elements up to the first one behind the tag's group, and on nothing after that one's header.
 *
 * - 'splice': the edits, ascending, apart from each other, and all within `head`: `applyEdits(head, edits)`, then the
 *   rest of the file as it comes.
 * - 'already': an element of ours is there, whatever its value; the file stays as it is.
 * - 'needMore': call again with `atLeast` bytes or more (better twice as many: the head is walked anew). Never when
 *   the file is complete, never beyond `maxHead`.
 * - 'refused': the file stays as it is, and somebody should see why.
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
    return plan(new Head(head, fileComplete ? head.length : fileSize), tag);
  } catch (error) {
    if (error instanceof DicomDecodeError)
      return refuse(REFUSAL[error.code] ?? 'TAG_UNDECODABLE', error.message);
    if (!(error instanceof NeedMore)) throw error;
    if (error.atLeast <= maxHead) return { kind: 'needMore', atLeast: error.atLeast };
    return refuse('TAG_HEAD_TOO_LONG', `the tag's place lies behind the first ${maxHead} bytes`);
  }
}

const REFUSAL: Readonly<Record<string, SpliceRefusal>> = {
  NOT_PART10: 'TAG_NOT_PART10',
  TRUNCATED: 'TAG_TRUNCATED',
  ORDER: 'TAG_OUT_OF_ORDER',
};

function refuse(code: SpliceRefusal, message: string): Refused {
  return { kind: 'refused', code, message: `The file stays as it came, without the tag: ${message}.` };
}

function plan(head: Head, tag: PrivateTag): SplicePlan {
  const header = readPart10Header(head.bytes, head.size);
  if ('needMore' in header) throw new NeedMore(header.atLeast);
  const layout = fileLayout(header.transferSyntax);
  if (layout === 'deflated') return refuse('TAG_DEFLATED', 'its data set is deflated');
  if (layout === undefined)
    return refuse('TAG_SYNTAX_UNKNOWN', `its transfer syntax ${header.transferSyntax} is not known`);
  const group = readGroup(head, header.dataSetOffset, layout, tag.group);
  const own = ownBlocks(head, group, tag.creator);
  if (own.some((block) => group.elements.has(inBlock(block, tag)))) return { kind: 'already' };
  const block = own[0] ?? freeBlock(group);
  if (block === undefined)
    return refuse(
      'TAG_NO_FREE_BLOCK',
      `group ${tag.group.toString(16)} has no free block; configure another`,
    );
  const edits = insertions(head, group, layout, tag, block, own.length === 0);
  // a last value may be known by its length alone; the caller must not be told of a place that it does not hold
  for (const { offset, remove } of edits) head.require(offset + remove, offset);
  return { kind: 'splice', edits };
}

function insertions(
  head: Head,
  group: Group,
  layout: Layout,
  tag: PrivateTag,
  block: number,
  reserve: boolean,
): Edit[] {
  const add = (element: number, value: string): Edit => ({
    offset: placeOf(group, element),
    remove: 0,
    insert: encodeLo(tag.group, element, value, layout),
  });
  const added = [...(reserve ? [add(block, tag.creator)] : []), add(inBlock(block, tag), tag.value)];
  return [...updatedLength(head, group, layout, added), ...joined(added)];
}

/** Insertions at one offset become one, so that edits never touch each other. */
function joined(edits: readonly Edit[]): Edit[] {
  const [first, second] = edits;
  if (first === undefined || second === undefined || first.offset !== second.offset) return [...edits];
  const insert = new Uint8Array(first.insert.length + second.insert.length);
  insert.set(first.insert);
  insert.set(second.insert, first.insert.length);
  return [{ ...first, insert }];
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

/** The file with the edits done, for files that fit in memory. */
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
 * reserved and empty does not get that creator back. Throws DicomDecodeError where the tag is not there.
 */
export function removeSplice(bytes: Uint8Array, tag: PrivateTag): Uint8Array {
  requirePrivateTag(tag);
  const head = new Head(bytes, bytes.length);
  const header = readPart10Header(bytes, bytes.length);
  if ('needMore' in header) throw new NeedMore(header.atLeast);
  const layout = fileLayout(header.transferSyntax);
  if (layout === undefined || layout === 'deflated')
    throw new DicomDecodeError(
      'TRANSFER_SYNTAX',
      header.dataSetOffset,
      `${header.transferSyntax} is not read`,
    );
  const group = readGroup(head, header.dataSetOffset, layout, tag.group);
  const block = ownBlocks(head, group, tag.creator).find((own) => group.elements.has(inBlock(own, tag)));
  if (block === undefined)
    throw new DicomDecodeError('BAD_STRUCTURE', group.end, `the file has no element of ${tag.creator}`);
  const alone = [...group.elements.keys()].filter((element) => element >>> 8 === block).length === 1;
  const cut = (element: number): Edit => {
    const offset = placeOf(group, element);
    return { offset, remove: placeOf(group, element + 1) - offset, insert: new Uint8Array() };
  };
  const cuts = [...(alone ? [cut(block)] : []), cut(inBlock(block, tag))];
  return applyEdits(bytes, [...updatedLength(head, group, layout, cuts), ...cuts]);
}
