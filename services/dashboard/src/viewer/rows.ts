/** A data set as rows for people: name, VR and value of each element; which rows a search keeps; and two files side by side. Pure. */
import {
  formatTag,
  isPrivate,
  isPrivateCreator,
  keywordOf,
  numbers,
  text,
  type DataSet,
  type Element,
  isSameElement,
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

interface Item {
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

// Two files side by side: which rows belong together, and which differ. Pure.

export interface Pair {
  readonly left: Row | undefined;
  readonly right: Row | undefined;
  readonly differs: boolean;
  readonly items?: readonly { readonly number: number; readonly pairs: readonly Pair[] }[];
}

export interface CompareOptions {
  /** Whether UIDs, dates and times are left out: they differ between any two images. */
  readonly withoutUidsAndTimes: boolean;
  readonly differencesOnly: boolean;
}

const UIDS_AND_TIMES: ReadonlySet<string> = new Set(['UI', 'DA', 'TM', 'DT']);

/** Rows by key; the items of sequences by their number. */
export function compared(left: readonly Row[], right: readonly Row[], options: CompareOptions): Pair[] {
  const [one, other] = [left, right].map(
    (rows) => new Map(rows.filter((row) => !isLeftOut(row, options)).map((row) => [row.key, row])),
  );
  const keys = [...new Set([...(one?.keys() ?? []), ...(other?.keys() ?? [])])];
  return keys
    .map((key) => pair(one?.get(key), other?.get(key), options))
    .sort((a, b) => tagOf(a) - tagOf(b))
    .filter(({ differs }) => differs || !options.differencesOnly);
}

const tagOf = ({ left, right }: Pair): number => (left ?? right)?.tag ?? 0;

/** The length of a group says nothing of its values. */
const isLeftOut = ({ tag, vr }: Row, { withoutUidsAndTimes }: CompareOptions): boolean =>
  (tag & 0xffff) === 0 || (withoutUidsAndTimes && UIDS_AND_TIMES.has(vr));

function pair(left: Row | undefined, right: Row | undefined, options: CompareOptions): Pair {
  const isPlain = left?.items === undefined && right?.items === undefined;
  if (isPlain) return { left, right, differs: !isSame(left, right) };
  const [one, other] = [left?.items, right?.items];
  const length = Math.max(one?.length ?? 0, other?.length ?? 0);
  const items = Array.from({ length }, (_, index) => ({
    number: index + 1,
    pairs: compared(rowsAt(one, index), rowsAt(other, index), { ...options, differencesOnly: false }),
  }));
  // one sequence against none differs, also without items
  const differs =
    one?.length !== other?.length || items.some(({ pairs }) => pairs.some((inner) => inner.differs));
  return { left, right, differs, items: options.differencesOnly ? onlyDifferent(items) : items };
}

const isSame = (left: Row | undefined, right: Row | undefined): boolean =>
  left !== undefined && right !== undefined && isSameElement(left.element, right.element);

const rowsAt = (items: readonly Item[] | undefined, index: number): readonly Row[] =>
  items?.[index]?.rows ?? [];

const onlyDifferent = (items: NonNullable<Pair['items']>): NonNullable<Pair['items']> =>
  items
    .map(({ number, pairs }) => ({
      number,
      pairs: pairs
        .filter(({ differs }) => differs)
        .map((one) => (one.items === undefined ? one : { ...one, items: onlyDifferent(one.items) })),
    }))
    .filter(({ pairs }) => pairs.length > 0);

// Which rows a search keeps. Pure.

/**
 * Rows whose tag, VR, name or value holds the text, in capitals or not. A hit inside a sequence keeps the sequence and the item
 * around it; a sequence that is a hit itself keeps all that it holds.
 */
export function search(rows: readonly Row[], text: string): readonly Row[] {
  const wanted = text.trim().toLowerCase();
  return wanted === '' ? rows : kept(rows, wanted);
}

const kept = (rows: readonly Row[], wanted: string): Row[] =>
  rows.flatMap((row) => {
    if (isHit(row, wanted)) return [row];
    const items = (row.items ?? [])
      .map((item) => ({ ...item, rows: kept(item.rows, wanted) }))
      .filter((item) => item.rows.length > 0);
    return items.length === 0 ? [] : [{ ...row, items }];
  });

function isHit(row: Row, wanted: string): boolean {
  const tag = formatTag(row.tag).toLowerCase();
  return [tag, tag.replaceAll(/[(),]/g, ''), row.name, row.vr, wholeValue(row)].some((text) =>
    text.toLowerCase().includes(wanted),
  );
}
