/** Whether two elements, or two data sets, hold the same. */
import type { DataSet, Element } from './dataset.ts';

export function isSameElement(one: Element, other: Element): boolean {
  if (one.kind === 'text' && other.kind === 'text') return isSameList(one.values, other.values, Object.is);
  if (one.kind === 'binary' && other.kind === 'binary') return Buffer.compare(one.bytes, other.bytes) === 0;
  return (
    one.kind === 'sequence' && other.kind === 'sequence' && isSameList(one.items, other.items, isSameDataSet)
  );
}

const isSameDataSet = (one: DataSet, other: DataSet): boolean =>
  one.size === other.size &&
  [...one].every(([tag, element]) => {
    const found = other.get(tag);
    return found !== undefined && isSameElement(element, found);
  });

const isSameList = <T>(one: readonly T[], other: readonly T[], isSame: (a: T, b: T) => boolean): boolean =>
  one.length === other.length && one.every((value, at) => isSame(value, other[at] as T));
