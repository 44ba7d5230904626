/** What of an item consoles may drop or misread: attributes that are missing, and values that are none of their VR. Pure. */
import { formatTag, isValidText, keywordOf, tagOf, text, type DataSet } from '@scanflow/dicom';
import type { Entry } from './schedule.ts';

/** Return keys of type 1 (PS3.4 table K.6-1): GE, Siemens and other consoles drop an item without some of them. */
const ROOT = ['PatientName', 'PatientID', 'StudyInstanceUID', 'RequestedProcedureID'] as const;

/** Keywords of what is empty or absent. */
export function missingIn(item: DataSet, entries: readonly Entry[]): string[] {
  const lacks = (valueOf: (entry: Entry) => string | undefined): boolean =>
    entries.some((entry) => (valueOf(entry) ?? '') === '');
  const step: readonly (readonly [string, boolean])[] = [
    ['ScheduledStationAETitle', lacks(({ stations }) => stations[0])],
    ['ScheduledProcedureStepStartDate', lacks(({ startDate }) => startDate)],
    ['ScheduledProcedureStepStartTime', lacks(({ startTime }) => startTime)],
    ['Modality', lacks(({ modality }) => modality)],
    ['ScheduledProcedureStepID', lacks(({ stepId }) => stepId)],
  ];
  return [
    ...ROOT.filter((keyword) => text(item, keyword) === undefined),
    ...step.filter(([, isMissing]) => isMissing).map(([keyword]) => keyword),
  ];
}

/** What a value has to be, in words. */
const FORMS: Readonly<Record<string, string>> = {
  AE: 'at most 16 ASCII characters',
  AS: 'three digits and D, W, M or Y',
  CS: 'at most 16 capitals, digits, blanks and underscores',
  DA: 'YYYYMMDD of a day that exists',
  DS: 'a number of at most 16 characters',
  DT: 'YYYYMMDDHHMMSS',
  IS: 'a whole number of at most 12 characters',
  LO: 'at most 64 characters',
  PN: 'at most 64 characters in each group',
  SH: 'at most 16 characters',
  TM: 'HHMMSS of a time that exists',
  UI: 'digits and dots, at most 64, no number with a zero before it',
};

const CHARACTER_SET = tagOf('SpecificCharacterSet');

/** `Keyword (what a value has to be)` of each attribute, at any depth, with a value that is none of its VR (PS3.5 table 6.2-1). */
export function malformedIn(item: DataSet): string[] {
  const found = [...item].flatMap(([tag, element]): string[] => {
    if (element.kind === 'sequence') return element.items.flatMap(malformedIn);
    const { vr } = element;
    // how the file is written, and no matter of the scanner's
    if (tag === CHARACTER_SET) return [];
    if (element.kind !== 'text' || element.values.every((value) => isValidText(vr, value))) return [];
    return [`${keywordOf(tag) ?? formatTag(tag)} (${FORMS[vr] ?? `no ${vr}`})`];
  });
  return [...new Set(found)];
}
