/**
 * The attributes of a performed procedure step: which it must have and which may not change (PS3.4 table F.7.2-1), and whether
 * two values say the same by the rules of their VR (PS3.5 6.2), because scanners write a value in many forms. Pure.
 */
import { tagOf, type Tag, isTemporal, normalTemporal, type DataSet, type Element } from '@scanflow/dicom';

export interface Requirement {
  readonly tag: Tag;
  /** 1: present and not empty. 2: present. */
  readonly type: 1 | 2;
  /** What each item of the sequence must have. */
  readonly items: readonly Requirement[];
}

const require = (type: 1 | 2, keyword: string, items: readonly Requirement[] = []): Requirement => ({
  tag: tagOf(keyword),
  type,
  items,
});

const referencedSop = [require(1, 'ReferencedSOPClassUID'), require(1, 'ReferencedSOPInstanceUID')];

const series = [
  require(2, 'PerformingPhysicianName'),
  require(1, 'ProtocolName'),
  require(2, 'OperatorsName'),
  require(1, 'SeriesInstanceUID'),
  require(2, 'SeriesDescription'),
  require(2, 'RetrieveAETitle'),
  require(2, 'ReferencedImageSequence', referencedSop),
  require(2, 'ReferencedNonImageCompositeSOPInstanceSequence', referencedSop),
];

/** Column N-CREATE. Type 3 and 1C attributes are left out: they may be there or not. */
export const ON_CREATE: readonly Requirement[] = [
  require(1, 'ScheduledStepAttributesSequence', [
    require(1, 'StudyInstanceUID'),
    require(2, 'ReferencedStudySequence', referencedSop),
    require(2, 'AccessionNumber'),
    require(2, 'RequestedProcedureID'),
    require(2, 'RequestedProcedureDescription'),
    require(2, 'ScheduledProcedureStepID'),
    require(2, 'ScheduledProcedureStepDescription'),
    require(2, 'ScheduledProtocolCodeSequence'),
  ]),
  require(2, 'PatientName'),
  require(2, 'PatientID'),
  require(2, 'PatientBirthDate'),
  require(2, 'PatientSex'),
  require(2, 'ReferencedPatientSequence', referencedSop),
  require(1, 'PerformedProcedureStepID'),
  require(1, 'PerformedStationAETitle'),
  require(2, 'PerformedStationName'),
  require(2, 'PerformedLocation'),
  require(1, 'PerformedProcedureStepStartDate'),
  require(1, 'PerformedProcedureStepStartTime'),
  require(1, 'PerformedProcedureStepStatus'),
  require(2, 'PerformedProcedureStepDescription'),
  require(2, 'PerformedProcedureTypeDescription'),
  require(2, 'ProcedureCodeSequence'),
  require(2, 'PerformedProcedureStepEndDate'),
  require(2, 'PerformedProcedureStepEndTime'),
  require(1, 'Modality'),
  require(2, 'StudyID'),
  require(2, 'PerformedProtocolCodeSequence'),
  require(2, 'PerformedSeriesSequence', series),
];

/** What a step cannot be used without. */
export const ALWAYS: readonly Requirement[] = [require(1, 'PerformedProcedureStepStatus')];

/** Columns N-SET: what the items of a sequence must have whenever it is set; all of them are sent again. */
export const ON_SET: readonly Requirement[] = [require(2, 'PerformedSeriesSequence', series)];

/** Column final state: what must be there when the step ends, whenever it was set. */
export const AT_END: readonly Requirement[] = [
  require(1, 'PerformedProcedureStepEndDate'),
  require(1, 'PerformedProcedureStepEndTime'),
  require(1, 'PerformedSeriesSequence', series),
];

/** Column N-SET, `Not allowed`. */
export const FIXED: readonly Tag[] = [
  'ScheduledStepAttributesSequence',
  'PatientName',
  'PatientID',
  'IssuerOfPatientID',
  'IssuerOfPatientIDQualifiersSequence',
  'OtherPatientIDsSequence',
  'PatientBirthDate',
  'PatientSex',
  'ReferencedPatientSequence',
  'AdmissionID',
  'IssuerOfAdmissionIDSequence',
  'ServiceEpisodeID',
  'IssuerOfServiceEpisodeIDSequence',
  'ServiceEpisodeDescription',
  'PerformedProcedureStepID',
  'PerformedStationAETitle',
  'PerformedStationName',
  'PerformedLocation',
  'PerformedProcedureStepStartDate',
  'PerformedProcedureStepStartTime',
  'Modality',
  'StudyID',
].map(tagOf);

/**
 * Of those, what says when, where and under which number an exam was done. Leniently, another value is no reason to leave the exam
 * open for a day: the first one stays.
 */
export const CIRCUMSTANCES: ReadonlySet<Tag> = new Set(
  [
    'PerformedProcedureStepID',
    'PerformedStationName',
    'PerformedLocation',
    'PerformedProcedureStepStartDate',
    'PerformedProcedureStepStartTime',
    'StudyID',
    'AdmissionID',
    'ServiceEpisodeID',
    'ServiceEpisodeDescription',
  ].map(tagOf),
);

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
