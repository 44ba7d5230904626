/**
 * Records on disk, for services to read: of a booking (`bookings/<accession>.json`), of events that cal2wl refused
 * (`bookings/rejected.json`), and of an exam (`performed/<SOP Instance UID>.json`). Their readers report a mistake instead of
 * guessing, and ignore unknown keys.
 */
import { LABELS, type BookingSource, type Labels } from './booking.ts';

/** A record, or what is wrong with its text. */
export type Parsed<T> =
  { readonly ok: true; readonly record: T } | { readonly ok: false; readonly reason: string };

/** `problemIn`: the mistake in an object; undefined if there is none. */
function parsed<T>(
  text: string,
  problemIn: (value: Record<string, unknown>) => string | undefined,
): Parsed<T> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // never the error's message: it quotes the text, which names people
    return { ok: false, reason: `not JSON: ${error instanceof Error ? error.name : String(error)}` };
  }
  const problem = versionProblem(value) ?? problemIn(value as Record<string, unknown>);
  return problem === undefined ? { ok: true, record: value as T } : { ok: false, reason: problem };
}

function versionProblem(value: unknown): string | undefined {
  if (!isObject(value)) return 'not an object';
  return value['version'] === 1 ? undefined : `version ${String(value['version'])} instead of 1`;
}

/** Whether a value of `JSON.parse` is an object with keys: neither null nor a list. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): boolean => typeof value === 'string';
const hasTexts = (value: unknown, keys: readonly string[]): boolean =>
  isObject(value) && keys.every((key) => isText(value[key]));

/**
 * What a booking was before it changed. Labels are none of it: somebody whose data are erased must not stay in the record of
 * another booking.
 */
export interface BookingChange {
  /** When cal2wl noticed it: a UTC instant to the second. */
  readonly at: string;
  /** The former values of what changed. */
  readonly start?: string;
  readonly end?: string;
  readonly scanner?: string;
  readonly status?: BookingRecord['status'];
}

/** cal2wl writes it, and the streamer reads it. It outlives the worklist item, so that late images still find their project. */
export interface BookingRecord {
  readonly version: 1;
  readonly accessionNumber: string;
  readonly studyInstanceUid: string;
  /**
   * `scheduled`, `cancelled` once the calendar no longer holds it, or `superseded` once the event carries other labels.
   * Images may come under each of them, and belong to the labels of the record that their accession number names.
   */
  readonly status: 'scheduled' | 'cancelled' | 'superseded';
  /** Accession number of the booking that took its place; only where it is superseded. */
  readonly supersededBy?: string;
  /** Key of the scanner in the configuration. */
  readonly scanner: string;
  readonly modality: string;
  /** UTC instants, `2026-11-22T08:00:00Z`. */
  readonly start: string;
  readonly end: string;
  readonly labels: Labels;
  readonly title: string;
  readonly operator?: string;
  /** Mail addresses of who booked, in small letters: the day board shows members what they booked. Absent in records of 0.1.0. */
  readonly bookers?: readonly string[];
  readonly patientId: string;
  readonly patientName: string;
  readonly source: BookingSource;
  /** The latest changes, the last one last; absent where it never changed, and in records of 0.1.0. */
  readonly changes?: readonly BookingChange[];
}

/** The record as its file's text: JSON of two spaces and a final newline, keys in a fixed order. */
export function encodeBookingRecord(record: BookingRecord): string {
  const known = encoded.get(record);
  if (known !== undefined) return known;
  const text = `${JSON.stringify(record, null, 2)}\n`;
  encoded.set(record, text);
  return text;
}

/** Records never change, and are compared by their text at each pass. */
const encoded = new WeakMap<BookingRecord, string>();

const TEXTS = [
  ...['accessionNumber', 'studyInstanceUid', 'scanner', 'modality', 'start', 'end', 'title'],
  ...['patientId', 'patientName'],
];

const STATUSES: readonly unknown[] = ['scheduled', 'cancelled', 'superseded'];

/**
 * Reads the text of `bookings/<accession>.json`. Never throws: a text that is no booking record gives `ok: false` and the
 * reason.
 */
export const parseBookingRecord = (text: string): Parsed<BookingRecord> => parsed(text, bookingProblem);

function bookingProblem(value: Record<string, unknown>): string | undefined {
  const missing = TEXTS.find((key) => !isText(value[key]));
  if (missing !== undefined) return `${missing} is not a text`;
  if (!STATUSES.includes(value['status'])) return 'status is none';
  if ((value['status'] === 'superseded') !== isText(value['supersededBy']))
    return 'superseded and supersededBy do not go together';
  if (value['operator'] !== undefined && !isText(value['operator'])) return 'operator is not a text';
  if (value['bookers'] !== undefined && !isTexts(value['bookers'])) return 'bookers is no list of texts';
  if (value['changes'] !== undefined && !isListOf(value['changes'], isChange))
    return 'changes are incomplete';
  if (!hasTexts(value['labels'], LABELS)) return 'labels are incomplete';
  if (!hasTexts(value['source'], ['calendar', 'uid'])) return 'source is incomplete';
  return undefined;
}

/** An event that cal2wl refused, in `bookings/rejected.json` for the people who help bookers. The list holds no titles: a title may be a person's name, and the other values lead to the event. */
export interface Rejected {
  /** Key under `calendars:` of the configuration. */
  readonly calendar: string;
  readonly uid: string;
  readonly recurrenceId?: string | undefined;
}

/** The list as its file's text. Unknown keys of an event stay: people read them. */
export const encodeRejected = (rejected: readonly object[]): string =>
  `${JSON.stringify({ version: 1, rejected }, null, 2)}\n`;

/** The refused events that a file's text names; none where it is damaged. */
export function parseRejected(text: string): Rejected[] {
  try {
    const { rejected } = JSON.parse(text) as { rejected?: unknown };
    return Array.isArray(rejected) ? rejected.filter(isRejected) : [];
  } catch {
    return [];
  }
}

const isRejected = (value: unknown): value is Rejected => hasTexts(value, ['calendar', 'uid']);

export type ExamState = 'IN PROGRESS' | 'COMPLETED' | 'DISCONTINUED';

/** What was scheduled, as the scanner names it: an item of Scheduled Step Attributes Sequence (0040,0270). */
export interface ExamLink {
  /** Empty where the scanner had no such value. */
  readonly accessionNumber: string;
  readonly scheduledStepId: string;
  readonly requestedProcedureId: string;
  /** The study of the images comes first. If procedures were grouped, the requested studies follow. */
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

/** A performed procedure step: what a scanner reported of an exam (MPPS, PS3.4 F.7). The worklist service writes it. */
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
const EXAM_TEXTS = ['sopInstanceUid', 'modality', 'stationAet', 'callingAet'];
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;

/**
 * Reads the text of `performed/<SOP Instance UID>.json`. Never throws: a text that is no exam record gives `ok: false` and
 * the reason.
 */
export const parseExamRecord = (text: string): Parsed<ExamRecord> => parsed(text, examProblem);

/** Reads the same text, and leaves out the attributes, which hold what the scanner said of the patient. */
export function parseExamSummary(text: string): Parsed<ExamSummary> {
  const read = parseExamRecord(text);
  if (!read.ok) return read;
  const { attributes: _, ...record } = read.record;
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

function examProblem(value: Record<string, unknown>): string | undefined {
  if (!STATES.includes(value['state'])) return 'state is none';
  const missing = EXAM_TEXTS.find((key) => !isText(value[key]));
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

const isInstant = (value: unknown): boolean => typeof value === 'string' && INSTANT.test(value);
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;
const isListOf = (value: unknown, is: (item: Record<string, unknown>) => boolean): boolean =>
  Array.isArray(value) && value.every((item: unknown) => isObject(item) && is(item));

const isChange = ({ at, ...was }: Record<string, unknown>): boolean =>
  isInstant(at) && Object.values(was).every(isText);
const isLink = (link: Record<string, unknown>): boolean =>
  hasTexts(link, ['accessionNumber', 'scheduledStepId', 'requestedProcedureId']) &&
  isTexts(link['studyInstanceUids']);
const isItem = (item: Record<string, unknown>): boolean =>
  hasTexts(item, ['accessionNumber', 'studyInstanceUid', 'scheduledStepId']) &&
  (item['start'] === undefined || isInstant(item['start']));
const isSeries = (series: Record<string, unknown>): boolean =>
  hasTexts(series, ['seriesInstanceUid', 'description']) &&
  isCount(series['images']) &&
  isCount(series['others']);
