/** What a query asks for, as far as it may be shown: which keys, never which values. */
import { formatTag, keywordOf, type DataSet, type Element } from '@scanflow/dicom';

/** Paths that are kept of a query. */
const MOST_KEYS = 64;

/** Paths of the keys that have a value, such as `ScheduledProcedureStepSequence.Modality`; never the values. */
export function valuedKeys(identifier: DataSet): string[] {
  return [...new Set(pathsOf(identifier))].slice(0, MOST_KEYS);
}

function pathsOf(identifier: DataSet): string[] {
  return [...identifier].flatMap(([tag, element]) => {
    const name = keywordOf(tag) ?? formatTag(tag);
    if (element.kind === 'sequence') return element.items.flatMap(pathsOf).map((inner) => `${name}.${inner}`);
    return hasValue(element) ? [name] : [];
  });
}

function hasValue(element: Exclude<Element, { kind: 'sequence' }>): boolean {
  return element.kind === 'text' ? element.values.some((value) => value !== '') : element.bytes.length > 0;
}
