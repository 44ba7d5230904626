/** Whether a file's data set ends where the file ends, found by its element headers alone: a file that was cut shows. */
import { defined } from '@scanflow/failure/defined';
import { DicomDecodeError } from './dataset.ts';
import { inflateHead } from './locate.ts';
import { formatTag, vrOf } from './dictionary.ts';
import { fileLayout, type Part10Header } from './part10.ts';
import type { Edit } from './splice.ts';
import {
  contentOf,
  FOREIGN,
  Head,
  inItem,
  inSequence,
  MAX_DEPTH,
  NeedMore,
  readHeader,
  skim,
  UNDEFINED_LENGTH,
  type ElementHeader,
  type Frame,
} from './splice-walk.ts';
import { type Layout, requireVr } from './layout.ts';

export type FileEnd =
  /**
   * It is whole. Where its data set has an odd number of bytes, `edits` make values of odd length even (PS3.5 7.1.1), and
   * `pad` is the byte that follows the last one.
   */
  | { readonly kind: 'whole'; readonly edits: readonly Edit[]; readonly pad?: number }
  /** It was cut, or never finished: what it announces does not come. */
  | { readonly kind: 'broken'; readonly why: string }
  /** Its elements cannot be walked to their end, or not by what could be read. */
  | { readonly kind: 'unknown' };

/** Bytes of the file from a place, at least so many unless it ends before; undefined where they cannot be had. */
export type BytesAt = (offset: number, length: number) => Uint8Array | Promise<Uint8Array> | undefined;

/** Read at a time for headers that the caller does not hold. */
const WINDOW = 4096;
/** A larger deflated stream is not inflated to see its end. */
const MAX_DEFLATED = 16 * 1024 * 1024;
const MAX_INFLATED = 256 * 1024 * 1024;
/** More than any file has that was made in good faith. */
const MAX_HEADERS = 10_000_000;

const UNKNOWN: FileEnd = { kind: 'unknown' };
const broken = (why: string): FileEnd => ({ kind: 'broken', why });

/** Walks the file to its end; rejects with what `bytesAt` rejects with. `head`: its first bytes, as far as they are held. */
export async function fileEnd(
  header: Part10Header,
  size: number,
  bytesAt: BytesAt,
  head: Uint8Array = new Uint8Array(),
): Promise<FileEnd> {
  const layout = fileLayout(header.transferSyntax);
  if (layout === undefined) return UNKNOWN;
  if (layout === 'deflated') return deflatedEnd(header.dataSetOffset, size, bytesAt);
  const walk = new Walk(header.dataSetOffset, size, layout);
  let bytes = head;
  let base = 0;
  for (let count = 0; count < MAX_HEADERS; count += 1) {
    const { offset } = walk;
    const needed = Math.min(offset + LONGEST_HEADER, size);
    if (offset < base || needed > base + bytes.length) {
      const found = bytesAt(offset, Math.min(WINDOW, size - offset));
      if (found === undefined) return UNKNOWN;
      bytes = found instanceof Promise ? await found : found;
      base = offset;
    }
    const end = walk.step(bytes, base);
    if (end !== undefined) return end;
  }
  return UNKNOWN;
}

const LONGEST_HEADER = 12;

async function deflatedEnd(start: number, size: number, bytesAt: BytesAt): Promise<FileEnd> {
  if (size - start > MAX_DEFLATED) return UNKNOWN;
  const stream = await bytesAt(start, size - start);
  if (stream === undefined) return UNKNOWN;
  try {
    const inflated = inflateHead(stream, MAX_INFLATED);
    if (inflated === undefined) return UNKNOWN;
    return inflated.ended ? { kind: 'whole', edits: [] } : broken('its deflated data set ends too early');
  } catch (error) {
    if (error instanceof DicomDecodeError) return broken(error.message);
    throw error;
  }
}

/** A value that is being walked through, and how much longer it becomes. */
interface Open {
  readonly frame: Frame;
  readonly header: ElementHeader;
  growth: number;
}

/** One header at a time, wherever its bytes come from. */
class Walk {
  offset: number;
  readonly #size: number;
  readonly #layout: Layout;
  /** Odd values are looked for only where they matter; else sequences of known length are stepped over. */
  readonly #odd: boolean;
  readonly #open: Open[] = [];
  readonly #edits: Edit[] = [];
  #previous = -1;
  #pad: number | undefined;
  #head: Head | undefined;

  constructor(start: number, size: number, layout: Layout) {
    this.offset = start;
    this.#size = size;
    this.#layout = layout;
    this.#odd = (size - start) % 2 !== 0;
  }

  /** `bytes` stand at `base` of the file, and hold the next header. The end, once it is known; undefined: go on. */
  step(bytes: Uint8Array, base: number): FileEnd | undefined {
    this.#leave();
    const top = this.#open.length === 0;
    if (top && !this.#odd && this.#layout.explicit && !this.#layout.bigEndian) this.#skim(bytes, base);
    const { offset } = this;
    if (top && offset === this.#size) return this.#whole();
    if (Math.min(offset + LONGEST_HEADER, this.#size) > base + bytes.length) return undefined;
    if (this.#size - offset < 8) return this.#short(bytes.subarray(offset - base));
    try {
      return this.#enter(this.#headerAt(bytes, base));
    } catch (error) {
      if (error instanceof NeedMore) return broken('it ends within the header of an element');
      if (error instanceof DicomDecodeError) return UNKNOWN;
      throw error;
    }
  }

  /** Over values at the top that need no closer look. */
  #skim(bytes: Uint8Array, base: number): void {
    const place = { offset: this.offset - base, previous: this.#previous };
    skim(this.#headOf(bytes), place, { end: this.#size - base });
    this.offset = place.offset + base;
    this.#previous = place.previous;
  }

  #headOf(bytes: Uint8Array): Head {
    if (this.#head?.bytes !== bytes) this.#head = new Head(bytes, undefined);
    return this.#head;
  }

  #headerAt(bytes: Uint8Array, base: number): ElementHeader {
    const layout = this.#open.at(-1)?.frame.layout ?? this.#layout;
    const header = readHeader(this.#headOf(bytes), this.offset - base, layout);
    if (base === 0) return header;
    return { ...header, offset: header.offset + base, valueOffset: header.valueOffset + base };
  }

  #enter(header: ElementHeader): FileEnd | undefined {
    const frame = this.#open.at(-1)?.frame;
    const inner =
      frame === undefined
        ? this.#atTop(header)
        : frame.kind === 'elements'
          ? inItem(header, frame)
          : inSequence(header, frame);
    if (inner === 'end') this.#close();
    const { valueOffset, length, tag } = header;
    const end = length === UNDEFINED_LENGTH ? valueOffset : valueOffset + length;
    if (end > this.#size)
      return broken(`${nameOf(tag)} ends ${end - this.#size} bytes behind the end of the file`);
    const walked = inner !== undefined && inner !== 'end';
    if (walked) this.#open.push({ frame: inner, header, growth: 0 });
    if (this.#open.length > MAX_DEPTH) return UNKNOWN;
    if (!walked && length % 2 !== 0 && this.#odd && !this.#even(header, end)) return UNKNOWN;
    this.offset = walked ? valueOffset : end;
    return undefined;
  }

  #atTop(header: ElementHeader): Frame | undefined {
    const { tag, vr, length } = header;
    // padding, or another encoding than the transfer syntax names: what such a length says is not believed
    if (FOREIGN.has(tag >>> 16)) throw new DicomDecodeError('BAD_STRUCTURE', header.offset, 'no element');
    if (vr === undefined && tag <= this.#previous)
      throw new DicomDecodeError('ORDER', header.offset, 'out of order');
    this.#previous = tag;
    return length === UNDEFINED_LENGTH || this.#odd ? contentOf(header, this.#layout, Infinity) : undefined;
  }

  /** Makes a value of odd length even. False: it cannot become longer. */
  #even(header: ElementHeader, end: number): boolean {
    const edit = lengthened(header, 1, this.#open.at(-1)?.frame.layout ?? this.#layout);
    if (edit === undefined) return false;
    this.#edits.push(edit);
    const parent = this.#open.at(-1);
    if (parent !== undefined) parent.growth += 1;
    const byte = padOf(header);
    if (end === this.#size) this.#pad = byte;
    else this.#edits.push({ offset: end, remove: 0, insert: Uint8Array.of(byte) });
    return true;
  }

  /** Out of values of known length that end here. */
  #leave(): void {
    while (this.#open.length > 0 && this.#open.at(-1)?.frame.end === this.offset) this.#close();
  }

  #close(): void {
    const closed = this.#open.pop();
    if (closed === undefined || closed.growth === 0) return;
    const parent = this.#open.at(-1);
    if (parent !== undefined) parent.growth += closed.growth;
    if (closed.header.length === UNDEFINED_LENGTH) return;
    const edit = lengthened(closed.header, closed.growth, parent?.frame.layout ?? this.#layout);
    if (edit !== undefined) this.#edits.push(edit);
  }

  #whole(): FileEnd {
    const edits = this.#edits.toSorted((a, b) => a.offset - b.offset);
    return { kind: 'whole', edits, ...defined({ pad: this.#pad }) };
  }

  /** Too little is left for an element: zeros fill a block up. */
  #short(rest: Uint8Array): FileEnd {
    const open = this.#open[0];
    if (open !== undefined)
      return broken(`${nameOf(open.header.tag)} does not end: its delimiter is missing`);
    return rest.every((byte) => byte === 0) ? UNKNOWN : broken('it ends within the header of an element');
  }
}

const PIXELS: ReadonlyMap<number, string> = new Map([[0x7fe00010, 'its Pixel Data ']]);
const nameOf = (tag: number): string => `${PIXELS.get(tag) ?? ''}${formatTag(tag)}`;

/** Text is padded by a space, the rest and UIDs by NUL (PS3.5 6.2). */
const padOf = ({ tag, vr }: ElementHeader): number => requireVr(vr ?? vrOf(tag)).padding;

/** Writes a longer length into a header; undefined where its field has no room for it. */
function lengthened(
  { valueOffset, vr, length }: ElementHeader,
  by: number,
  layout: Layout,
): Edit | undefined {
  const short = layout.explicit && vr !== undefined && !requireVr(vr).long;
  const insert = new Uint8Array(short ? 2 : 4);
  const view = new DataView(insert.buffer);
  const longer = length + by;
  if (longer > (short ? 0xffff : 0xfffffffe)) return undefined;
  if (short) view.setUint16(0, longer, !layout.bigEndian);
  else view.setUint32(0, longer, !layout.bigEndian);
  return { offset: valueOffset - insert.length, remove: insert.length, insert };
}
