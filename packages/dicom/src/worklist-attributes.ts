/** The attributes of the modality worklist information model (PS3.4 table K.6-1), level by level. */
import type { Tag } from './dataset.ts';
import { tagOf } from './dictionary.ts';

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
