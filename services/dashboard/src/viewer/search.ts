/** Which rows a search keeps. Pure. */
import { formatTag } from '@scanflow/dicom/reading';
import { wholeValue, type Row } from './rows.ts';

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
