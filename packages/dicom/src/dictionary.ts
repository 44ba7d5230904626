/** The data dictionary (PS3.6): keyword, tag and VR. The only file that imports dcmjs. */
import { createRequire } from 'node:module';
import type dcmjs from 'dcmjs';
import type { Tag } from './dataset.ts';

// Its CommonJS build loads in half the time of the other one, and is the copy that dcmjs-dimse has loaded too.
const { data } = createRequire(import.meta.url)('dcmjs') as typeof dcmjs;

interface Entry {
  readonly keyword: string;
  readonly vr: string;
}

const tags = new Map<string, Tag>();
const entries = new Map<Tag, Entry>();
for (const { name, tag, vr } of Object.values(data.DicomMetaDictionary.nameMap)) {
  const number = Number.parseInt(tag.slice(1, 5) + tag.slice(6, 10), 16);
  // Retired attributes carry a prefix there that is no part of the keyword in PS3.6.
  const keyword = name.replace(/^RETIRED_/, '');
  if (!tags.has(keyword) || name === keyword) tags.set(keyword, number);
  if (!entries.has(number) || name === keyword) entries.set(number, { keyword, vr });
}

/** VRs that depend on the context, with the one that applies where nothing else is known (PS3.5 A.1, PS3.6 6). */
const CONTEXTUAL: Readonly<Record<string, string>> = { ox: 'OW', xs: 'US', lt: 'OW', up: 'UL', na: 'UN' };

/** The tag of a keyword of PS3.6 (`PatientName`); throws on one that is unknown, since that is a slip in the code. */
export function tagOf(keyword: string): Tag {
  const tag = tags.get(keyword);
  if (tag === undefined) throw new Error(`The DICOM dictionary has no attribute '${keyword}'.`);
  return tag;
}

/** The keyword of a tag, for all groups of a repeating one (PS3.5 7.6); undefined for private and unknown tags. */
export function keywordOf(tag: Tag): string | undefined {
  return entries.get(generic(tag))?.keyword;
}

/**
 * The VR of a tag, UN where the dictionary has none. Where it depends on the context, OW for pixel data and lookup
 * tables and US for `US or SS`: see `isSignDependent`.
 */
export function vrOf(tag: Tag): string {
  const vr = entries.get(generic(tag))?.vr;
  if (vr !== undefined) return CONTEXTUAL[vr] ?? vr;
  if ((tag & 0xffff) === 0) return 'UL'; // group length, PS3.5 7.2
  return isPrivateCreator(tag) ? 'LO' : 'UN';
}

/** Whether the VR is US or SS by Pixel Representation (0028,0103). */
export function isSignDependent(tag: Tag): boolean {
  return entries.get(generic(tag))?.vr === 'xs';
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

/** `(0010,0010)`. */
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
