/** Two files side by side: which rows belong together, and which differ. Pure. */
import { isSameElement } from '@scanflow/dicom/reading';
import type { Item, Row } from './rows.ts';

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
