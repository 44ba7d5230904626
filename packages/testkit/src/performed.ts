/** What a scanner reports of an exam (PS3.4 table F.7.2-1), complete; tests take away or change what they need. */
import type { Attributes } from '@scanflow/dicom';

export interface ExamOptions {
  readonly accessionNumber?: string;
  readonly studyInstanceUid?: string;
  readonly stepId?: string;
  readonly stationAet?: string;
  /** Images of the one series. */
  readonly images?: number;
}

export const SERIES_UID = '1.2.840.99.5';

/** Attribute list of the N-CREATE. */
export function examBegins({
  accessionNumber = 'A1',
  studyInstanceUid = '2.25.16689',
  stepId = 'A1',
  stationAet = 'PRISMA',
}: ExamOptions = {}): Attributes {
  return {
    SpecificCharacterSet: 'ISO_IR 100',
    ScheduledStepAttributesSequence: [
      {
        StudyInstanceUID: studyInstanceUid,
        ReferencedStudySequence: [],
        AccessionNumber: accessionNumber,
        RequestedProcedureID: 'ses-mri01',
        RequestedProcedureDescription: 'Memory task',
        ScheduledProcedureStepID: stepId,
        ScheduledProcedureStepDescription: null,
        ScheduledProtocolCodeSequence: [],
      },
    ],
    PatientName: 'Müller^Jörg',
    PatientID: '3010000.01_sub-A1',
    PatientBirthDate: null,
    PatientSex: null,
    ReferencedPatientSequence: [],
    PerformedProcedureStepID: 'PPS1',
    PerformedStationAETitle: stationAet,
    PerformedStationName: null,
    PerformedLocation: null,
    PerformedProcedureStepStartDate: '20261122',
    PerformedProcedureStepStartTime: '093112.5',
    PerformedProcedureStepStatus: 'IN PROGRESS',
    PerformedProcedureStepDescription: null,
    PerformedProcedureTypeDescription: null,
    ProcedureCodeSequence: [],
    PerformedProcedureStepEndDate: null,
    PerformedProcedureStepEndTime: null,
    Modality: 'MR',
    StudyID: 'ses-mri01',
    PerformedProtocolCodeSequence: [],
    PerformedSeriesSequence: [],
  };
}

/** Modification list of the N-SET that ends it. */
export function examEnds(state: 'COMPLETED' | 'DISCONTINUED', { images = 3 }: ExamOptions = {}): Attributes {
  return {
    PerformedProcedureStepStatus: state,
    PerformedProcedureStepEndDate: '20261122',
    PerformedProcedureStepEndTime: '101500',
    PerformedSeriesSequence: [examSeries(images)],
  };
}

/** An item of Performed Series Sequence. */
export function examSeries(images: number, seriesInstanceUid = SERIES_UID): Attributes {
  return {
    PerformingPhysicianName: null,
    ProtocolName: 't1_mprage',
    OperatorsName: null,
    SeriesInstanceUID: seriesInstanceUid,
    SeriesDescription: 't1_mprage_sag',
    RetrieveAETitle: null,
    ReferencedImageSequence: Array.from({ length: images }, (_, index) => ({
      ReferencedSOPClassUID: '1.2.840.10008.5.1.4.1.1.4',
      ReferencedSOPInstanceUID: `${seriesInstanceUid}.${index + 1}`,
    })),
    ReferencedNonImageCompositeSOPInstanceSequence: [],
  };
}
