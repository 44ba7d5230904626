/** What a scanner's report of an exam becomes, from bytes to the record's text: pure, in the event loop or in a worker. */
import { parseExamRecord } from '@scanflow/booking';
import { decodeDataSet, fromDicomJson, type DecodeOptions } from '@scanflow/dicom';
import type { ExamSummary } from '@scanflow/booking';
import { recordOf, type RecordInput } from './exam-record.ts';
import { isSmall, oversized } from './mpps-size.ts';
import { createStep, setStep, type MppsOutcome, type MppsRefusal } from './mpps.ts';
import type { Strictness } from './mpps.ts';

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

/** Bytes that are to be read; so much of it takes some milliseconds. */
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
