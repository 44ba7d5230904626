/** Which keys the worklist supports: those of PS3.4 table K.6-1, and whatever an item holds beyond them. */
import { formatTag, items, keywordOf, tagOf } from '@scanflow/dicom';
import type { DataSet, Element, Tag } from '@scanflow/dicom';

const tagsOf = (keywords: string): ReadonlySet<Tag> => new Set(keywords.trim().split(/\s+/).map(tagOf));

/** Requested Procedure, Imaging Service Request, Visit and Patient, and what K.6-1 says of the SOP itself. */
const rootKeys = tagsOf(`
  SpecificCharacterSet TimezoneOffsetFromUTC ScheduledProcedureStepSequence
  RequestedProcedureID RequestedProcedureDescription RequestedProcedureCodeSequence StudyInstanceUID StudyDate
  StudyTime ReferencedStudySequence RequestedProcedurePriority PatientTransportArrangements
  ReasonForTheRequestedProcedure RequestedProcedureComments RequestedProcedureLocation ConfidentialityCode
  NamesOfIntendedRecipientsOfResults ReasonForRequestedProcedureCodeSequence ReportingPriority
  AccessionNumber IssuerOfAccessionNumberSequence RequestingPhysician ReferringPhysicianName RequestingService
  PlacerOrderNumberImagingServiceRequest FillerOrderNumberImagingServiceRequest ImagingServiceRequestComments
  OrderEnteredBy OrderEntererLocation OrderCallbackPhoneNumber IssueDateOfImagingServiceRequest
  IssueTimeOfImagingServiceRequest
  AdmissionID IssuerOfAdmissionIDSequence InstitutionName InstitutionAddress InstitutionCodeSequence
  CurrentPatientLocation ReferencedPatientSequence PatientInstitutionResidence VisitComments AdmittingDate
  AdmittingTime AdmittingDiagnosesDescription
  PatientName PatientID IssuerOfPatientID IssuerOfPatientIDQualifiersSequence OtherPatientIDs
  OtherPatientIDsSequence OtherPatientNames PatientBirthDate PatientBirthTime PatientSex PatientAge PatientSize
  PatientWeight PatientPrimaryLanguageCodeSequence ConfidentialityConstraintOnPatientDataDescription
  PatientState PregnancyStatus LastMenstrualDate MedicalAlerts Allergies SpecialNeeds SmokingStatus EthnicGroup
  Occupation MilitaryRank PatientAddress PatientTelephoneNumbers PatientReligiousPreference PatientComments
  AdditionalPatientHistory CountryOfResidence RegionOfResidence PatientSexNeutered PatientSpeciesDescription
  PatientBreedDescription ResponsiblePerson ResponsiblePersonRole ResponsibleOrganization
`);

/** Scheduled Procedure Step. */
const stepKeys = tagsOf(`
  ScheduledStationAETitle ScheduledProcedureStepStartDate ScheduledProcedureStepStartTime
  ScheduledProcedureStepEndDate ScheduledProcedureStepEndTime Modality ScheduledPerformingPhysicianName
  ScheduledPerformingPhysicianIdentificationSequence ScheduledProcedureStepDescription ScheduledStationName
  ScheduledProcedureStepLocation ReferencedDefinedProtocolSequence ReferencedPerformedProtocolSequence
  ScheduledProtocolCodeSequence PreMedication ScheduledProcedureStepID RequestedContrastAgent
  ScheduledProcedureStepStatus CommentsOnTheScheduledProcedureStep ScheduledSpecimenSequence
`);

const stepSequence = tagOf('ScheduledProcedureStepSequence');

/** A key outside of table K.6-1, and where it stands. Inside other sequences the whole macro is taken to be supported. */
export interface ExtraKey {
  readonly tag: Tag;
  readonly level: 'root' | 'step';
}

/** The keys of a query that the table does not have. Group lengths are no keys. */
export function extraKeys(identifier: DataSet): ExtraKey[] {
  const root = [...identifier.keys()].filter((tag) => !rootKeys.has(tag) && !isGroupLength(tag));
  const step = items(identifier, 'ScheduledProcedureStepSequence')
    .flatMap((item) => [...item.keys()])
    .filter((tag) => !stepKeys.has(tag) && !isGroupLength(tag));
  return [
    ...root.map((tag): ExtraKey => ({ tag, level: 'root' })),
    ...step.map((tag): ExtraKey => ({ tag, level: 'step' })),
  ];
}

/** Whether an item holds the key after all. */
export function holds(item: DataSet, { tag, level }: ExtraKey): boolean {
  if (level === 'root') return item.has(tag);
  const steps = item.get(stepSequence);
  return steps?.kind === 'sequence' && steps.items.some((step) => step.has(tag));
}

/** Paths of the keys that have a value, such as `ScheduledProcedureStepSequence.Modality`; never the values. */
export function valuedKeys(identifier: DataSet): string[] {
  return [...identifier].flatMap(([tag, element]) => {
    const name = keywordOf(tag) ?? formatTag(tag);
    if (element.kind === 'sequence')
      return element.items.flatMap(valuedKeys).map((inner) => `${name}.${inner}`);
    return hasValue(element) ? [name] : [];
  });
}

function hasValue(element: Exclude<Element, { kind: 'sequence' }>): boolean {
  return element.kind === 'text' ? element.values.some((value) => value !== '') : element.bytes.length > 0;
}

const isGroupLength = (tag: Tag): boolean => (tag & 0xffff) === 0;
