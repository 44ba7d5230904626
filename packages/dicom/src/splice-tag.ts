/** The private tag that Scanflow adds: what it may be, and how it is encoded (PS3.5 7.8.1). */
import type { Layout } from './syntax.ts';

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

/** Whether a text can be the value of a tag's element. */
export const isTagText = (vr: TagElement['vr'], text: string): boolean =>
  TEXT.test(text) && text.length <= LONGEST[vr] && (vr !== 'DT' || DATE_TIME.test(text));

/** An instant as DT, in UTC and to the second (PS3.5 6.2). */
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

/** The tag to splice. */
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
