/** The modality worklist information model (PS3.4 table K.6-1): a booking as an item, and the model's attributes, level by level. */
import type { DataSet, Tag } from './dataset.ts';
import { tagOf } from './dictionary.ts';
import { fit } from './fit.ts';
import { dataSet } from './values.ts';

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

/** Where a key of a worklist query stands: in the identifier itself, in an item of its scheduled step, or in an item of another sequence. */
type WorklistLevel = 'identifier' | 'step' | 'inner';

/** `any`: a query of another model, in which each attribute is a key. */
export type Level = WorklistLevel | 'any';

const tagsOf = (keywords: string): ReadonlySet<Tag> => new Set(keywords.trim().split(/\s+/).map(tagOf));

const MODEL: Readonly<Record<WorklistLevel, ReadonlySet<Tag>>> = {
  identifier: tagsOf(`
    ScheduledProcedureStepSequence
    RequestedProcedureID RequestedProcedureDescription RequestedProcedureCodeSequence StudyInstanceUID StudyDate
    StudyTime ReferencedStudySequence RequestedProcedurePriority PatientTransportArrangements
    AccessionNumber IssuerOfAccessionNumberSequence RequestingPhysician ReferringPhysicianName
    AdmissionID IssuerOfAdmissionIDSequence CurrentPatientLocation ReferencedPatientSequence
    PatientName PatientID IssuerOfPatientID OtherPatientIDsSequence
    PatientBirthDate PatientSex PatientWeight PatientSize ConfidentialityConstraintOnPatientDataDescription
    PatientState PregnancyStatus MedicalAlerts Allergies SpecialNeeds PertinentDocumentsSequence
  `),
  step: tagsOf(`
    ScheduledStationAETitle ScheduledProcedureStepStartDate
    ScheduledProcedureStepStartTime Modality ScheduledPerformingPhysicianName ScheduledProcedureStepDescription
    ScheduledStationName ScheduledProcedureStepLocation ReferencedDefinedProtocolSequence
    ReferencedPerformedProtocolSequence ScheduledProtocolCodeSequence
    PreMedication ScheduledProcedureStepID RequestedContrastAgent ScheduledProcedureStepStatus
    ScheduledSpecimenSequence
  `),
  // codes, references, issuers, specimens, content items, other IDs and documents: macros that occur in many places
  inner: tagsOf(`
    CodeValue CodingSchemeDesignator CodingSchemeVersion CodeMeaning LongCodeValue URNCodeValue
    ReferencedSOPClassUID ReferencedSOPInstanceUID
    ContainerIdentifier ContainerTypeCodeSequence SpecimenDescriptionSequence SpecimenIdentifier SpecimenUID
    ProtocolContextSequence ContentItemModifierSequence
    ValueType ConceptNameCodeSequence DateTime Date Time PersonName UID TextValue ConceptCodeSequence NumericValue
    MeasurementUnitsCodeSequence LocalNamespaceEntityID UniversalEntityID UniversalEntityIDType
    PatientID IssuerOfPatientID TypeOfPatientID PurposeOfReferenceCodeSequence DocumentTitle
  `),
};

/** Attributes of the model at any level. */
export const worklistAttributes: ReadonlySet<Tag> = new Set(
  Object.values(MODEL).flatMap((level) => [...level]),
);

/** Whether the model has the attribute at this level. Elsewhere it is no key, and selects nothing. */
export const isOfLevel = (tag: Tag, level: Level): boolean => level === 'any' || MODEL[level].has(tag);

const STEPS = tagOf('ScheduledProcedureStepSequence');

/** The level of the items of a sequence at this level. */
export const levelIn = (sequence: Tag, level: Level): Level =>
  level === 'any' ? level : sequence === STEPS ? 'step' : 'inner';

/** Sequences of type 1C: they are absent where they would be empty. */
export const conditionalSequences: ReadonlySet<Tag> = new Set(
  [
    'ScheduledProtocolCodeSequence',
    'RequestedProcedureCodeSequence',
    'ReferencedDefinedProtocolSequence',
    'ReferencedPerformedProtocolSequence',
    'ScheduledSpecimenSequence',
  ].map(tagOf),
);
