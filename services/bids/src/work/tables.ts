/** `participants.tsv` and `scans.tsv`: ours and people's columns and rows together, and the rows of a session that left the dataset. */
import { readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '@scanflow/runtime';
import { gone } from './files.ts';
import { unitOf } from './provenance.ts';

interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

type Row = Readonly<Record<string, string>>;

/** A table of tab-separated values; undefined for an empty text. A byte order mark and blank lines are left out. */
function readTable(text: string): Table | undefined {
  const [header, ...rows] = text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .map((line) => line.split('\t'));
  return header === undefined ? undefined : { columns: header.map((name) => name.trim()), rows };
}

const tableText = ({ columns, rows }: Table): string =>
  `${[columns, ...rows].map((cells) => cells.join('\t')).join('\n')}\n`;

/** BIDS's word for a value that nobody has. */
const NONE = 'n/a';

/**
 * The text with a line more for the participant; the same text where it has one. Nothing else of it changes. Undefined for a text that
 * has no column `participant_id`.
 */
export function withParticipant(text: string | undefined, participant: string): string | undefined {
  if (text === undefined || text.trim() === '') return `participant_id\n${participant}\n`;
  const table = readTable(text);
  const at = table?.columns.indexOf('participant_id') ?? -1;
  if (table === undefined || at === -1) return undefined;
  if (table.rows.some((row) => row[at]?.trim() === participant)) return text;
  const end = text.includes('\r\n') ? '\r\n' : '\n';
  const line = table.columns.map((_, index) => (index === at ? participant : NONE)).join('\t');
  return `${text.replace(/(?:\r?\n)*$/, '')}${end}${line}${end}`;
}

/** The table with the rows of these participants alone. */
export function onlyParticipants(text: string, wanted: (participant: string) => boolean): string {
  const table = readTable(text);
  if (table === undefined) return text;
  const at = table.columns.indexOf('participant_id');
  return tableText({ ...table, rows: table.rows.filter((row) => wanted(row[at]?.trim() ?? '')) });
}

/**
 * The text without the line of the participant; the same text where it has none, or where people wrote into it and it is not to be `forced`.
 * Nothing else of it changes.
 */
export function withoutParticipant(text: string, participant: string, forced: boolean): string {
  const table = readTable(text);
  const at = table?.columns.indexOf('participant_id') ?? -1;
  if (at === -1) return text;
  return withoutLines(text, (cells) => {
    const isTheirs = cells.some((cell, index) => index !== at && !['', NONE].includes(cell.trim()));
    return cells[at]?.trim() === participant && (forced || !isTheirs);
  });
}

/** `scans.tsv` without the lines of these images; undefined where no line is left. */
function withoutScans(text: string, gone: ReadonlySet<string>): string | undefined {
  const at = readTable(text)?.columns.indexOf('filename') ?? -1;
  if (at === -1) return text;
  const left = withoutLines(text, (cells) => gone.has(cells[at]?.trim() ?? ''));
  return readTable(left)?.rows.length === 0 ? undefined : left;
}

/** Lines keep their bytes; the first one, the header, stays. */
function withoutLines(text: string, drops: (cells: readonly string[]) => boolean): string {
  const [header = '', ...lines] = text.split(/(?<=\n)/);
  return [header, ...lines.filter((line) => !drops(line.replace(/\r?\n$/, '').split('\t')))].join('');
}

interface Scan {
  /** Relative to the folder of the session. */
  readonly filename: string;
  /** `2026-11-30T10:15:00.000000`, or empty. */
  readonly acquired: string;
}

/**
 * `scans.tsv` of these images. Keeps rows of an earlier table that a person changed, where their images are still there, with all
 * of their columns, and so do rows that we never wrote.
 */
export function scansTable(
  scans: readonly Scan[],
  shiftDays: number,
  changed?: string,
  former: ReadonlySet<string> = new Set(),
): string {
  const ours: Row[] = [...scans]
    .sort((one, other) => (one.filename < other.filename ? -1 : 1))
    .map(({ filename, acquired }) => ({ filename, acq_time: shifted(acquired, shiftDays) }));
  const before = changed === undefined ? undefined : readTable(changed);
  const at = before?.columns.indexOf('filename') ?? -1;
  if (before === undefined || at === -1) return rowsText(['filename', 'acq_time'], ours);
  const theirs = new Map(before.rows.map((row) => [row[at] ?? '', named(before.columns, row)]));
  const columns = [...before.columns, ...['acq_time'].filter((name) => !before.columns.includes(name))];
  const rows = ours.map((row) => ({ ...row, ...theirs.get(row['filename'] ?? '') }));
  const names = new Set(ours.map((row) => row['filename'] ?? ''));
  const more = [...theirs].filter(([name]) => !names.has(name) && !former.has(name)).map(([, row]) => row);
  return rowsText(columns, [...rows, ...more]);
}

const named = (columns: readonly string[], row: readonly string[]): Row =>
  Object.fromEntries(columns.map((name, index) => [name, row[index] ?? NONE]));

const rowsText = (columns: readonly string[], rows: readonly Row[]): string =>
  tableText({ columns, rows: rows.map((row) => columns.map((name) => row[name] ?? NONE)) });

function shifted(moment: string, days: number): string {
  if (moment === '') return NONE;
  if (days === 0) return moment;
  try {
    return Temporal.PlainDateTime.from(moment).add({ days }).toString({ fractionalSecondDigits: 6 });
  } catch {
    return NONE;
  }
}

// Rows of a session that left the dataset: in its `scans.tsv`, where people changed that, and in `participants.tsv`.

export const scansPath = (folder: string): string => `${folder}/${unitOf(folder)}_scans.tsv`;

interface Dropped {
  readonly participant?: string;
  readonly erased: boolean;
  /** Files that are gone, relative to the dataset. */
  readonly gone: readonly string[];
}

/** Repeatable. */
export async function dropRows(
  root: string,
  folder: string,
  { participant, erased, gone: files }: Dropped,
): Promise<void> {
  const names = new Set(files.map((path) => path.slice(folder.length + 1)));
  await rewrite(join(root, scansPath(folder)), (text) => withoutScans(text, names));
  if (participant !== undefined)
    await rewrite(join(root, 'participants.tsv'), (text) => withoutParticipant(text, participant, erased));
}

async function rewrite(path: string, change: (text: string) => string | undefined): Promise<void> {
  const text = await readFile(path, 'utf8').catch(gone);
  if (text === undefined) return;
  const changed = change(text);
  if (changed === undefined) await unlink(path);
  else if (changed !== text) await writeFileAtomic(path, changed);
}
