/** The data dictionary (PS3.6): keyword, tag and VR. */
import { dictionaryLines } from '#platform';
import type { Tag } from './dataset.ts';

interface Entry {
  readonly keyword: string;
  /** As the dictionary has it: `xs` where the context decides. */
  readonly given: string;
  readonly vr: string;
}

/** VRs that depend on the context, with the one that applies where nothing else is known (PS3.5 A.1, PS3.6 6). */
const CONTEXTUAL: Readonly<Record<string, string>> = { ox: 'OW', xs: 'US', lt: 'OW', up: 'UL', na: 'UN' };

interface Index {
  readonly tags: ReadonlyMap<string, Tag>;
  readonly entries: ReadonlyMap<Tag, Entry>;
}

let lines: readonly string[] | undefined;

/** Loaded when it is first needed: who only sends files begins without it. */
const data = (): readonly string[] => (lines ??= dictionaryLines());

let index: Index | undefined;

/** Built when it is first needed, in some 10 ms: a command that asks for a few keywords only begins without it. */
function indexed(): Index {
  if (index !== undefined) return index;
  const tags = new Map<string, Tag>();
  const entries = new Map<Tag, Entry>();
  for (const line of data()) {
    const tag = tagIn(line);
    const given = line.slice(9, 11);
    const keyword = line.slice(12);
    tags.set(keyword, tag);
    entries.set(tag, { keyword, given, vr: CONTEXTUAL[given] ?? given });
  }
  return (index = { tags, entries });
}

const tagIn = (line: string): Tag => Number.parseInt(line.slice(0, 8), 16);

/** Keywords that are looked for line by line before the index is worth its time. */
const FEW = 16;
const found = new Map<string, Tag>();

/** The tag of a keyword of PS3.6 (`PatientName`); throws on one that is unknown, since that is a slip in the code. */
export function tagOf(keyword: string): Tag {
  const tag = found.get(keyword) ?? find(keyword);
  if (tag === undefined) throw new Error(`The DICOM dictionary has no attribute '${keyword}'.`);
  return tag;
}

function find(keyword: string): Tag | undefined {
  if (index !== undefined || found.size === FEW) return indexed().tags.get(keyword);
  const line = data().find((one) => one.length === keyword.length + 12 && one.endsWith(keyword));
  if (line === undefined) return undefined;
  const tag = tagIn(line);
  found.set(keyword, tag);
  return tag;
}

/**
 * Keywords with their VR, of the attributes that a data set may have before its pixels (PS3.6): neither of commands nor
 * of the file's own header.
 */
export function attributeVrs(): ReadonlyMap<string, string> {
  const inDataSet = [...indexed().entries].filter(([tag]) => tag >= 0x00080000 && tag < 0x7fe00000);
  return new Map(inDataSet.map(([, { keyword, vr }]) => [keyword, vr]));
}

/** The keyword of a tag, for all groups of a repeating one (PS3.5 7.6); undefined for private and unknown tags. */
export function keywordOf(tag: Tag): string | undefined {
  return indexed().entries.get(generic(tag))?.keyword;
}

/**
 * The VR of a tag, UN where the dictionary has none. Where it depends on the context, OW for pixel data and lookup
 * tables and US for `US or SS`: see `isSignDependent`.
 */
export function vrOf(tag: Tag): string {
  const vr = indexed().entries.get(generic(tag))?.vr;
  if (vr !== undefined) return vr;
  if ((tag & 0xffff) === 0) return 'UL'; // group length, PS3.5 7.2
  return isPrivateCreator(tag) ? 'LO' : 'UN';
}

/** Whether the VR is US or SS by Pixel Representation (0028,0103). */
export function isSignDependent(tag: Tag): boolean {
  return indexed().entries.get(generic(tag))?.given === 'xs';
}

/** Private: an odd group (PS3.5 7.8). */
export function isPrivate(tag: Tag): boolean {
  return ((tag >>> 16) & 1) === 1;
}

/** Private Creator: (gggg,0010-00FF) of an odd group (PS3.5 7.8.1). */
export function isPrivateCreator(tag: Tag): boolean {
  const element = tag & 0xffff;
  return isPrivate(tag) && element >= 0x10 && element <= 0xff;
}

/** A tag as people write it: `(0010,0010)`, hexadecimal and in capitals. */
export function formatTag(tag: Tag): string {
  const hex = tag.toString(16).padStart(8, '0').toUpperCase();
  return `(${hex.slice(0, 4)},${hex.slice(4)})`;
}

/** Curves and overlays repeat in the even groups 5000-501E and 6000-601E; the dictionary names the first. */
function generic(tag: Tag): Tag {
  const group = tag >>> 16;
  const repeats = (group & 0xffe1) === 0x5000 || (group & 0xffe1) === 0x6000;
  return repeats ? (tag & 0xff00ffff) >>> 0 : tag;
}
