/** The attributes of the modality worklist information model (PS3.4 table K.6-1). */
import type { Tag } from './dataset.ts';
import { tagOf } from './dictionary.ts';

const KEYWORDS = `
  ScheduledProcedureStepSequence ScheduledStationAETitle ScheduledProcedureStepStartDate
  ScheduledProcedureStepStartTime Modality ScheduledPerformingPhysicianName ScheduledProcedureStepDescription
  ScheduledStationName ScheduledProcedureStepLocation ReferencedDefinedProtocolSequence
  ReferencedPerformedProtocolSequence ScheduledProtocolCodeSequence ProtocolContextSequence ContentItemModifierSequence
  PreMedication ScheduledProcedureStepID RequestedContrastAgent ScheduledProcedureStepStatus
  ScheduledSpecimenSequence ContainerIdentifier ContainerTypeCodeSequence SpecimenDescriptionSequence
  SpecimenIdentifier SpecimenUID
  RequestedProcedureID RequestedProcedureDescription RequestedProcedureCodeSequence StudyInstanceUID StudyDate
  StudyTime ReferencedStudySequence ReferencedSOPClassUID ReferencedSOPInstanceUID RequestedProcedurePriority
  PatientTransportArrangements
  AccessionNumber IssuerOfAccessionNumberSequence RequestingPhysician ReferringPhysicianName
  AdmissionID IssuerOfAdmissionIDSequence CurrentPatientLocation ReferencedPatientSequence
  PatientName PatientID IssuerOfPatientID OtherPatientIDsSequence TypeOfPatientID
  PatientBirthDate PatientSex PatientWeight PatientSize ConfidentialityConstraintOnPatientDataDescription
  PatientState PregnancyStatus MedicalAlerts Allergies SpecialNeeds PertinentDocumentsSequence
  CodeValue CodingSchemeDesignator CodingSchemeVersion CodeMeaning LongCodeValue URNCodeValue
  ValueType ConceptNameCodeSequence DateTime Date Time PersonName UID TextValue ConceptCodeSequence NumericValue
  MeasurementUnitsCodeSequence LocalNamespaceEntityID UniversalEntityID UniversalEntityIDType
  PurposeOfReferenceCodeSequence DocumentTitle
`;

/** Attributes of the model at any level: all can be matched, known for an item or not. */
export const worklistAttributes: ReadonlySet<Tag> = new Set(KEYWORDS.trim().split(/\s+/).map(tagOf));

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
