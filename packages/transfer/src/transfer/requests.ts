/** From a CSV file to requests, each mistake with its line. Pure. */
import { createHash } from 'node:crypto';
import { defined } from '@scanflow/failure/defined';
import { CsvError, readCsv, type CsvRow } from '@scanflow/runtime/csv';

/** Dates as in DICOM, YYYYMMDD, both included. */
interface Dates {
  readonly from: string;
  readonly to: string;
}

/** Which studies: everything that is given must match. */
export interface Request {
  /** In the list, from 1. */
  readonly line: number;
  readonly accession?: string;
  readonly studyUid?: string;
  readonly patientId?: string;
  readonly dates?: Dates;
}

interface Mistake {
  readonly line: number;
  readonly message: string;
}

export type List =
  | {
      readonly ok: true;
      readonly requests: readonly Request[];
      /** What was ignored: repeated rows, unknown columns. */
      readonly notices: readonly Mistake[];
    }
  | { readonly ok: false; readonly mistakes: readonly Mistake[] };

/** Bytes of the file. */
export const MOST_BYTES = 8 * 1024 * 1024;
const MOST_ROWS = 100_000;

type Column = 'accession' | 'studyUid' | 'patientId' | 'dates';

/** Names of columns, without case, spaces and signs. */
const HEADINGS: ReadonlyMap<string, Column> = new Map([
  ...['accessionnumber', 'accession', 'accessionno', 'accessionnr', 'accnumber', 'acc'].map(
    (name) => [name, 'accession'] as const,
  ),
  ...['studyinstanceuid', 'studyuid'].map((name) => [name, 'studyUid'] as const),
  ...['patientid', 'patient'].map((name) => [name, 'patientId'] as const),
  ...['studydate', 'studydates', 'date', 'dates'].map((name) => [name, 'dates'] as const),
]);
const COLUMNS = 'AccessionNumber, StudyInstanceUID, PatientID and StudyDate';

/**
 * Reads a list of studies. If anything in it is wrong, there are only mistakes. Never throws.
 *
 * @param bytes UTF-8 text, at most `MOST_BYTES`
 */
export function readList(bytes: Uint8Array): List {
  if (bytes.length > MOST_BYTES)
    return wrong(1, `the list is larger than ${MOST_BYTES / 1024 ** 2} MiB; cut it into several`);
  let rows: CsvRow[];
  try {
    rows = readCsv(textOf(bytes));
  } catch (error) {
    if (error instanceof CsvError) return wrong(error.line, error.message);
    throw error;
  }
  const [first] = rows;
  if (first === undefined) return wrong(1, 'the list is empty');
  if (rows.length > MOST_ROWS) return wrong(1, `more than ${MOST_ROWS} rows; cut the list into several`);
  const columns = first.cells.map((cell) => HEADINGS.get(cell.toLowerCase().replaceAll(/[^a-z0-9]/g, '')));
  const headed = columns.some((column) => column !== undefined);
  if (!headed) return bare(first, rows);
  const twice = columns.find((one, at) => one !== undefined && columns.indexOf(one) !== at);
  if (twice !== undefined) return wrong(first.line, 'two columns have the same meaning; leave one out');
  const ignored = first.cells.filter((cell, at) => columns[at] === undefined && cell !== '');
  const notices = ignored.map((cell) => ({
    line: first.line,
    message: `the column ${quoted(cell)} is not used`,
  }));
  if (rows.length === 1) return wrong(first.line, 'nothing stands below the headings');
  return collect(rows.slice(1), columns, notices);
}

const wrong = (line: number, message: string): List => ({ ok: false, mistakes: [{ line, message }] });
const quoted = (text: string): string => `“${text.replaceAll(/\p{C}/gu, '?').slice(0, 40)}”`;

function textOf(bytes: Uint8Array): string {
  const [one, two] = bytes;
  if ((one === 0xff && two === 0xfe) || (one === 0xfe && two === 0xff) || bytes.includes(0))
    throw new CsvError(1, 'the list is not UTF-8 text; save it as “CSV UTF-8”');
  try {
    // removes the byte order mark
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const upTo = new TextDecoder('utf-8').decode(bytes).split('\ufffd', 1)[0] ?? '';
    const line = upTo.split(/\r\n|\r|\n/).length;
    throw new CsvError(line, 'a character is not UTF-8; save the list as “CSV UTF-8”');
  }
}

/** Without headings: accession numbers, and nothing else. */
function bare(first: CsvRow, rows: readonly CsvRow[]): List {
  if (first.cells.length > 1)
    return wrong(first.line, `with several columns, the first row names them: ${COLUMNS}`);
  // every accession number has a digit, so this is a misspelt heading
  if (!/\d/.test(first.cells[0] ?? ''))
    return wrong(
      first.line,
      `${quoted(first.cells[0] ?? '')} is no heading that is known; columns are called ${COLUMNS}`,
    );
  return collect(rows, ['accession'], []);
}

function collect(
  rows: readonly CsvRow[],
  columns: readonly (Column | undefined)[],
  notices: readonly Mistake[],
): List {
  const mistakes: Mistake[] = [];
  const repeated: Mistake[] = [];
  const requests = new Map<string, Request>();
  for (const row of rows) {
    const read = requestOf(row, columns);
    if ('messages' in read) {
      mistakes.push(...read.messages.map((message) => ({ line: row.line, message })));
      continue;
    }
    const key = keyOf(read);
    const known = requests.get(key);
    if (known === undefined) requests.set(key, read);
    else repeated.push({ line: row.line, message: `the same as line ${known.line}; it is done once` });
  }
  if (mistakes.length > 0) return { ok: false, mistakes };
  return { ok: true, requests: [...requests.values()], notices: [...notices, ...repeated] };
}

type Given = Partial<Record<Column, string>>;

function requestOf(
  { line, cells }: CsvRow,
  columns: readonly (Column | undefined)[],
): Request | { readonly messages: readonly string[] } {
  const given: Given = {};
  for (const [at, text] of cells.entries()) {
    if (text !== '' && at >= columns.length) return { messages: ['more cells than there are headings'] };
    const column = columns[at];
    if (text !== '' && column !== undefined) given[column] = text;
  }
  const dates = given.dates === undefined ? undefined : datesOf(given.dates);
  const messages = mistakesOf(given);
  if (typeof dates === 'string') messages.push(dates);
  if (messages.length > 0 || typeof dates === 'string') return { messages };
  const { accession, studyUid, patientId } = given;
  return {
    line,
    ...defined({ accession, studyUid, patientId, dates }),
  };
}

function mistakesOf(given: Given): string[] {
  const messages = (['accession', 'studyUid', 'patientId'] as const).flatMap((column) =>
    given[column] === undefined ? [] : (CHECKS[column](given[column]) ?? []),
  );
  if (given.accession !== undefined || given.studyUid !== undefined) return messages;
  if (given.patientId === undefined) messages.push('no accession number, no study UID, no patient');
  else if (given.dates === undefined)
    messages.push('a patient alone may have many studies: give a StudyDate, too');
  return messages;
}

const CHECKS = {
  // SH, LO: PS3.5 6.2
  accession: (text: string) => {
    if (/^\d([.,]\d+)?E\+?\d+$/i.test(text))
      return `${quoted(text)} is what a spreadsheet makes of a long number; format the column as text and enter it again`;
    return keyMistake('an accession number', text, 16);
  },
  patientId: (text: string) => keyMistake('a patient ID', text, 64),
  studyUid: (text: string) =>
    /^(?=.{1,64}$)(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*))+$/.test(text)
      ? undefined
      : `${quoted(text)} is no Study Instance UID: numbers separated by dots, 64 characters at most`,
};

function keyMistake(what: string, text: string, most: number): string | undefined {
  // they would match more than one (PS3.4 C.2.2.2.4), or be several values
  if (/[*?\\]/.test(text)) return `${quoted(text)}: *, ? and \\ cannot stand in ${what}`;
  if (/\p{C}/u.test(text)) return `${quoted(text)} has control characters`;
  return text.length > most ? `${quoted(text)} is longer than ${most} characters` : undefined;
}

const DAY = String.raw`\d{4}-?\d{2}-?\d{2}`;
const RANGE = new RegExp(String.raw`^(?<from>${DAY})(?:\s*(?:-|–|\.\.|/|to)\s*(?<to>${DAY}))?$`);

/** A day or a range of days, or what is wrong with it. */
function datesOf(text: string): Dates | string {
  const found = RANGE.exec(text)?.groups;
  const from = day(found?.['from']);
  const to = day(found?.['to'] ?? found?.['from']);
  if (from === undefined || to === undefined)
    return `${quoted(text)} is no date: write 2026-11-22, or 2026-11-01..2026-11-30`;
  return from > to ? `${quoted(text)} ends before it begins` : { from, to };
}

function day(text = ''): string | undefined {
  const plain = text.replaceAll('-', '');
  try {
    return Temporal.PlainDate.from(plain).toString().replaceAll('-', '');
  } catch {
    return undefined;
  }
}

/** A key that is the same for the same request in any list. It does not show who the patient is. */
export function keyOf({ accession, studyUid, patientId, dates }: Request): string {
  const parts = [accession, studyUid, patientId, dates?.from, dates?.to].map((part) => part ?? '').join('\\');
  if (patientId === undefined) return parts;
  return `sha256:${createHash('sha256').update(parts).digest('hex')}`;
}

/**
 * What was requested, in one line: accession number, study, patient and dates. It may name a patient, so it is for no log.
 */
export function nameOf({ accession, studyUid, patientId, dates }: Request): string {
  const range =
    dates === undefined ? undefined : dates.from === dates.to ? dates.from : `${dates.from}-${dates.to}`;
  return [accession, studyUid, patientId, range].filter((part) => part !== undefined).join(' ');
}
