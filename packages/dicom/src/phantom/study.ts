/** Who and what was scanned: the attributes of patient, study, series and equipment. */
import type { Attributes } from '../build.ts';
import type { DataSet, Element } from '../dataset.ts';
import { tagOf } from '../dictionary.ts';
import { items, text } from '../read.ts';
import type { Plan } from './options.ts';

const NOTHING: DataSet = new Map();

/** DA and TM of a moment (PS3.5 6.2). */
export function dateAndTime(when: Temporal.ZonedDateTime): { readonly date: string; readonly time: string } {
  const date = when.toPlainDate().toString().replaceAll('-', '');
  const time = when.toPlainTime().toString({ fractionalSecondDigits: 6 }).replaceAll(':', '');
  return { date, time };
}

/** Attributes of Patient, General Study, General Series and General Equipment (PS3.3 C.7.1 to C.7.5). */
export function studyAttributes(plan: Plan): Attributes {
  return { ...patient(plan), ...study(plan), ...series(plan) };
}

function patient({ worklistItem: item = NOTHING, patientId, patientName }: Plan): Attributes {
  return {
    PatientName: patientName ?? text(item, 'PatientName') ?? patientId,
    PatientID: patientId,
    PatientBirthDate: text(item, 'PatientBirthDate') ?? null,
    PatientSex: text(item, 'PatientSex') ?? null,
    PatientWeight: text(item, 'PatientWeight'),
  };
}

function study(plan: Plan): Attributes {
  const { worklistItem: item = NOTHING, when } = plan;
  const { date, time } = dateAndTime(when);
  return {
    StudyDate: date,
    StudyTime: time,
    AccessionNumber: text(item, 'AccessionNumber') ?? null,
    ReferringPhysicianName: text(item, 'ReferringPhysicianName') ?? null,
    RequestingPhysician: text(item, 'RequestingPhysician'),
    StudyDescription: text(item, 'RequestedProcedureDescription') ?? 'Phantom',
    StudyInstanceUID: plan.studyInstanceUid,
    StudyID: text(item, 'RequestedProcedureID') ?? '1',
  };
}

function series(plan: Plan): Attributes {
  const { worklistItem: item = NOTHING, when } = plan;
  const [step = NOTHING] = items(item, 'ScheduledProcedureStepSequence');
  const { date, time } = dateAndTime(when);
  return {
    SeriesDate: date,
    SeriesTime: time,
    StationName: text(step, 'ScheduledStationName') ?? text(step, 'ScheduledStationAETitle') ?? 'PHANTOM',
    SeriesDescription: plan.seriesDescription,
    ProtocolName: plan.seriesDescription,
    SeriesInstanceUID: plan.seriesInstanceUid,
    SeriesNumber: plan.seriesNumber,
    PerformedProcedureStepStartDate: date,
    PerformedProcedureStepStartTime: time,
    PerformedProcedureStepID: text(step, 'ScheduledProcedureStepID') ?? '1',
    InstitutionName: 'Scanflow',
    DeviceSerialNumber: '12345',
    SoftwareVersions: 'scanflow phantom',
  };
}

const REQUEST = ['AccessionNumber', 'RequestedProcedureID', 'RequestedProcedureDescription'];
const STEP = [
  'ScheduledProcedureStepID',
  'ScheduledProcedureStepDescription',
  'ScheduledProtocolCodeSequence',
];

/** Request Attributes Sequence (PS3.3 table 10-9): an item for each step that the worklist item holds. */
export function requestAttributes({ worklistItem }: Plan): DataSet {
  if (worklistItem === undefined) return NOTHING;
  const request = copied(worklistItem, REQUEST);
  const steps = items(worklistItem, 'ScheduledProcedureStepSequence').map((step) => copied(step, STEP));
  const all = (steps.length === 0 ? [[]] : steps).map((step): DataSet => new Map([...request, ...step]));
  const element: Element = { vr: 'SQ', kind: 'sequence', items: all };
  return new Map([[tagOf('RequestAttributesSequence'), element]]);
}

/** The elements of these keywords that have a value. */
function copied(from: DataSet, keywords: readonly string[]): [number, Element][] {
  return keywords.flatMap((keyword): [number, Element][] => {
    const tag = tagOf(keyword);
    const element = from.get(tag);
    return element === undefined || isEmpty(element) ? [] : [[tag, element]];
  });
}

function isEmpty(element: Element): boolean {
  if (element.kind === 'binary') return element.bytes.length === 0;
  return (element.kind === 'text' ? element.values : element.items).length === 0;
}
