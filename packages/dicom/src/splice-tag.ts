/** The private tag that Scanflow adds: what it may be, and how it is encoded (PS3.5 7.8.1). */
import type { Layout } from './syntax.ts';

export interface PrivateTag {
  /** An odd group above 0007, not FFFF (PS3.5 7.1). */
  readonly group: number;
  /** Private Creator, LO: who the block of elements belongs to. */
  readonly creator: string;
  /** Which element of the block, 0x00–0xFF: 0x10 in block 11 is (gggg,1110). */
  readonly element: number;
  readonly vr: 'LO';
  readonly value: string;
}

/** One LO value that any character set holds: 1 to 64 characters of ASCII, no `\`, no space at either end. */
const LO = /^(?! )[ -[\]-~]{1,64}(?<! )$/;

/** Throws RangeError for a tag that cannot be encoded; its message says what is wrong with it. */
export function requirePrivateTag({ group, creator, element, value }: PrivateTag): void {
  if (!Number.isInteger(group) || group % 2 !== 1 || group < 0x0009 || group > 0xfffd)
    throw new RangeError(`group ${group.toString(16)} is not private: it must be odd, from 0009 to FFFD`);
  if (!Number.isInteger(element) || element < 0 || element > 0xff)
    throw new RangeError(`element ${element.toString(16)} is not one of a block: it must be 00 to FF`);
  for (const text of [creator, value]) {
    if (!LO.test(text))
      throw new RangeError(
        `'${text}' must be 1 to 64 ASCII characters, without \\ and without spaces around`,
      );
  }
}

/** One LO element, encoded and padded to even length (PS3.5 6.2, 7.1). */
export function encodeLo(group: number, element: number, value: string, layout: Layout): Uint8Array {
  const little = !layout.bigEndian;
  const padded = value.length % 2 === 0 ? value : `${value} `;
  const bytes = new Uint8Array(8 + padded.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, group, little);
  view.setUint16(2, element, little);
  if (layout.explicit) {
    bytes.set([0x4c, 0x4f], 4); // LO
    view.setUint16(6, padded.length, little);
  } else {
    view.setUint32(4, padded.length, little);
  }
  for (let index = 0; index < padded.length; index += 1) bytes[8 + index] = padded.charCodeAt(index);
  return bytes;
}
