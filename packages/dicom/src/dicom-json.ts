/**
 * Data sets as JSON (PS3.18 F.2). For records, every binary value is InlineBinary, numbers too, and IS and DS are strings: what
 * is read back is what was written, byte for byte. For other programs, numbers are numbers (`toJsonModel`).
 */
import { fromBase64, toBase64 } from '#platform';
import type { DataSet, Element, Tag } from './dataset.ts';
import { numbers } from './values.ts';

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
    return element.bytes.length === 0 ? { vr } : { vr, InlineBinary: toBase64(element.bytes) };
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

/**
 * The data set as other programs expect it (PS3.18 F.2.3): numbers are numbers, tags are texts. Group lengths and file meta
 * information are no part of it, and the JSON is UTF-8, whatever the file was (F.2).
 */
export function toJsonModel(dataSet: DataSet): DicomJson {
  const sorted = [...dataSet]
    .filter(([tag]) => (tag & 0xffff) !== 0 && tag >>> 16 !== 0x0002)
    .sort(([one], [other]) => one - other);
  return Object.fromEntries(
    sorted.map(([tag, element]) => [keyOf(tag), tag === SPECIFIC_CHARACTER_SET ? UTF_8 : modelOf(element)]),
  );
}

const SPECIFIC_CHARACTER_SET = 0x00080005;
const UTF_8 = { vr: 'CS', Value: ['ISO_IR 192'] };

function modelOf(element: Element): object {
  const { vr } = element;
  if (element.kind === 'sequence')
    return element.items.length === 0 ? { vr } : { vr, Value: element.items.map(toJsonModel) };
  if (element.kind === 'binary') {
    const values = numbers(element);
    if (values === undefined || element.bytes.length === 0) return elementToJson(element);
    return { vr, Value: values.map((value) => (vr === 'AT' ? keyOf(Number(value)) : jsonNumber(value))) };
  }
  if (element.values.length === 0) return { vr };
  return { vr, Value: element.values.map((value) => textModel(vr, value)) };
}

/** What a number of JSON cannot hold is a text. */
const jsonNumber = (value: number | bigint): number | string =>
  typeof value === 'number' && Number.isFinite(value)
    ? value
    : Number.isSafeInteger(Number(value))
      ? Number(value)
      : String(value);

function textModel(vr: string, value: string): unknown {
  if (value === '') return null;
  if (vr === 'PN') {
    const groups = value.split('=', 3).map((group, index) => [GROUPS[index] ?? 'Phonetic', group]);
    return Object.fromEntries(groups.filter(([, group]) => group !== ''));
  }
  const isNumber = (vr === 'DS' || vr === 'IS') && NUMBER.test(value.trim());
  return isNumber ? Number(value) : value;
}

/** PS3.5 table 6.2-1, DS. */
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

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
    const bytes = typeof InlineBinary === 'string' ? fromBase64(InlineBinary) : new Uint8Array(0);
    return { vr, kind: 'binary', bytes };
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
