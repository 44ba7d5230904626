/** A data set as rows for people: name, VR and value of each element, private ones named by their creator. Pure. */
import {
  formatTag,
  isPrivate,
  isPrivateCreator,
  keywordOf,
  numbers,
  text,
  type DataSet,
  type Element,
} from '@scanflow/dicom/reading';
import { viewer as t } from '../texts/viewer.ts';

export interface Row {
  readonly tag: number;
  readonly vr: string;
  readonly name: string;
  /** What is the same in two files has the same key, also where their private blocks differ (PS3.5 7.8.1). */
  readonly key: string;
  readonly element: Element;
  /** Of a sequence; its items count from 1. */
  readonly items?: readonly Item[];
}

export interface Item {
  readonly number: number;
  readonly rows: readonly Row[];
}

/** The rows of a data set, in the order of their tags. */
export const rowsOf = (dataSet: DataSet): Row[] =>
  [...dataSet].sort(([one], [other]) => one - other).map(([tag, element]) => rowOf(tag, element, dataSet));

function rowOf(tag: number, element: Element, dataSet: DataSet): Row {
  const creator = creatorOf(tag, dataSet);
  const hex = tag.toString(16).toUpperCase().padStart(8, '0');
  const row = {
    tag,
    vr: element.vr,
    name: nameOf(tag, creator, hex),
    key: creator === undefined ? hex : `${hex.slice(0, 4)}${creator}${hex.slice(6)}`,
    element,
  };
  if (element.kind !== 'sequence') return row;
  return { ...row, items: element.items.map((item, index) => ({ number: index + 1, rows: rowsOf(item) })) };
}

function nameOf(tag: number, creator: string | undefined, hex: string): string {
  if ((tag & 0xffff) === 0) return 'GroupLength';
  if (isPrivateCreator(tag)) return 'PrivateCreator';
  if (creator !== undefined) return `${creator} xx${hex.slice(6)}`;
  return isPrivate(tag) ? 'Private' : (keywordOf(tag) ?? 'Unknown');
}

/** (gggg,xxee) belongs to whoever reserved block xx by (gggg,00xx), in the same data set (PS3.5 7.8.1). */
function creatorOf(tag: number, dataSet: DataSet): string | undefined {
  const block = (tag >>> 8) & 0xff;
  if (!isPrivate(tag) || block < 0x10) return undefined;
  return text(dataSet, ((tag & 0xffff0000) | block) >>> 0);
}

/** Bytes of a value that a row shows. */
const SHOWN_BYTES = 32;
const SHOWN_NUMBERS = 64;
const SHOWN_TEXT = 1_000;

/** The value as a row shows it; of a long one, its start and how long it is. */
export function shownValue(row: Row): string {
  const { element } = row;
  if (element.kind === 'sequence') return '';
  if (element.kind === 'text') {
    const whole = element.values.join('\\');
    return whole.length > SHOWN_TEXT
      ? `${whole.slice(0, SHOWN_TEXT)}… (${t.characters(whole.length)})`
      : whole;
  }
  const { bytes } = element;
  const values = numbers(element, SHOWN_NUMBERS + 1);
  if (values === undefined) {
    const start = hexOf(bytes.subarray(0, SHOWN_BYTES));
    return bytes.length > SHOWN_BYTES ? `${start}… (${t.bytes(bytes.length)})` : start;
  }
  const shown = values
    .slice(0, SHOWN_NUMBERS)
    .map((value) => numberText(row.vr, value))
    .join('\\');
  return values.length > SHOWN_NUMBERS ? `${shown}… (${t.bytes(bytes.length)})` : shown;
}

/** The whole value as text, for copying; of a sequence, nothing. */
export function wholeValue({ element, vr }: Row): string {
  if (element.kind === 'sequence') return '';
  if (element.kind === 'text') return element.values.join('\\');
  return (
    numbers(element)
      ?.map((value) => numberText(vr, value))
      .join('\\') ?? hexOf(element.bytes)
  );
}

/** A row as text, for copying: tag, VR, name and value, with tabs between them. */
export const rowText = (row: Row): string =>
  [formatTag(row.tag), row.vr, row.name, row.items ? t.items(row.items.length) : wholeValue(row)].join('\t');

function numberText(vr: string, value: number | bigint): string {
  if (vr === 'AT') return formatTag(Number(value));
  // the shortest text that gives the same 32 bits
  return vr === 'FL' && typeof value === 'number' ? String(Number(value.toPrecision(8))) : String(value);
}

const hexOf = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
