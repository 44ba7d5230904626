/** Data set → bytes (PS3.5 7), in one growing buffer, and the DICOM file around it (PS3.10 7). */
import { ByteWriter } from './byte-writer.ts';
import { DEFAULT_CHARACTER_SET, type CharacterSet, type Extended } from './character-sets.ts';
import type { DataSet, Element, Tag, TextElement } from './dataset.ts';
import { formatTag } from './dictionary.ts';
import { layoutOf, type Layout, requireVr, type VrTraits } from './layout.ts';
import { declaredTerms, writableCharacterSet, writeText } from './text-encode.ts';
import { IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME, transferSyntaxes } from './uids.ts';
import { dataSet } from './values.ts';

const SPECIFIC_CHARACTER_SET = 0x00080005;
const ITEM = 0xfffee000;
/** The longest even length that 16 bits hold. */
const MAX_SHORT_LENGTH = 0xfffe;

/**
 * Writes a data set in ascending order of tags, sequences with defined lengths, all text in one character set that
 * (0008,0005) then declares (absent for ISO_IR 6, the default: PS3.3 C.12.1.1.2); what the set lacks is
 * transliterated, never `?`.
 *
 * Group lengths: of the groups 0000 and 0002, which must have one, it is computed; of all others it is dropped
 * (retired, PS3.5 7.2), since a copied one would be wrong.
 *
 * Throws on a transfer syntax or character set that cannot be written, which is a mistake in the configuration or
 * the code. Encapsulated syntaxes are written as explicit VR little endian, as all but their pixel data is.
 */
export function encodeDataSet(
  dataSet: DataSet,
  transferSyntaxUid: string,
  characterSet: string = DEFAULT_CHARACTER_SET,
): Uint8Array {
  const layout = layoutOf(transferSyntaxUid);
  if (layout === undefined) throw new Error(`Data sets cannot be written in ${transferSyntaxUid}.`);
  const writer = new ByteWriter(layout.bigEndian);
  const encoder = { writer, layout, set: writableCharacterSet(characterSet) };
  writeTopLevel(encoder, dataSet, declaration(characterSet));
  return writer.finish();
}

interface Encoder {
  readonly writer: ByteWriter;
  readonly layout: Layout;
  readonly set: CharacterSet;
}

function declaration(characterSet: string): TextElement | undefined {
  const values = declaredTerms(characterSet);
  const isDefault = values.length === 1 && (values[0] === DEFAULT_CHARACTER_SET || values[0] === '');
  return isDefault ? undefined : { vr: 'CS', kind: 'text', values };
}

function writeTopLevel(encoder: Encoder, dataSet: DataSet, declared: TextElement | undefined): void {
  const tags = sortedTags(dataSet);
  let open: GroupLength | undefined;
  let undeclared = declared;
  for (const tag of tags) {
    if (undeclared !== undefined && tag > SPECIFIC_CHARACTER_SET) {
      writeElement(encoder, SPECIFIC_CHARACTER_SET, undeclared);
      undeclared = undefined;
    }
    const group = tag >>> 16;
    if (open?.group !== group) {
      closeGroup(encoder, open);
      open = group === 0 || group === 2 ? openGroup(encoder, group) : undefined;
    }
    const element = dataSet.get(tag);
    if (element !== undefined) writeElement(encoder, tag, element);
  }
  closeGroup(encoder, open);
  if (undeclared !== undefined) writeElement(encoder, SPECIFIC_CHARACTER_SET, undeclared);
}

interface GroupLength {
  readonly group: number;
  /** Where the elements after the group length begin. */
  readonly start: number;
}

function openGroup(encoder: Encoder, group: number): GroupLength {
  writeElement(encoder, (group << 16) >>> 0, { vr: 'UL', kind: 'binary', bytes: new Uint8Array(4) });
  return { group, start: encoder.writer.length };
}

function closeGroup({ writer }: Encoder, group: GroupLength | undefined): void {
  if (group !== undefined) writer.patchUint32(group.start - 4, writer.length - group.start);
}

/** Ascending (PS3.5 7.1), without group lengths and (0008,0005), which are written anew. */
function sortedTags(dataSet: DataSet): Tag[] {
  const tags: Tag[] = [];
  let sorted = true;
  let last = -1;
  for (const tag of dataSet.keys()) {
    if ((tag & 0xffff) === 0 || tag === SPECIFIC_CHARACTER_SET) continue;
    sorted &&= tag > last;
    last = tag;
    tags.push(tag);
  }
  return sorted ? tags : tags.sort((one, other) => one - other);
}

function writeElement(encoder: Encoder, tag: Tag, element: Element): void {
  const { writer, layout } = encoder;
  const traits = requireVr(element.vr);
  const short = layout.explicit && !traits.long;
  writer.header(tag, layout.explicit ? traits.code : 0, traits.long);
  const start = writer.length;
  writeValue(encoder, element, traits);
  if (((writer.length - start) & 1) === 1) writer.uint8(traits.padding);
  const length = writer.length - start;
  if (!short) writer.patchUint32(start - 4, length);
  else if (length <= MAX_SHORT_LENGTH) writer.patchUint16(start - 2, length);
  else writeAsUnknown(encoder, tag, start - 2, length);
}

/** A value too long for its VR's 16 bits of length is written as UN, which has 32 (PS3.5 6.2.2). */
function writeAsUnknown({ writer, layout }: Encoder, tag: Tag, lengthAt: number, length: number): void {
  if (layout.bigEndian) throw new Error(`${formatTag(tag)} is too long for explicit VR big endian.`);
  writer.widen(lengthAt + 2, 4);
  writer.patchUint16(lengthAt - 2, 0x4e55); // 'UN'
  writer.patchUint16(lengthAt, 0);
  writer.patchUint32(lengthAt + 2, length);
}

function writeValue(encoder: Encoder, element: Element, traits: VrTraits): void {
  const { writer } = encoder;
  switch (element.kind) {
    case 'text':
      writeTexts(encoder, element.values, traits);
      return;
    case 'binary':
      writer.numbers(element.bytes, traits.unit);
      return;
    case 'sequence':
      for (const item of element.items) writeItem(encoder, item);
  }
}

const ASCII = writableCharacterSet(DEFAULT_CHARACTER_SET);
const BACKSLASH = 0x5c;
const NAME = requireVr('PN');

/** A name's first component group holds no escape sequences (PS3.5 6.2, Person Name). */
function writeName(writer: ByteWriter, name: string, set: Extended): void {
  const { initial } = set;
  const end = name.includes('=') ? name.indexOf('=') : name.length;
  const alone: Extended = { ...set, sets: initial === undefined ? [] : [initial] };
  writeText(writer, name.slice(0, end), alone, true);
  if (end < name.length) writeText(writer, name.slice(end), set, true);
}

function writeTexts({ writer, set }: Encoder, values: readonly string[], traits: VrTraits): void {
  let first = true;
  for (const value of values) {
    if (!first) writer.uint8(BACKSLASH);
    if (traits === NAME && set.kind === 'extended') writeName(writer, value, set);
    else writeText(writer, value, traits.extended ? set : ASCII, traits.multiple);
    first = false;
  }
}

function writeItem(encoder: Encoder, item: DataSet): void {
  const { writer } = encoder;
  writer.header(ITEM, 0, true);
  const start = writer.length;
  for (const tag of sortedTags(item)) {
    const element = item.get(tag);
    if (element !== undefined) writeElement(encoder, tag, element);
  }
  writer.patchUint32(start - 4, writer.length - start);
}

interface Part10Options {
  readonly transferSyntax: string;
  /** Defined term of (0008,0005) that all text is written in; ISO_IR 6. */
  readonly characterSet?: string;
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  /** Further elements of group 0002, such as Source Application Entity Title. */
  readonly extraMeta?: DataSet;
}

/** A DICOM file's bytes. The data set is written as by `encodeDataSet`; it has no group 0002 of its own. */
export function encodePart10(body: DataSet, options: Part10Options): Uint8Array {
  const encoded = encodeDataSet(body, options.transferSyntax, options.characterSet);
  return new Uint8Array(Buffer.concat([part10Head(options), encoded]));
}

/** What stands before the data set: preamble, `DICM` and file meta information. */
export function part10Head(options: Omit<Part10Options, 'characterSet'>): Buffer {
  const meta = new Map<Tag, Element>([...(options.extraMeta ?? []), ...fileMeta(options)]);
  return Buffer.concat([
    new Uint8Array(128),
    Buffer.from('DICM', 'latin1'),
    encodeDataSet(meta, transferSyntaxes.explicitVRLittleEndian),
  ]);
}

/** PS3.10 table 7.1-1. */
function fileMeta({
  transferSyntax,
  sopClassUid,
  sopInstanceUid,
}: Pick<Part10Options, 'transferSyntax' | 'sopClassUid' | 'sopInstanceUid'>): DataSet {
  return dataSet({
    FileMetaInformationVersion: Uint8Array.of(0, 1),
    MediaStorageSOPClassUID: sopClassUid,
    MediaStorageSOPInstanceUID: sopInstanceUid,
    TransferSyntaxUID: transferSyntax,
    ImplementationClassUID: IMPLEMENTATION_CLASS_UID,
    ImplementationVersionName: IMPLEMENTATION_VERSION_NAME,
  });
}
