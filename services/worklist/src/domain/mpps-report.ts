/** What a scanner's report of an exam becomes, from bytes to the record's text: its limits, and what the configuration fills in. Pure, in the event loop or in a worker. */
import { parseExamRecord, type ExamSummary } from '@scanflow/booking';
import { decodeDataSet, fromDicomJson, type DecodeOptions, items, type DataSet } from '@scanflow/dicom';
import { recordOf, type RecordInput } from './exam-record.ts';
import {
  createStep,
  setStep,
  type MppsOutcome,
  type MppsRefusal,
  type Strictness,
  MPPS_STATUS,
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
