/**
 * Data sets as JSON (PS3.18 F.2). Every binary value is InlineBinary, numbers too, and IS and DS are strings: what is
 * read back is what was written, byte for byte.
 */
import type { DataSet, Element, Tag } from './dataset.ts';

/** A data set in the DICOM JSON model: attributes by tag, eight capital hexadecimal digits. */
type DicomJson = Readonly<Record<string, unknown>>;

/** The data set as JSON; text must be decoded already, as in every data set here. */
export function toDicomJson(dataSet: DataSet): DicomJson {
  const sorted = [...dataSet].sort(([one], [other]) => one - other);
  return Object.fromEntries(sorted.map(([tag, element]) => [keyOf(tag), elementToJson(element)]));
}

const keyOf = (tag: Tag): string => tag.toString(16).toUpperCase().padStart(8, '0');

function elementToJson(element: Element): object {
  const { vr } = element;
  if (element.kind === 'binary')
    return element.bytes.length === 0
      ? { vr }
      : { vr, InlineBinary: Buffer.from(element.bytes).toString('base64') };
  if (element.kind === 'sequence') return { vr, Value: element.items.map(toDicomJson) };
  if (element.values.length === 0) return { vr };
  return { vr, Value: vr === 'PN' ? element.values.map(nameToJson) : element.values };
}

/** PS3.18 F.2.2: the component groups of a name by their kind; an empty value among others is null. */
const GROUPS = ['Alphabetic', 'Ideographic', 'Phonetic'] as const;

function nameToJson(name: string): object | null {
  if (name === '') return null;
  const groups = name.split('=', 3);
  return Object.fromEntries(groups.map((group, index) => [GROUPS[index] ?? 'Phonetic', group]));
}

/** The data set that such JSON stands for. Throws TypeError for what toDicomJson() does not write. */
export function fromDicomJson(json: DicomJson): DataSet {
  return new Map(
    Object.entries(json).map(([key, value]) => {
      if (!/^[0-9A-F]{8}$/.test(key) || !isObject(value)) throw new TypeError('not the DICOM JSON model');
      return [Number.parseInt(key, 16), elementFromJson(value)];
    }),
  );
}

function elementFromJson({ vr, Value, InlineBinary }: Record<string, unknown>): Element {
  if (typeof vr !== 'string') throw new TypeError('an attribute without a VR');
  if (vr === 'SQ') return { vr, kind: 'sequence', items: listOf(Value).map(itemFromJson) };
  if (BINARY.has(vr)) {
    const bytes = typeof InlineBinary === 'string' ? Buffer.from(InlineBinary, 'base64') : Buffer.alloc(0);
    return { vr, kind: 'binary', bytes: new Uint8Array(bytes) };
  }
  return { vr, kind: 'text', values: listOf(Value).map(vr === 'PN' ? nameFromJson : textFromJson) };
}

const BINARY: ReadonlySet<string> = new Set('AT FD FL OB OD OF OL OV OW SL SS SV UL UN US UV'.split(' '));

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function listOf(value: unknown): unknown[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new TypeError('values that are no list');
  return value;
}

function itemFromJson(item: unknown): DataSet {
  if (!isObject(item)) throw new TypeError('an item that is no object');
  return fromDicomJson(item);
}

function textFromJson(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('a text that is none');
  return value;
}

function nameFromJson(value: unknown): string {
  if (value === null) return '';
  if (!isObject(value)) throw new TypeError('a name that is none');
  const groups = GROUPS.map((group) => value[group]).map((text) =>
    text === undefined ? '' : textFromJson(text),
  );
  const last = GROUPS.findLastIndex((group) => value[group] !== undefined);
  return groups.slice(0, last + 1).join('=');
}
