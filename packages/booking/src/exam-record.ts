/**
 * The record of a performed procedure step, `performed/<SOP Instance UID>.json`: what a scanner reported of an exam
 * (MPPS, PS3.4 F.7). Written by the worklist service, to be read by others.
 */

export type ExamState = 'IN PROGRESS' | 'COMPLETED' | 'DISCONTINUED';

/** What was scheduled, as the scanner names it: an item of Scheduled Step Attributes Sequence (0040,0270). */
export interface ExamLink {
  /** Empty where the scanner had no such value. */
  readonly accessionNumber: string;
  readonly scheduledStepId: string;
  readonly requestedProcedureId: string;
  /** The study of the images first; where procedures were grouped, those that were requested follow. */
  readonly studyInstanceUids: readonly string[];
}

/** An item of the worklist that a link led to. */
export interface ExamItem {
  readonly accessionNumber: string;
  readonly studyInstanceUid: string;
  readonly scheduledStepId: string;
  /** Its scheduled start at that time, a UTC instant; absent where it had none. */
  readonly start?: string;
}

export interface ExamSeries {
  readonly seriesInstanceUid: string;
  readonly description: string;
  /** How many instances of each kind the scanner made: Referenced Image Sequence, and the non-image one. */
  readonly images: number;
  readonly others: number;
}

export interface ExamRecord {
  readonly version: 1;
  readonly sopInstanceUid: string;
  readonly state: ExamState;
  /** UTC instants by our clock: when the scanner reported the step first and last. */
  readonly created: string;
  readonly updated: string;
  /** UTC instants by the scanner's clock; absent where it gave none, or none that can be read. */
  readonly started?: string;
  readonly ended?: string;
  readonly modality: string;
  /** AE title of the scanner that made the images, and of the node that reported it. */
  readonly stationAet: string;
  readonly callingAet: string;
  /** Discontinued because it was the wrong item of the worklist (PS3.16 CID 9300, 110514): the item was not done. */
  readonly wrongItem: boolean;
  /** Only items that `callingAet` may see count; absent in records of 0.1.0, whose exams end whatever they name. */
  readonly onlySeen?: boolean;
  /** Attributes that PS3.4 table F.7.2-1 asks for and the scanner did not send, by keyword; absent where it sent all. */
  readonly missing?: readonly string[];
  readonly links: readonly ExamLink[];
  /** Empty: the step is linked to nothing that was scheduled here. */
  readonly items: readonly ExamItem[];
  readonly series: readonly ExamSeries[];
  /** All attributes, in the DICOM JSON model (PS3.18 F.2); binary values inline. */
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** A record without the attributes, which name every image: what decisions need, and what stays in memory. */
export type ExamSummary = Omit<ExamRecord, 'attributes'>;

export type ParsedExamRecord =
  { readonly ok: true; readonly record: ExamRecord } | { readonly ok: false; readonly reason: string };

/** The record as its file's text: one line of JSON, since it names every image. */
export function encodeExamRecord(record: ExamRecord): string {
  return `${JSON.stringify(record)}\n`;
}

/** The same of a summary and its attributes as JSON: a large record is made without reading them again. */
export function joinExamRecord(summary: ExamSummary, attributes: Uint8Array): Uint8Array {
  const head = JSON.stringify(summary).slice(0, -1);
  return Buffer.concat([Buffer.from(`${head},"attributes":`), attributes, Buffer.from('}\n')]);
}

const STATES: readonly unknown[] = ['IN PROGRESS', 'COMPLETED', 'DISCONTINUED'];
const TEXTS = ['sopInstanceUid', 'modality', 'stationAet', 'callingAet'];
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;

/** Reads a record's text; says what is wrong instead of guessing. Unknown keys are ignored. */
export function parseExamRecord(text: string): ParsedExamRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { ok: false, reason: `not JSON: ${error instanceof Error ? error.name : String(error)}` };
  }
  const problem = isObject(value) ? shapeProblem(value) : 'not an object';
  return problem === undefined ? { ok: true, record: value as ExamRecord } : { ok: false, reason: problem };
}

/** The same without the attributes. */
export function parseExamSummary(
  text: string,
): { readonly ok: true; readonly record: ExamSummary } | { readonly ok: false; readonly reason: string } {
  const parsed = parseExamRecord(text);
  if (!parsed.ok) return parsed;
  const { attributes: _, ...record } = parsed.record;
  return { ok: true, record };
}

const ATTRIBUTES = ',"attributes":{';

/**
 * The text of a record without its attributes, from the first bytes of its file; undefined where they end before the
 * attributes. No other text can hold the mark before them, since JSON escapes quotation marks.
 */
export function examSummaryFromHead(head: Buffer): string | undefined {
  const mark = head.indexOf(ATTRIBUTES);
  return mark < 0 ? undefined : `${head.toString('utf8', 0, mark)}${ATTRIBUTES}}}`;
}

function shapeProblem(value: Record<string, unknown>): string | undefined {
  if (value['version'] !== 1) return `version ${String(value['version'])} instead of 1`;
  if (!STATES.includes(value['state'])) return 'state is none';
  const missing = TEXTS.find((key) => typeof value[key] !== 'string');
  if (missing !== undefined) return `${missing} is not a text`;
  const untimely = ['created', 'updated', 'started', 'ended'].find((key) => {
    const required = key === 'created' || key === 'updated';
    return value[key] === undefined ? required : !isInstant(value[key]);
  });
  if (untimely !== undefined) return `${untimely} is not an instant`;
  if (typeof value['wrongItem'] !== 'boolean') return 'wrongItem is neither true nor false';
  if (value['missing'] !== undefined && !isTexts(value['missing'])) return 'missing is no list of texts';
  if (!isListOf(value['links'], isLink)) return 'links are incomplete';
  if (!isListOf(value['items'], isItem)) return 'items are incomplete';
  if (!isListOf(value['series'], isSeries)) return 'series are incomplete';
  return isObject(value['attributes']) ? undefined : 'attributes are missing';
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isInstant = (value: unknown): boolean => typeof value === 'string' && INSTANT.test(value);
const isText = (value: unknown): boolean => typeof value === 'string';
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;
const isListOf = (value: unknown, is: (item: Record<string, unknown>) => boolean): boolean =>
  Array.isArray(value) && value.every((item: unknown) => isObject(item) && is(item));

const isLink = (link: Record<string, unknown>): boolean =>
  ['accessionNumber', 'scheduledStepId', 'requestedProcedureId'].every((key) => isText(link[key])) &&
  Array.isArray(link['studyInstanceUids']) &&
  link['studyInstanceUids'].every(isText);
const isItem = (item: Record<string, unknown>): boolean =>
  ['accessionNumber', 'studyInstanceUid', 'scheduledStepId'].every((key) => isText(item[key])) &&
  (item['start'] === undefined || isInstant(item['start']));
const isSeries = (series: Record<string, unknown>): boolean =>
  isText(series['seriesInstanceUid']) &&
  isText(series['description']) &&
  isCount(series['images']) &&
  isCount(series['others']);
