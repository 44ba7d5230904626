/** The head of a DICOM file: preamble, `DICM` and file meta information (PS3.10 7.1), the first two where there. */
import { DicomDecodeError, type DataSet, type Element } from './dataset.ts';
import { EXPLICIT_LE, Head, NeedMore, readHeader, type ElementHeader } from './splice-walk.ts';
import { layoutOf, type Layout, requireVr } from './layout.ts';
import { transferSyntaxes } from './uids.ts';

/** What the file meta information says, and where the data set starts. */
export interface Part10Header {
  readonly transferSyntax: string;
  /** Media Storage SOP Class UID; '' where the file leaves it out. */
  readonly sopClassUid: string;
  /** Media Storage SOP Instance UID; '' where the file leaves it out. */
  readonly sopInstanceUid: string;
  /** Bytes from the start of the file. */
  readonly dataSetOffset: number;
  /** Group 0002; its text is of the default repertoire. */
  readonly meta: DataSet;
}

export interface NeedsMore {
  readonly needMore: true;
  /** The call gets further with at least this many of the file's first bytes. */
  readonly atLeast: number;
}

const TRANSFER_SYNTAX = 0x00020010;
const PREAMBLE = 128;
const PREFIX = 'DICM';
const FIRST = PREAMBLE + PREFIX.length;
/** No sender writes more; a longer one is a length that lies. */
const MAX_META = 1024 * 1024;

/**
 * Reads the head of a file, of which `head` holds the first bytes. The group length (0002,0000) may be missing or
 * wrong: the elements are walked. So may the preamble, with or without `DICM`, as some programs write it. Throws
 * DicomDecodeError NOT_PART10 for a file without file meta information (one that starts at once with its data set)
 * or without transfer syntax, and others for meta information that cannot be walked. `fileSize` (bytes), where known, shows a length that passes the end.
 */
export function readPart10Header(head: Uint8Array, fileSize?: number): Part10Header | NeedsMore {
  try {
    return readMeta(new Head(head, fileSize));
  } catch (error) {
    if (error instanceof NeedMore) return { needMore: true, atLeast: error.atLeast };
    throw error;
  }
}

function readMeta(head: Head): Part10Header {
  const header = metaOf(head);
  if (header === undefined) throw new DicomDecodeError('NOT_PART10', 0, NO_META);
  if (header.transferSyntax === '') throw new DicomDecodeError('NOT_PART10', header.dataSetOffset, NO_SYNTAX);
  return header;
}

export const NO_META = 'no "DICM" after a preamble of 128 bytes, nor file meta information without them';
export const NO_SYNTAX = 'the file meta information names no transfer syntax';

/**
 * File meta information as it stands: undefined where there is none, its transfer syntax '' where that is left out.
 * Throws NeedMore, or DicomDecodeError for what cannot be walked.
 */
export function metaOf(head: Head): FileHeader | undefined {
  const start = metaStart(head);
  if (start === undefined) return undefined;
  const names = { transferSyntax: '', sopClassUid: '', sopInstanceUid: '' };
  const dataSetOffset = walkMeta(head, start, (header) => {
    const end = header.valueOffset + header.length;
    head.require(end, header.offset);
    const name = NAMES.get(header.tag);
    if (name !== undefined) names[name] = firstOf(elementOf(head, header, end));
  });
  return new FileHeader(names, dataSetOffset, head.bytes.slice(start, dataSetOffset));
}

const firstOf = (element: Element): string => (element.kind === 'text' ? (element.values[0] ?? '') : '');

type Names = Pick<Part10Header, 'transferSyntax' | 'sopClassUid' | 'sopInstanceUid'>;
const NAMES: ReadonlyMap<number, keyof Names> = new Map([
  [TRANSFER_SYNTAX, 'transferSyntax'],
  [0x00020002, 'sopClassUid'],
  [0x00020003, 'sopInstanceUid'],
]);

/** Decodes the file meta information when somebody asks: who sends thousands of files needs only the names. */
export class FileHeader implements Part10Header {
  readonly transferSyntax: string;
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly dataSetOffset: number;
  readonly #bytes: Uint8Array;

  constructor(
    { transferSyntax, sopClassUid, sopInstanceUid }: Names,
    dataSetOffset: number,
    bytes: Uint8Array,
  ) {
    this.transferSyntax = transferSyntax;
    this.sopClassUid = sopClassUid;
    this.sopInstanceUid = sopInstanceUid;
    this.dataSetOffset = dataSetOffset;
    this.#bytes = bytes;
  }

  get meta(): DataSet {
    const meta = new Map<number, Element>();
    const head = new Head(this.#bytes, this.#bytes.length);
    walkMeta(head, 0, (header) => {
      meta.set(header.tag, elementOf(head, header, header.valueOffset + header.length));
    });
    return meta;
  }

  /** The header of the same file, with other names. */
  named(names: Partial<Names>): FileHeader {
    const { transferSyntax, sopClassUid, sopInstanceUid } = this;
    const all = { transferSyntax, sopClassUid, sopInstanceUid, ...names };
    return new FileHeader(all, this.dataSetOffset, this.#bytes);
  }
}

/** Where the file meta information starts; undefined where the file shows none. */
function metaStart(head: Head): number | undefined {
  const { size } = head;
  if (size === undefined || size >= FIRST) {
    head.require(FIRST, 0);
    if (head.latin1(PREAMBLE, FIRST) === PREFIX) return FIRST;
  }
  if (size !== undefined && size < 8) return undefined;
  head.require(8, 0);
  if (head.latin1(0, PREFIX.length) === PREFIX) return PREFIX.length;
  return startsMeta(head) ? 0 : undefined;
}

/** (0002,0000) or (0002,0001), little endian, with the VR that it must have: what no data set starts with. */
function startsMeta(head: Head): boolean {
  const start = head.latin1(0, 6);
  return start === '\x02\0\0\0UL' || start === '\x02\0\x01\0OB';
}

/**
 * Visits group 0002, which is explicit VR little endian in every file; gives the offset of what follows. Throws
 * NeedMore, or DicomDecodeError.
 */
function walkMeta(head: Head, start: number, visit: (header: ElementHeader) => void): number {
  let offset = start;
  let promised: number | undefined;
  let named = false;
  // a deflated data set may by chance start like group 0002: a group length has the last word, unless it would
  // leave the transfer syntax out
  while (offset !== head.size && !(named && offset === promised)) {
    head.require(offset + 2, offset);
    if (head.view.getUint16(offset, true) !== 0x0002) break;
    const header = readHeader(head, offset, EXPLICIT_LE);
    if (header.valueOffset + header.length > start + MAX_META)
      throw new DicomDecodeError('BAD_LENGTH', offset, 'the file meta information is longer than 1 MiB');
    visit(header);
    named ||= header.tag === TRANSFER_SYNTAX;
    offset = header.valueOffset + header.length;
    if (header.tag === 0x00020000 && header.length === 4)
      promised = offset + head.view.getUint32(header.valueOffset, true);
  }
  return offset;
}

function elementOf(head: Head, { vr = 'UN', valueOffset }: ElementHeader, end: number): Element {
  const traits = requireVr(vr);
  if (traits.kind !== 'text') return { vr, kind: 'binary', bytes: head.bytes.slice(valueOffset, end) };
  const text = head.latin1(valueOffset, end);
  if (text === '') return { vr, kind: 'text', values: [] };
  if (!traits.multiple || !text.includes('\\')) return { vr, kind: 'text', values: [unpadded(text)] };
  return { vr, kind: 'text', values: text.split('\\').map(unpadded) };
}

/** Most values need no padding taken away, and a regular expression for each takes a while. */
export function unpadded(text: string): string {
  const last = text.charCodeAt(text.length - 1);
  return last === 0x20 || last === 0 ? text.replace(/[ \0]+$/, '') : text;
}

/**
 * How a file of this transfer syntax lays out its data set (PS3.5 annex A): 'deflated' where that is one compressed
 * stream, undefined for a UID that is not known, for which nothing is assumed.
 */
export function fileLayout(transferSyntax: string): Layout | 'deflated' | undefined {
  if (DEFLATED.has(transferSyntax)) return 'deflated';
  return EXPLICIT_TOO.has(transferSyntax) ? EXPLICIT_LE : layoutOf(transferSyntax);
}

/** Deflated explicit VR (A.5), and JPIP referenced deflate (A.7, A.10). */
const DEFLATED: ReadonlySet<string> = new Set([
  transferSyntaxes.deflatedExplicitVRLittleEndian,
  '1.2.840.10008.1.2.4.95',
  '1.2.840.10008.1.2.4.205',
]);

/** Encapsulated uncompressed, and deflated frames, in an explicit VR little endian data set (A.4). */
const EXPLICIT_TOO: ReadonlySet<string> = new Set(['1.2.840.10008.1.2.1.98', '1.2.840.10008.1.2.8.1']);
