/** What a query asks for, as far as it may be shown: which keys, and the values of those that say nothing of a person. */
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

/** Keys of a station, a day or a kind of scan. Names, numbers and UIDs of a patient or an exam are none of them. */
const IMPERSONAL: ReadonlySet<string> = new Set([
  ...[
    'SpecificCharacterSet',
    'TimezoneOffsetFromUTC',
    'Modality',
    'ScheduledStationAETitle',
    'ScheduledStationName',
  ],
  ...['ScheduledProcedureStepLocation', 'ScheduledProcedureStepStartDate', 'ScheduledProcedureStepStartTime'],
  ...['ScheduledProcedureStepStatus', 'RequestedProcedurePriority', 'StudyDate', 'StudyTime'],
]);
/** Characters that are shown of a value. */
const LONGEST = 64;

const IS_TIME = /(?:Date|Time)$/;
const TIME = /^[\d\s.:\\-]*$/;

/**
 * Whether a value of a key, by the last keyword of its path, may be shown. Whoever types into the wrong field may type a
 * patient's number: a date or a time shows only where it is written as one.
 */
export const isShown = (path: string, value: string): boolean =>
  IMPERSONAL.has(path.slice(path.lastIndexOf('.') + 1)) && (!IS_TIME.test(path) || TIME.test(value));

/** The values that may be shown, by the path of their key. */
export function shownValues(identifier: DataSet): Record<string, string> {
  const walk = (keys: DataSet, prefix: string): [string, string][] =>
    [...keys].flatMap(([tag, element]): [string, string][] => {
      const path = prefix + (keywordOf(tag) ?? formatTag(tag));
      if (element.kind === 'sequence') return element.items.flatMap((item) => walk(item, `${path}.`));
      if (!hasValue(element) || element.kind !== 'text') return [];
      const value = element.values.join('\\');
      return isShown(path, value) ? [[path, shorten(value)]] : [];
    });
  return Object.fromEntries(walk(identifier, '').slice(0, MOST_KEYS));
}

/** At most so much of a value as a page has room for. */
export const shorten = (value: string): string =>
  value.length <= LONGEST ? value : `${value.slice(0, LONGEST)}…`;
