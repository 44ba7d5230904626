/** Character sets by the defined terms of (0008,0005), PS3.3 C.12.1.1.2: which there are, and their characters. */
import { iconv } from './iconv.ts';

/** One byte a character: ASCII below 0x80 (but for ISO_IR 13), and what stands above. */
export interface SingleByte {
  readonly kind: 'single';
  /** 128 characters for the bytes from 0x80; U+FFFD where there is none. */
  readonly high: string;
  /** The byte of a UTF-16 code unit from U+0080. */
  readonly bytes: ReadonlyMap<number, number>;
  /** JIS X 0201: 0x5C is a yen sign and 0x7E an overline (PS3.3 table C.12-2). */
  readonly japanese: boolean;
}
interface Utf8 {
  readonly kind: 'utf8';
}
/** GBK and GB18030, whose second bytes may be ASCII's. */
interface MultiByte {
  readonly kind: 'multi';
  readonly encoding: string;
}
/** Several sets, between which escape sequences switch (PS3.5 6.1.2.5). */
export interface Extended {
  readonly kind: 'extended';
  /** Whether the bytes below 0x80 are those of JIS X 0201 (ISO 2022 IR 13 as the first set). */
  readonly japanese: boolean;
  /** The set of the bytes from 0x80 at the start of a value; undefined where there is none. */
  readonly initial: Designated | undefined;
  /** In the order of (0008,0005), the initial one among them. */
  readonly sets: readonly Designated[];
}
/** A set that an escape sequence calls into G0 (bytes 21-7E) or G1 (bytes A1-FE). */
export interface Designated {
  readonly half: 'G0' | 'G1';
  /** What designates it (PS3.3 tables C.12-3 and C.12-4). */
  readonly escape: Uint8Array;
  /** The bytes of a UTF-16 code unit; undefined where the set lacks it. */
  readonly bytesOf: (code: number) => readonly number[] | undefined;
}
/** What one defined term names. */
export type PlainSet = SingleByte | Utf8 | MultiByte;
export type CharacterSet = PlainSet | Extended;

/** The number of ISO_IR nnn and of ISO 2022 IR nnn, with iconv's name (PS3.3 tables C.12-2 and C.12-3). */
const SINGLE: Readonly<Record<string, string>> = {
  101: 'iso-8859-2',
  109: 'iso-8859-3',
  110: 'iso-8859-4',
  144: 'iso-8859-5',
  127: 'iso-8859-6',
  126: 'iso-8859-7',
  138: 'iso-8859-8',
  148: 'iso-8859-9',
  203: 'iso-8859-15',
  166: 'tis620',
};
const sets = new Map<string, PlainSet>();

export const YEN = 0xa5;
export const OVERLINE = 0x203e;

/** The default repertoire, ISO_IR 6: ASCII. */
export const DEFAULT_CHARACTER_SET = 'ISO_IR 6';

/**
 * The character set of a defined term of (0008,0005), without code extensions; undefined for a term that is not
 * known. The empty term is the default repertoire. `ISO 2022 IR nnn` gives the set of `ISO_IR nnn`.
 */
export function characterSet(term: string): PlainSet | undefined {
  const known = sets.get(term);
  if (known !== undefined) return known;
  const made = make(term);
  if (made !== undefined) sets.set(term, made);
  return made;
}

function make(term: string): PlainSet | undefined {
  if (term === 'ISO_IR 192') return { kind: 'utf8' };
  if (term === 'GB18030' || term === 'GBK') return { kind: 'multi', encoding: term.toLowerCase() };
  const number = /^ISO(?:_| 2022 )IR (\d+)$/.exec(term)?.[1];
  if (term === '' || number === '6') return single('\ufffd'.repeat(128), false);
  if (number === '13') return japanese();
  if (number === '100') return single(upperHalf().toString('latin1'), false);
  const encoding = number === undefined ? undefined : SINGLE[number];
  return encoding === undefined ? undefined : single(iconv().decode(upperHalf(), encoding), false);
}

function upperHalf(): Buffer {
  return Buffer.from(Array.from({ length: 128 }, (_, index) => index + 128));
}

function single(high: string, isJapanese: boolean): SingleByte {
  const bytes = new Map<number, number>();
  for (let index = 0; index < 128; index++) {
    const code = high.charCodeAt(index);
    if (code !== 0xfffd) bytes.set(code, index + 128);
  }
  return { kind: 'single', high, bytes, japanese: isJapanese };
}

/** JIS X 0201: half-width katakana; on writing, full-width ones become half-width, with their voiced marks apart. */
function japanese(): SingleByte {
  const katakana = Array.from({ length: 63 }, (_, index) => String.fromCharCode(0xff61 + index));
  const { high, bytes } = single('\ufffd'.repeat(33) + katakana.join('') + '\ufffd'.repeat(32), true);
  const wide = katakana.map((half, index): [number, number] => [
    half.normalize('NFKC').charCodeAt(0),
    0xa1 + index,
  ]);
  return { kind: 'single', high, bytes: new Map([...wide, ...bytes, [OVERLINE, 0x7e]]), japanese: true };
}
