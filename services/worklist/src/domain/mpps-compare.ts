/** Whether two values of an attribute say the same, by the rules of their VR (PS3.5 6.2): scanners write a value in many forms. Pure. */
import { isTemporal, normalTemporal, type DataSet, type Element } from '@scanflow/dicom';

/** Without a value: nothing, blanks, or a sequence without items. */
export function isEmpty(there: Element): boolean {
  if (there.kind === 'sequence') return there.items.length === 0;
  return there.kind === 'binary'
    ? there.bytes.length === 0
    : there.values.every((value) => value.trim() === '');
}

/** Whether both say the same. In a sequence, an attribute that is absent says as much as one without a value. */
export function isSame(before: Element, after: Element): boolean {
  return JSON.stringify(plain(before)) === JSON.stringify(plain(after));
}

/** Whether the second has a value where the first has another one; what only one of them has is no contradiction. */
export function contradicts(before: Element, after: Element): boolean {
  if (isEmpty(before) || isEmpty(after)) return false;
  if (before.kind !== 'sequence' || after.kind !== 'sequence') return !isSame(before, after);
  if (before.items.length !== after.items.length) return true;
  return after.items.some((item, index) => {
    const other = before.items[index];
    return [...item].some(([tag, one]) => {
      const there = other?.get(tag);
      return there !== undefined && contradicts(there, one);
    });
  });
}

type Plain = string | Plain[];

function plain(one: Element): Plain {
  switch (one.kind) {
    case 'text':
      return isEmpty(one) ? [] : one.values.map((value) => plainText(one.vr, value));
    case 'binary':
      return Buffer.from(one.bytes).toString('hex');
    case 'sequence':
      return one.items.map(plainItem);
  }
}

function plainItem(item: DataSet): Plain {
  return [...item]
    .filter(([tag, one]) => (tag & 0xffff) !== 0 && !isEmpty(one))
    .sort(([a], [b]) => a - b)
    .map(([tag, one]) => [String(tag), plain(one)]);
}

/** Texts in which blanks at the beginning count (PS3.5 table 6.2-1). */
const WITH_LEADING_BLANKS: ReadonlySet<string> = new Set(['ST', 'LT', 'UT', 'UC']);

function plainText(vr: string, value: string): string {
  if (isTemporal(vr)) return normalTemporal(vr, value) ?? value.trim();
  if (vr === 'PN') return plainName(value.normalize('NFC'));
  if (vr === 'DS' || vr === 'IS') return plainNumber(value.trim());
  const composed = value.normalize('NFC');
  return WITH_LEADING_BLANKS.has(vr) ? composed.trimEnd() : composed.trim();
}

/** PS3.5 6.2.1.1: empty components and groups at the end may be left out. */
function plainName(value: string): string {
  const groups = value.split('=').map((group) =>
    group
      .split('^')
      .map((part) => part.trim())
      .join('^')
      .replace(/\^+$/, ''),
  );
  return groups.join('=').replace(/=+$/, '');
}

const plainNumber = (value: string): string =>
  value === '' || Number.isNaN(Number(value)) ? value : String(Number(value));
