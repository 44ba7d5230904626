/** What a scanner's report of an exam becomes, from bytes to the record's text: its limits, and what the configuration fills in. Pure, in the event loop or in a worker. */
import {
  parseExamRecord,
  type ExamSummary,
  type ExamItem,
  type ExamLink,
  type ExamRecord,
  type ExamSeries,
} from '@scanflow/booking';
import {
  decodeDataSet,
  fromDicomJson,
  type DecodeOptions,
  items,
  type DataSet,
  normalTemporal,
  text,
  toDicomJson,
} from '@scanflow/dicom';
import { defined } from '@scanflow/failure/defined';
import {
  createStep,
  setStep,
  type MppsOutcome,
  type MppsRefusal,
  type Strictness,
  MPPS_STATUS,
  missingOf,
  type MppsStep,
} from './mpps.ts';

export interface Report {
  /** The attribute list of an N-CREATE, or the modification list of an N-SET. */
  readonly bytes: Uint8Array;
  readonly transferSyntax: string;
  readonly decoding: DecodeOptions;
  readonly strictness: Strictness;
  /** N-SET: the record's text before it. */
  readonly before?: Uint8Array;
  readonly about: Omit<RecordInput, 'step' | 'items'>;
}

export type Reported =
  | { readonly ok: true; readonly summary: ExamSummary; readonly attributes: Uint8Array }
  | { readonly ok: false; readonly refusal: MppsRefusal };

/** Bytes to read; so many take some milliseconds. */
export const sizeOf = ({ bytes, before }: Report): number => bytes.length + (before?.length ?? 0);

/** The record without its items, which the worklist knows. Throws DicomDecodeError. */
export function readReport(report: Report): Reported {
  const { bytes, transferSyntax, decoding, strictness, before, about } = report;
  const given = decodeDataSet(bytes, transferSyntax, decoding);
  const tooMuch = oversized(given);
  if (tooMuch !== undefined) return { ok: false, refusal: tooMuch };
  const outcome =
    before === undefined ? createStep(given, strictness) : setStep(stepOf(before), given, strictness);
  if (!outcome.ok) return { ok: false, refusal: bounded(outcome) };
  const { attributes, ...summary } = recordOf({ ...about, step: outcome.step, items: [] });
  return { ok: true, summary, attributes: Buffer.from(JSON.stringify(attributes)) };
}

function stepOf(before: Uint8Array): Parameters<typeof setStep>[0] {
  const parsed = parseExamRecord(Buffer.from(before).toString('utf8'));
  if (!parsed.ok) throw new Error(`the record is broken: ${parsed.reason}`);
  return { state: parsed.record.state, attributes: fromDicomJson(parsed.record.attributes) };
}

function bounded({ refusal }: MppsOutcome & { readonly ok: false }): MppsRefusal {
  const { attributes, ...rest } = refusal;
  return attributes === undefined || isSmall(attributes) ? refusal : rest;
}

/** Items of sequences. An exam has one scheduled step, or a few that were grouped; a long one has a hundred series. */
const MOST_ITEMS: Readonly<Record<string, number>> = {
  ScheduledStepAttributesSequence: 100,
  PerformedSeriesSequence: 1_000,
};
const MOST_STUDIES = 100;

/** Why the report is more than we keep; undefined where it is not. PS3.7 annex C: 0213, resource limitation. */
function oversized(attributes: DataSet): MppsRefusal | undefined {
  for (const [sequence, most] of Object.entries(MOST_ITEMS))
    if (items(attributes, sequence).length > most) return tooMany(sequence, most);
  const steps = items(attributes, 'ScheduledStepAttributesSequence');
  const isOver = steps.some((step) => items(step, 'ReferencedStudySequence').length > MOST_STUDIES);
  return isOver ? tooMany('ReferencedStudySequence', MOST_STUDIES) : undefined;
}

const tooMany = (sequence: string, most: number): MppsRefusal => ({
  status: MPPS_STATUS.noResources,
  comment: `More than ${most} items: ${sequence}`,
});

/** Elements and items of a refused attribute that are sent back with the refusal; of more, only its tag is. */
const MOST_SENT_BACK = 256;

/** Whether an attribute is small enough to be sent back. */
function isSmall(attributes: DataSet): boolean {
  let left = MOST_SENT_BACK;
  const walk = (given: DataSet): boolean => {
    for (const element of given.values()) {
      left -= 1;
      if (left < 0) return false;
      if (element.kind === 'sequence' && !element.items.every(walk)) return false;
    }
    return true;
  };
  return walk(attributes);
}

/** By each AE title of the scanner. */
export type KnownScanners = ReadonlyMap<string, { readonly aet: string; readonly modality: string }>;

/** The summary with modality and AE title of its scanner; the attributes of the record stay as the scanner sent them. */
export function fillIn(summary: ExamSummary, scanners: KnownScanners): ExamSummary {
  const scanner = scanners.get(summary.stationAet) ?? scanners.get(summary.callingAet);
  if (scanner === undefined) return summary;
  const { aet, modality } = scanner;
  return { ...summary, modality: summary.modality || modality, stationAet: summary.stationAet || aet };
}

/** The scanners of the configuration under all their AE titles. */
export function knownScanners(
  scanners: Readonly<
    Record<
      string,
      { readonly aet: string; readonly modality: string; readonly sends?: readonly string[] | undefined }
    >
  >,
): KnownScanners {
  return new Map(
    Object.values(scanners).flatMap(({ aet, modality, sends = [] }) =>
      [aet, ...sends].map((title) => [title, { aet, modality }] as const),
    ),
  );
}

interface RecordInput {
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
function linksOf(attributes: DataSet): ExamLink[] {
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
