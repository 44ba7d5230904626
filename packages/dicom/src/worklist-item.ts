/** A booking as a modality worklist item (PS3.4 table K.6-1). */
import { dataSet } from './build.ts';
import type { DataSet } from './dataset.ts';
import { fit } from './fit.ts';

export interface WorklistInput {
  readonly accessionNumber: string;
  readonly studyInstanceUid: string;
  readonly patientId: string;
  /** As PN: `^` separates components; without one, it is the family name. */
  readonly patientName: string;
  /** The session; scanners copy it to Study ID. */
  readonly requestedProcedureId: string;
  /** The title of the booking. */
  readonly description: string;
  /** Who booked. */
  readonly requestingPhysician?: string;
  readonly scheduledProcedureStepId: string;
  /** The scanner: AE title, station name, room, modality. */
  readonly stationAet: string;
  readonly stationName: string;
  readonly location?: string;
  readonly modality: string;
  /** In the facility's time zone: worklists carry local times without one. */
  readonly start: Temporal.ZonedDateTime;
  /** Defined term of the scanner's character set, that texts are made to fit; ISO_IR 192. */
  readonly characterSet?: string;
}

/**
 * The item's data set, each value fitted to its VR: every attribute of type 1 has a value, those of type 2 are there
 * and empty where nothing is known. Types 1C and 2C stand only where they have a value. Specific Character Set is
 * left to the encoder.
 */
export function worklistItem(input: WorklistInput): DataSet {
  const { characterSet = 'ISO_IR 192' } = input;
  const fitted = (vr: string, value: string): string | null => fit(vr, value, characterSet) || null;
  return dataSet({
    ...UNKNOWN,
    AccessionNumber: fitted('SH', input.accessionNumber),
    StudyInstanceUID: input.studyInstanceUid,
    PatientName: fitted('PN', input.patientName),
    PatientID: fitted('LO', input.patientId),
    RequestingPhysician: fitted('PN', input.requestingPhysician ?? ''),
    // Type 1: a booking without a session still needs one.
    RequestedProcedureID: fitted('SH', input.requestedProcedureId) ?? fitted('SH', input.accessionNumber),
    RequestedProcedureDescription: fitted('LO', described(input)),
    ScheduledProcedureStepSequence: [
      {
        ScheduledStationAETitle: fitted('AE', input.stationAet),
        ScheduledProcedureStepStartDate: input.start.toPlainDate().toString().replaceAll('-', ''),
        ScheduledProcedureStepStartTime: time(input.start),
        Modality: fitted('CS', input.modality),
        ScheduledPerformingPhysicianName: null,
        ScheduledProcedureStepDescription: fitted('LO', described(input)),
        ScheduledStationName: fitted('SH', input.stationName),
        ScheduledProcedureStepLocation: fitted('SH', input.location ?? ''),
        ScheduledProcedureStepID: fitted('SH', input.scheduledProcedureStepId),
        ScheduledProcedureStepStatus: 'SCHEDULED',
      },
    ],
  });
}

/** Type 2 attributes that a booking knows nothing of. */
const UNKNOWN = {
  ReferencedStudySequence: [],
  ReferencedPatientSequence: [],
  ReferringPhysicianName: null,
  PatientBirthDate: null,
  PatientSex: null,
  PatientWeight: null,
  MedicalAlerts: null,
  Allergies: null,
  PregnancyStatus: null,
  AdmissionID: null,
  CurrentPatientLocation: null,
  SpecialNeeds: null,
  PatientState: null,
  ConfidentialityConstraintOnPatientDataDescription: null,
  RequestedProcedurePriority: null,
  PatientTransportArrangements: null,
};

/** The descriptions are type 1C, required since there are no codes: an untitled booking is described by its session. */
function described({ description, requestedProcedureId, accessionNumber }: WorklistInput): string {
  return [description, requestedProcedureId, accessionNumber].find((text) => text.trim() !== '') ?? '';
}

/** HHMMSS; fractions of a second would be noise. */
function time(start: Temporal.ZonedDateTime): string {
  return start.toPlainTime().toString({ smallestUnit: 'second' }).replaceAll(':', '');
}
