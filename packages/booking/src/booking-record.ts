/**
 * The booking record `bookings/<accession>.json`: written by cal2wl, read by the streamer. It outlives the
 * worklist item, so that late images still find their project.
 */
import type { BookingSource, Labels } from './booking.ts';

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
  readonly patientId: string;
  readonly patientName: string;
  readonly source: BookingSource;
}

export type ParsedBookingRecord =
  { readonly ok: true; readonly record: BookingRecord } | { readonly ok: false; readonly reason: string };

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
  'accessionNumber',
  'studyInstanceUid',
  'scanner',
  'modality',
  'start',
  'end',
  'title',
  'patientId',
  'patientName',
] as const;

const STATUSES: readonly unknown[] = ['scheduled', 'cancelled', 'superseded'];

/** Reads a record's text; says what is wrong instead of guessing. Unknown keys are ignored. */
export function parseBookingRecord(text: string): ParsedBookingRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // never the error's message: it quotes the text, which names people
    return { ok: false, reason: `not JSON: ${error instanceof Error ? error.name : String(error)}` };
  }
  const problem = shapeProblem(value);
  return problem === undefined
    ? { ok: true, record: value as BookingRecord }
    : { ok: false, reason: problem };
}

function shapeProblem(value: unknown): string | undefined {
  if (!isObject(value)) return 'not an object';
  if (value['version'] !== 1) return `version ${String(value['version'])} instead of 1`;
  const missing = TEXTS.find((key) => typeof value[key] !== 'string');
  if (missing !== undefined) return `${missing} is not a text`;
  if (!STATUSES.includes(value['status'])) return 'status is none';
  if ((value['status'] === 'superseded') !== (typeof value['supersededBy'] === 'string'))
    return 'superseded and supersededBy do not go together';
  if (value['operator'] !== undefined && typeof value['operator'] !== 'string')
    return 'operator is not a text';
  if (!hasTexts(value['labels'], ['project', 'subject', 'session'])) return 'labels are incomplete';
  if (!hasTexts(value['source'], ['calendar', 'uid'])) return 'source is incomplete';
  return undefined;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const hasTexts = (value: unknown, keys: readonly string[]): boolean =>
  isObject(value) && keys.every((key) => typeof value[key] === 'string');

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

const isRejected = (value: unknown): value is Rejected =>
  typeof value === 'object' &&
  value !== null &&
  'calendar' in value &&
  'uid' in value &&
  typeof value.calendar === 'string' &&
  typeof value.uid === 'string';
