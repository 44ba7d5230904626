/** PS3.4 table F.7.2-1: which attributes a performed procedure step must have, and which may not change. */
import { tagOf, type Tag } from '@scanflow/dicom';

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
