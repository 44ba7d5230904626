/** The record of a performed procedure step, made of its attributes. */
import type { ExamItem, ExamLink, ExamRecord, ExamSeries } from '@scanflow/booking';
import { defined } from '@scanflow/booking/defined';
import { items, normalTemporal, text, toDicomJson, type DataSet } from '@scanflow/dicom';
import { missingOf, type MppsStep } from './mpps.ts';

export interface RecordInput {
  readonly sopInstanceUid: string;
  readonly step: MppsStep;
  readonly callingAet: string;
  /** UTC instants, to the second. */
  readonly created: string;
  readonly updated: string;
  /** Zone of the scanner's clock. */
  readonly timezone: string;
  readonly items: readonly ExamItem[];
  /** False for an exam that began under 0.1.0: it ends whatever it names. */
  readonly onlySeen: boolean;
}

/** The record of a step as it is now. */
export function recordOf(input: RecordInput): ExamRecord {
  const { sopInstanceUid, step, callingAet, created, updated, timezone } = input;
  const { attributes, state } = step;
  const started = momentOf(attributes, 'PerformedProcedureStepStart', timezone);
  const ended = momentOf(attributes, 'PerformedProcedureStepEnd', timezone);
  const missing = missingOf(step);
  return {
    version: 1,
    sopInstanceUid,
    state,
    created,
    updated,
    ...defined({ started, ended }),
    modality: short(attributes, 'Modality'),
    stationAet: short(attributes, 'PerformedStationAETitle'),
    callingAet,
    wrongItem: state === 'DISCONTINUED' && isWrongItem(attributes),
    ...(input.onlySeen ? { onlySeen: true } : {}),
    ...(missing.length === 0 ? {} : { missing }),
    links: linksOf(attributes),
    items: input.items,
    series: seriesOf(attributes),
    attributes: toDicomJson(attributes),
  };
}

/** As long as a value of these attributes may be (PS3.5 table 6.2-1): the summary of every record stays in memory. */
const short = (given: DataSet, keyword: string): string => (text(given, keyword) ?? '').slice(0, 64);

/** What the scanner says was scheduled; some name accession number and study beside the sequence, not in it. */
export function linksOf(attributes: DataSet): ExamLink[] {
  const inSequence = items(attributes, 'ScheduledStepAttributesSequence').map(linkOf);
  const beside = linkOf(attributes);
  return inSequence.some(namesExam) || !namesExam(beside) ? inSequence : [beside];
}

const namesExam = ({ accessionNumber, studyInstanceUids }: ExamLink): boolean =>
  accessionNumber !== '' || studyInstanceUids.length > 0;

function linkOf(item: DataSet): ExamLink {
  return {
    accessionNumber: short(item, 'AccessionNumber'),
    scheduledStepId: short(item, 'ScheduledProcedureStepID'),
    requestedProcedureId: short(item, 'RequestedProcedureID'),
    // F.7.2.1.2 note 2: where procedures are grouped, the requested ones' studies are referenced
    studyInstanceUids: [
      short(item, 'StudyInstanceUID'),
      ...items(item, 'ReferencedStudySequence').map((study) => short(study, 'ReferencedSOPInstanceUID')),
    ].filter((uid, index, all) => uid !== '' && all.indexOf(uid) === index),
  };
}

/** The series, each once, with how many different instances it has. */
function seriesOf(attributes: DataSet): ExamSeries[] {
  const found = new Map<string, { description: string; images: Set<string>; others: Set<string> }>();
  for (const item of items(attributes, 'PerformedSeriesSequence')) {
    const uid = short(item, 'SeriesInstanceUID');
    const description = short(item, 'SeriesDescription');
    const one = found.get(uid) ?? { description, images: new Set(), others: new Set() };
    addInstances(one.images, items(item, 'ReferencedImageSequence'));
    addInstances(one.others, items(item, 'ReferencedNonImageCompositeSOPInstanceSequence'));
    found.set(uid, one);
  }
  return [...found].map(([seriesInstanceUid, { description, images, others }]) => ({
    seriesInstanceUid,
    description,
    images: images.size,
    others: others.size,
  }));
}

function addInstances(set: Set<string>, references: readonly DataSet[]): void {
  for (const reference of references) {
    const uid = text(reference, 'ReferencedSOPInstanceUID');
    if (uid !== undefined) set.add(uid);
  }
}

/** PS3.16 CID 9300: Incorrect worklist entry selected. */
function isWrongItem(attributes: DataSet): boolean {
  return items(attributes, 'PerformedProcedureStepDiscontinuationReasonCodeSequence').some(
    (reason) => text(reason, 'CodeValue') === '110514' && text(reason, 'CodingSchemeDesignator') === 'DCM',
  );
}

const OFFSET = /^([+-]\d\d)(\d\d)$/;

/** Date and time of the step as a UTC instant; undefined where they are no date and time. */
function momentOf(attributes: DataSet, prefix: string, timezone: string): string | undefined {
  const offset = OFFSET.exec(text(attributes, 'TimezoneOffsetFromUTC') ?? '');
  const zone = offset === null ? timezone : `${offset[1] ?? ''}:${offset[2] ?? ''}`;
  return instantOf(text(attributes, `${prefix}Date`) ?? '', text(attributes, `${prefix}Time`) ?? '', zone);
}

/** DA and TM (PS3.5 6.2), also as older equipment writes them, in a zone as a UTC instant to the second; undefined where they are none. */
export function instantOf(date: string, time: string, zone: string): string | undefined {
  const day = normalTemporal('DA', date);
  const [clock] = normalTemporal('TM', time)?.split('.') ?? [];
  if (day === undefined || clock === undefined) return undefined;
  try {
    const local = `${day}T${clock}`;
    return Temporal.PlainDateTime.from(local).toZonedDateTime(zone).toInstant().toString();
  } catch {
    // 31 February, or a zone beyond a day
    return undefined;
  }
}
