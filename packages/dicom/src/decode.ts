/** Bytes → data set (PS3.5 7), strict and bounded: what is not plain DICOM is an error with its place. */
import { latin1, swapUnits, viewOf } from '#platform';
import {
  DicomDecodeError,
  isSameElement,
  type DataSet,
  type DicomDecodeErrorCode,
  type Element,
  type Tag,
} from './dataset.ts';
import { formatTag, isSignDependent, vrOf } from './dictionary.ts';
import { layoutOf, type Layout, requireVr, vrOfCode, type CodedVr, type VrTraits } from './layout.ts';
import { textDecoding, type TextDecoding } from './text-decode.ts';

export interface DecodeOptions {
  /** Sequences within sequences, at most; 16. */
  readonly maxDepth?: number;
  /** Elements and items in total, at most; 65,536. */
  readonly maxElements?: number;
  /** Values of texts that have several, in total, at most; 1,048,576. */
  readonly maxValues?: number;
  /** The character set of text where (0008,0005) is absent or empty: a defined term, several separated by `\`. */
  readonly defaultCharacterSet?: string;
  /** Stop at the first top-level element with this tag or a higher one, for the head of a larger data set. */
  readonly before?: Tag;
  /** Character sets, written as the default one, in which text is read that its own does not define; the first that does. */
  readonly assumed?: readonly string[];
  /** What text that its character set does not define becomes: an error, or U+FFFD for each byte beyond ASCII. */
  readonly undecodable?: 'error' | 'replace';
  /** Whether zeros behind the last element, also of an item, are padding, and no element (0000,0000); some write a block to its end. */
  readonly zeroPadding?: boolean;
  /** What is wrong and can be stepped over goes here, and reading goes on; without it, it is an error. */
  readonly problems?: DicomDecodeError[];
}

const UNDEFINED_LENGTH = 0xffffffff;
const SPECIFIC_CHARACTER_SET = 0x00080005;
const PIXEL_REPRESENTATION = 0x00280103;
const PIXEL_DATA = 0x7fe00010;
const ITEM = 0xfffee000;
const ITEM_END = 0xfffee00d;
const SEQUENCE_END = 0xfffee0dd;
const IMPLICIT: Layout = { explicit: false, bigEndian: false };

/**
 * Reads a whole data set: implicit or explicit VR, either byte order, defined and undefined lengths.
 *
 * Text is decoded by (0008,0005), which items inherit (PS3.5 7.5.3), and freed of padding; nothing else is
 * interpreted. Private elements and group lengths are kept. Under explicit VR the VR written counts, under implicit
 * VR the dictionary's. UN of undefined length is a sequence in implicit VR (PS3.5 6.2.2). Odd lengths, elements out of
 * order and an element that comes twice with the same value are read, since their meaning is plain; one that comes with
 * two values is not.
 *
 * Throws DicomDecodeError.
 */
export function decodeDataSet(
  bytes: Uint8Array,
  transferSyntaxUid: string,
  options: DecodeOptions = {},
): DataSet {
  const layout = layoutOf(transferSyntaxUid);
  if (layout === undefined)
    throw new DicomDecodeError('TRANSFER_SYNTAX', 0, `Data sets in ${transferSyntaxUid} are not read here`);
  const text = textDecoding((options.defaultCharacterSet ?? '').split('\\'));
  const decoder = new Decoder(bytes, options, text);
  return decoder.dataSet({ layout, text, signed: false, depth: 0 }, bytes.length, false);
}

/** What could be read of a data set, up to the first thing that cannot be stepped over. */
export interface Readable {
  readonly dataSet: DataSet;
  /** Bytes that were read. */
  readonly end: number;
  readonly problems: readonly DicomDecodeError[];
  /** Why reading ended before the end, the last of the problems; undefined where it did not. */
  readonly stopped: DicomDecodeError | undefined;
}

/** As decodeDataSet, for people who look at a file: what is broken hides nothing that stands before it. */
export function decodeReadable(bytes: Uint8Array, layout: Layout, options: DecodeOptions = {}): Readable {
  const problems: DicomDecodeError[] = [];
  const text = textDecoding((options.defaultCharacterSet ?? '').split('\\'));
  const decoder = new Decoder(
    bytes,
    { undecodable: 'replace', zeroPadding: true, ...options, problems },
    text,
  );
  const dataSet = new Map<Tag, Element>();
  let stopped: DicomDecodeError | undefined;
  try {
    decoder.dataSet({ layout, text, signed: false, depth: 0 }, bytes.length, false, dataSet);
  } catch (error) {
    if (!(error instanceof DicomDecodeError)) throw error;
    stopped = error;
    problems.push(error);
  }
  return { dataSet, end: decoder.at, problems, stopped };
}

/** What an item inherits from the data set around it. */
interface Scope {
  readonly layout: Layout;
  text: TextDecoding;
  /** Pixel Representation: whether `US or SS` is SS. */
  signed: boolean;
  readonly depth: number;
}

interface Header {
  readonly tag: Tag;
  readonly vr: CodedVr;
  readonly length: number;
  /** Of the tag's first byte. */
  readonly offset: number;
}

class Decoder {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #defaultText: TextDecoding;
  readonly #maxDepth: number;
  readonly #before: number;
  readonly #replace: boolean;
  readonly #zeroPadding: boolean;
  readonly #problems: DicomDecodeError[] | undefined;
  readonly #assumed: readonly TextDecoding[];
  /** Texts so far that are no plain ASCII, and so need their character set. */
  #beyondAscii = 0;
  #left: number;
  #valuesLeft: number;
  #at = 0;

  constructor(bytes: Uint8Array, options: DecodeOptions, defaultText: TextDecoding) {
    this.#bytes = viewOf(bytes);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#defaultText = defaultText;
    this.#maxDepth = options.maxDepth ?? 16;
    this.#left = options.maxElements ?? 65_536;
    this.#valuesLeft = options.maxValues ?? 1_048_576;
    this.#before = options.before ?? Number.POSITIVE_INFINITY;
    this.#replace = options.undecodable === 'replace';
    this.#zeroPadding = options.zeroPadding === true;
    this.#problems = options.problems;
    this.#assumed = (options.assumed ?? []).map((terms) => textDecoding(terms.split('\\')));
  }

  /**
   * The elements from here to `end`.
   * @param delimited an item of undefined length: it ends at its delimiter, before `end`
   * @param elements where they go
   */
  dataSet(scope: Scope, end: number, delimited: boolean, elements = new Map<Tag, Element>()): DataSet {
    const before = this.#beyondAscii;
    while (delimited || this.#at < end) {
      const offset = this.#at;
      if (delimited && this.#atDelimiter(ITEM_END, scope, end)) return elements;
      if (!delimited && this.#zeroPadding && this.#isOnlyZeros(end)) {
        this.#at = end;
        return elements;
      }
      const header = this.#header(scope, end);
      const { tag } = header;
      if (scope.depth === 0 && tag >= this.#before) {
        this.#at = offset;
        return elements;
      }
      this.#count(offset);
      const element = this.#value(header, scope, end);
      const first = elements.get(tag);
      if (first !== undefined) {
        this.#again(tag, isSameElement(first, element), offset);
        continue;
      }
      elements.set(tag, element);
      if (tag === SPECIFIC_CHARACTER_SET) this.#declare(element, scope, this.#beyondAscii > before, offset);
      else if (tag === PIXEL_REPRESENTATION) scope.signed = isOne(element);
    }
    return elements;
  }

  /** Bytes read so far. */
  get at(): number {
    return this.#at;
  }

  /** What is wrong, and hides nothing of what follows. */
  #wrong(code: DicomDecodeErrorCode, offset: number, message: string): void {
    if (this.#problems === undefined) fail(code, offset, message);
    else this.#problems.push(new DicomDecodeError(code, offset, message));
  }

  /** An element that was there before. A group length, retired since 2008, says nothing of the group's values. */
  #again(tag: Tag, isSame: boolean, offset: number): void {
    if ((tag & 0xffff) !== 0 && !isSame)
      this.#wrong('DUPLICATE', offset, `${formatTag(tag)} comes twice in one data set, with two values`);
  }

  #isOnlyZeros(end: number): boolean {
    for (let at = this.#at; at < end; at++) if (this.#bytes[at] !== 0) return false;
    return true;
  }

  #declare(element: Element, scope: Scope, textSeen: boolean, offset: number): void {
    if (textSeen) this.#wrong('ORDER', offset, '(0008,0005) stands after the text that it declares');
    const terms = element.kind === 'text' ? element.values : [];
    scope.text = terms.length === 0 ? this.#defaultText : textDecoding(terms);
  }

  #count(offset: number): void {
    this.#left -= 1;
    if (this.#left < 0) fail('TOO_MANY', offset, 'The data set has more elements than are read here');
  }

  #tag(scope: Scope): Tag {
    const little = !scope.layout.bigEndian;
    const group = this.#view.getUint16(this.#at, little);
    return ((group << 16) | this.#view.getUint16(this.#at + 2, little)) >>> 0;
  }

  #header(scope: Scope, end: number): Header {
    const offset = this.#at;
    this.#need(8, end, 'an element');
    const tag = this.#tag(scope);
    if (tag >>> 16 === 0xfffe)
      fail('BAD_STRUCTURE', offset, `${formatTag(tag)} stands where an element should`);
    this.#at = offset + 4;
    if (scope.layout.explicit) return this.#explicitHeader(tag, offset, scope, end);
    const vr = requireVr(scope.signed && isSignDependent(tag) ? 'SS' : vrOf(tag));
    return { tag, vr, length: this.#length(scope), offset };
  }

  /** PS3.5 7.1.2. */
  #explicitHeader(tag: Tag, offset: number, scope: Scope, end: number): Header {
    const vr = vrOfCode(this.#view.getUint16(this.#at, false));
    if (vr === undefined)
      return fail('BAD_VR', this.#at, `${formatTag(tag)} has no value representation that exists`);
    this.#at += 2;
    if (!vr.long) {
      const length = this.#view.getUint16(this.#at, !scope.layout.bigEndian);
      this.#at += 2;
      return { tag, vr, length, offset };
    }
    this.#need(6, end, 'an element');
    this.#at += 2;
    return { tag, vr, length: this.#length(scope), offset };
  }

  #length(scope: Scope): number {
    const length = this.#view.getUint32(this.#at, !scope.layout.bigEndian);
    this.#at += 4;
    return length;
  }

  #value(header: Header, scope: Scope, end: number): Element {
    const { tag, vr: traits, length, offset } = header;
    const { vr } = traits;
    if (length === UNDEFINED_LENGTH) return this.#undefinedLength(header, scope, end);
    const start = this.#at;
    if (end - start < length) fail('TRUNCATED', start, `The bytes end inside the value of ${formatTag(tag)}`);
    if (traits.kind === 'sequence') return this.#sequence(scope, start + length, false);
    this.#at = start + length;
    const raw = this.#bytes.subarray(start, start + length);
    if (traits.kind === 'text')
      return { vr, kind: 'text', values: this.#text(raw, traits, scope.text, tag, start) };
    if (length % traits.size !== 0)
      this.#wrong(
        'BAD_LENGTH',
        offset,
        `${formatTag(tag)} has ${length} bytes, but ${vr} values of ${traits.size}`,
      );
    const bytes = new Uint8Array(raw);
    if (scope.layout.bigEndian && traits.unit > 1 && length % traits.unit === 0)
      swapUnits(bytes, traits.unit);
    return { vr, kind: 'binary', bytes };
  }

  #undefinedLength({ tag, vr: { vr }, offset }: Header, scope: Scope, end: number): Element {
    if (vr === 'SQ') return this.#sequence(scope, end, true);
    if (tag === PIXEL_DATA && scope.layout.explicit)
      fail('ENCAPSULATED', offset, 'The pixel data is compressed: read only what stands before it');
    if (vr !== 'UN') fail('BAD_LENGTH', offset, `${formatTag(tag)} (${vr}) has no length`);
    return this.#sequence({ ...scope, layout: IMPLICIT }, end, true);
  }

  /** The items from here to `end`, or to the delimiter (PS3.5 7.5). */
  #sequence(scope: Scope, end: number, delimited: boolean): Element {
    const depth = scope.depth + 1;
    if (depth > this.#maxDepth) fail('TOO_DEEP', this.#at, 'Sequences are nested deeper than is read here');
    const items: DataSet[] = [];
    while (delimited || this.#at < end) {
      const offset = this.#at;
      if (delimited && this.#atDelimiter(SEQUENCE_END, scope, end)) break;
      this.#need(8, end, 'an item');
      const tag = this.#tag(scope);
      if (tag !== ITEM) fail('BAD_STRUCTURE', offset, `${formatTag(tag)} stands where an item should`);
      this.#count(offset);
      this.#at += 4;
      const length = this.#length(scope);
      const open = length === UNDEFINED_LENGTH;
      if (!open) this.#need(length, end, 'an item');
      items.push(this.dataSet({ ...scope, depth }, open ? end : this.#at + length, open));
    }
    return { vr: 'SQ', kind: 'sequence', items };
  }

  /** Steps over the delimiter if it stands here. */
  #atDelimiter(delimiter: Tag, scope: Scope, end: number): boolean {
    const offset = this.#at;
    this.#need(8, end, 'a delimiter');
    if (this.#tag(scope) !== delimiter) return false;
    this.#at += 4;
    if (this.#length(scope) !== 0) fail('BAD_LENGTH', offset, `${formatTag(delimiter)} has a length`);
    return true;
  }

  #need(count: number, end: number, what: string): void {
    if (end - this.#at < count) fail('TRUNCATED', this.#at, `The bytes end inside ${what}`);
  }

  #text(raw: Uint8Array, traits: VrTraits, text: TextDecoding, tag: Tag, offset: number): string[] {
    let end = raw.length;
    while (end > 0 && isPadding(raw[end - 1])) end -= 1;
    if (end === 0) return [];
    const bytes = raw.subarray(0, end);
    const decoded = traits.extended ? this.#decode(bytes, traits, text, tag, offset) : latin1(bytes);
    if (!traits.multiple) return [decoded];
    if (!decoded.includes('\\')) return [trim(decoded, traits.trimStart)];
    // Twenty million backslashes are a message of 20 MB, but would be gigabytes of empty values.
    const values = decoded.split('\\', this.#valuesLeft + 1);
    this.#valuesLeft -= values.length;
    if (this.#valuesLeft < 0) fail('TOO_MANY', offset, 'The data set has more values than are read here');
    return values.map((value) => trim(value, traits.trimStart));
  }

  #decode(bytes: Uint8Array, { multiple }: VrTraits, text: TextDecoding, tag: Tag, offset: number): string {
    if (!isAscii(bytes)) this.#beyondAscii += 1;
    const decoded = text.decode(bytes, multiple);
    if (decoded !== undefined) return decoded;
    for (const assumed of this.#assumed) {
      const found = assumed.decode(bytes, multiple);
      if (found !== undefined) return found;
    }
    return this.#undecodable(bytes, text, tag, offset);
  }

  #undecodable(bytes: Uint8Array, text: TextDecoding, tag: Tag, offset: number): string {
    if (this.#replace) return latin1(bytes).replace(/[\x80-\xff]/g, '\ufffd');
    const declared = text.terms.join('\\') || 'the default character set';
    if (text.unknown !== undefined)
      return fail('CHARACTER_SET', offset, `${formatTag(tag)} needs ${declared}, which is not known`);
    return fail('BAD_TEXT', offset, `${formatTag(tag)} has bytes that ${declared} does not define`);
  }
}

/** ASCII without escape sequences, which means the same before its character set is known. */
function isAscii(bytes: Uint8Array): boolean {
  for (const byte of bytes) if (byte >= 0x80 || byte === 0x1b) return false;
  return true;
}

const isPadding = (byte: number | undefined): boolean => byte === 0x20 || byte === 0;
const isOne = (element: Element): boolean => element.kind === 'binary' && element.bytes[0] === 1;

/** Without padding (PS3.5 table 6.2-1): spaces, and the NUL of UI, which some write elsewhere too. */
function trim(value: string, start: boolean): string {
  let end = value.length;
  while (end > 0 && isPadding(value.charCodeAt(end - 1))) end -= 1;
  let begin = 0;
  while (start && begin < end && value.charCodeAt(begin) === 0x20) begin += 1;
  return begin === 0 && end === value.length ? value : value.slice(begin, end);
}

function fail(code: DicomDecodeErrorCode, offset: number, message: string): never {
  throw new DicomDecodeError(code, offset, message);
}
