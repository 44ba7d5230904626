/** Reading values out of a data set, by keyword. */
import type { DataSet, Element, Tag } from './dataset.ts';
import { tagOf } from './dictionary.ts';

/** An attribute's keyword (`PatientName`), or its tag where it has none. */
export type AttributeName = string | Tag;

/** The element, or undefined. */
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
  if (found?.kind === 'binary') return binaryNumber(found.vr, found.bytes);
  if (found?.kind !== 'text' || (found.vr !== 'IS' && found.vr !== 'DS')) return undefined;
  const first = found.values[0]?.trim() ?? '';
  const value = first === '' ? Number.NaN : Number(first);
  return Number.isFinite(value) ? value : undefined;
}

const SIZES: Readonly<Record<string, number>> = { US: 2, SS: 2, UL: 4, SL: 4, FL: 4, FD: 8 };

function binaryNumber(vr: string, bytes: Uint8Array): number | undefined {
  const size = SIZES[vr];
  if (size === undefined || bytes.length < size) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  switch (vr) {
    case 'US':
      return view.getUint16(0, true);
    case 'SS':
      return view.getInt16(0, true);
    case 'UL':
      return view.getUint32(0, true);
    case 'SL':
      return view.getInt32(0, true);
    case 'FL':
      return view.getFloat32(0, true);
    default:
      return view.getFloat64(0, true);
  }
}
