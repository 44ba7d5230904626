/** Values by keyword: data sets built of them, and read. */
import type { BinaryElement, DataSet, Element, Tag } from './dataset.ts';
import { isSignDependent, tagOf, vrOf } from './dictionary.ts';
import { requireVr } from './layout.ts';

export type AttributeValue =
  string | number | Uint8Array | null | Attributes | readonly (string | number | Attributes)[];

/** Values by keyword. null is an empty element, undefined none at all, `[]` a sequence without items. */
export interface Attributes {
  readonly [keyword: string]: AttributeValue | undefined;
}

/**
 * A data set of the values given. Texts are taken as they are, numbers are written in the way of the attribute's
 * VR. `\` separates values in the VRs of codes and numbers (CS, UI, DS …), and is text in the others: give an array.
 * Throws on an unknown keyword and on a value that its VR cannot hold.
 *
 * @example
 * ```ts
 * import { dataSet, number, text, texts } from '@scanflow/dicom';
 *
 * const image = dataSet({ Modality: 'MR', ImageType: ['ORIGINAL', 'PRIMARY'], SeriesNumber: 3 });
 * text(image, 'Modality'); // → 'MR'
 * texts(image, 'ImageType'); // → ['ORIGINAL', 'PRIMARY']
 * number(image, 'SeriesNumber'); // → 3
 * ```
 */
export function dataSet(attributes: Attributes): DataSet {
  const built: [Tag, Element][] = [];
  for (const [keyword, value] of Object.entries(attributes)) {
    if (value === undefined) continue;
    const tag = tagOf(keyword);
    const vr = isSignDependent(tag) && isNegative(value) ? 'SS' : vrOf(tag);
    built.push([tag, makeElement(vr, value, keyword)]);
  }
  // In order, so that encoding, which is done far more often, finds nothing to sort.
  return new Map(built.sort(([one], [other]) => one - other));
}

/** One element of the VR and value given; `name` stands in the error. For private attributes, which have no keyword. */
export function makeElement(vr: string, value: AttributeValue, name: string = vr): Element {
  const { kind, multiple, extended } = requireVr(vr);
  const list = value === null ? [] : Array.isArray(value) ? (value as readonly unknown[]) : [value];
  if (kind === 'sequence') return { vr: 'SQ', kind, items: list.map((item) => sequenceItem(item, name)) };
  if (kind === 'binary') return { vr, kind, bytes: binary(vr, list, name) };
  const separated = multiple && !extended;
  const values = list.flatMap((item) => {
    const text = textValue(vr, item, name);
    return separated ? text.split('\\') : [text];
  });
  return { vr, kind, values: values.every((text) => text === '') && values.length < 2 ? [] : values };
}

function sequenceItem(item: unknown, name: string): DataSet {
  if (typeof item !== 'object' || item === null || item instanceof Uint8Array)
    throw new TypeError(`${name} is a sequence: give its items as objects.`);
  return dataSet(item as Attributes);
}

function textValue(vr: string, value: unknown, name: string): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'number' || !Number.isFinite(value))
    throw new TypeError(`${name} (${vr}) takes texts and finite numbers.`);
  return vr === 'DS' ? decimalString(value) : String(value);
}

/** DS has 16 bytes at most (PS3.5 table 6.2-1): as many digits as fit. */
function decimalString(value: number): string {
  const plain = String(value);
  if (plain.length <= 16) return plain;
  for (let digits = 15; digits > 0; digits--) {
    const shorter = String(Number(value.toPrecision(digits)));
    if (shorter.length <= 16) return shorter;
  }
  return '0';
}

type Writer = (view: DataView, offset: number, value: number) => void;
interface NumberVr {
  readonly range: readonly [number, number];
  readonly write: Writer;
}
const ANY = [-Infinity, Infinity] as const;
const NUMBERS: Readonly<Record<string, NumberVr>> = {
  US: { range: [0, 0xffff], write: (view, at, value) => view.setUint16(at, value, true) },
  OW: { range: [0, 0xffff], write: (view, at, value) => view.setUint16(at, value, true) },
  SS: { range: [-0x8000, 0x7fff], write: (view, at, value) => view.setInt16(at, value, true) },
  UL: { range: [0, 0xffffffff], write: (view, at, value) => view.setUint32(at, value, true) },
  SL: { range: [-0x80000000, 0x7fffffff], write: (view, at, value) => view.setInt32(at, value, true) },
  FL: { range: ANY, write: (view, at, value) => view.setFloat32(at, value, true) },
  FD: { range: ANY, write: (view, at, value) => view.setFloat64(at, value, true) },
  // A tag: two numbers of 16 bits, the group first (PS3.5 table 6.2-1).
  AT: {
    range: [0, 0xffffffff],
    write: (view, at, value) => {
      view.setUint16(at, value >>> 16, true);
      view.setUint16(at + 2, value & 0xffff, true);
    },
  },
};

function binary(vr: string, values: readonly unknown[], name: string): Uint8Array {
  const [first] = values;
  if (first instanceof Uint8Array) return first;
  if (values.length === 0) return new Uint8Array(0);
  const number = NUMBERS[vr];
  if (number === undefined) throw new TypeError(`${name} (${vr}) takes bytes.`);
  const { size } = requireVr(vr);
  const bytes = new Uint8Array(values.length * size);
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => {
    number.write(view, index * size, inRange(value, vr, number.range, name));
  });
  return bytes;
}

function inRange(value: unknown, vr: string, [low, high]: readonly [number, number], name: string): number {
  const whole = Number.isFinite(low);
  if (typeof value !== 'number' || (whole && !Number.isInteger(value)) || value < low || value > high)
    throw new RangeError(`${name} (${vr}) cannot hold ${String(value)}.`);
  return value;
}

function isNegative(value: AttributeValue): boolean {
  return (Array.isArray(value) ? value : [value]).some((item) => typeof item === 'number' && item < 0);
}

/** An attribute's keyword (`PatientName`), or its tag where it has none. */
export type AttributeName = string | Tag;

/**
 * The element of an attribute; undefined if the data set does not have it. Throws for a keyword that the dictionary does not
 * know.
 */
export function element(dataSet: DataSet, name: AttributeName): Element | undefined {
  return dataSet.get(typeof name === 'number' ? name : tagOf(name));
}

/** All values of a text; empty where it is absent, empty, or no text. */
export function texts(dataSet: DataSet, name: AttributeName): string[] {
  const found = element(dataSet, name);
  return found?.kind === 'text' ? [...found.values] : [];
}

/** The first value of a text; undefined where it is absent, empty, or no text. */
export function text(dataSet: DataSet, name: AttributeName): string | undefined {
  const found = element(dataSet, name);
  const first = found?.kind === 'text' ? found.values[0] : undefined;
  return first === '' ? undefined : first;
}

/** The items of a sequence; empty where it is absent or no sequence. */
export function items(dataSet: DataSet, name: AttributeName): DataSet[] {
  const found = element(dataSet, name);
  return found?.kind === 'sequence' ? [...found.items] : [];
}

/** The first value of a number (US SS UL SL FL FD, or the texts IS and DS); undefined where there is none. */
export function number(dataSet: DataSet, name: AttributeName): number | undefined {
  const found = element(dataSet, name);
  if (found?.kind === 'binary') return binaryNumber(found);
  if (found?.kind !== 'text' || (found.vr !== 'IS' && found.vr !== 'DS')) return undefined;
  const first = found.values[0]?.trim() ?? '';
  const value = first === '' ? Number.NaN : Number(first);
  return Number.isFinite(value) ? value : undefined;
}

/** How one value of a number is read; what is not here is no number. */
const READERS: Readonly<
  Record<string, readonly [size: number, read: (view: DataView, at: number) => number | bigint]>
> = {
  US: [2, (view, at) => view.getUint16(at, true)],
  SS: [2, (view, at) => view.getInt16(at, true)],
  UL: [4, (view, at) => view.getUint32(at, true)],
  SL: [4, (view, at) => view.getInt32(at, true)],
  FL: [4, (view, at) => view.getFloat32(at, true)],
  FD: [8, (view, at) => view.getFloat64(at, true)],
  SV: [8, (view, at) => view.getBigInt64(at, true)],
  UV: [8, (view, at) => view.getBigUint64(at, true)],
  AT: [4, (view, at) => view.getUint16(at, true) * 0x10000 + view.getUint16(at + 2, true)],
};

/** The values of a binary number, tags among them, `most` at most; undefined for what is none. */
export function numbers({ vr, bytes }: BinaryElement, most = Infinity): (number | bigint)[] | undefined {
  const reader = READERS[vr];
  if (reader === undefined) return undefined;
  const [size, read] = reader;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const count = Math.min(most, Math.floor(bytes.length / size));
  return Array.from({ length: count }, (_, index) => read(view, index * size));
}

function binaryNumber(element: BinaryElement): number | undefined {
  const [first] = element.vr === 'AT' ? [] : (numbers(element, 1) ?? []);
  return typeof first === 'number' ? first : undefined;
}
