/** CSV (RFC 4180): written so that spreadsheets do not run it, read as they write it. Pure. */

type Lines = readonly (readonly (string | number)[])[];

/**
 * Lines of cells; each line ends with CR LF.
 *
 * @example
 * ```ts
 * import { csvText } from '@scanflow/runtime/csv';
 *
 * csvText([['series', 'images'], ['=1+1', 176]]); // → "series,images\r\n'=1+1,176\r\n"
 * ```
 */
export const csvText = (lines: Lines): string =>
  lines.map((line) => `${line.map(cell).join(',')}\r\n`).join('');

/** Quoted where needed. Numbers are written as they are. */
function cell(value: string | number): string {
  const text = typeof value === 'number' ? String(value) : harmless(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * A spreadsheet runs a cell that begins with = + - @, and where ; or a tab separates cells it also sees cells within one of
 * ours, whatever its quotes: each such beginning gets an apostrophe.
 */
const harmless = (text: string): string =>
  text.replaceAll(/(^|[;\t\r\n])([\s"]*)(?=[=+\-@＝＋－＠])/g, "$1$2'");

export interface CsvRow {
  /** Where it begins, from 1. */
  readonly line: number;
  /** Without spaces at either end. */
  readonly cells: readonly string[];
}

export class CsvError extends Error {
  override name = 'CsvError';
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

/**
 * Rows that have anything in them. Cells are separated by comma, semicolon or tab, whichever the first row has; quoted
 * ones may hold separators and line ends. Throws CsvError for quotes that do not end.
 */
export function readCsv(text: string): CsvRow[] {
  const separator = separatorOf(text);
  const rows: CsvRow[] = [];
  let line = 1;
  for (let at = 0; at < text.length;) {
    const row = readRow(text, at, separator, line);
    if (row.cells.some((cell) => cell !== '')) rows.push({ line, cells: row.cells });
    line += row.lines;
    at = row.end;
  }
  return rows;
}

function separatorOf(text: string): string {
  const first = text.split(/\r\n|\r|\n/).find((row) => row.trim() !== '') ?? '';
  const bare = first.replaceAll(/"[^"]*"/g, '');
  const counted = [',', ';', '\t'].map((one) => ({ one, count: bare.split(one).length }));
  return counted.reduce((best, next) => (next.count > best.count ? next : best)).one;
}

interface RawRow {
  readonly cells: string[];
  /** Line ends that it took. */
  readonly lines: number;
  readonly end: number;
}

function readRow(text: string, from: number, separator: string, line: number): RawRow {
  const cells: string[] = [];
  let lines = 0;
  for (let at = from; ;) {
    const cell = readCell(text, at, separator, line + lines);
    cells.push(cell.value.trim());
    lines += cell.lines;
    at = cell.end;
    if (text[at] === separator) {
      at += 1;
      continue;
    }
    if (at >= text.length) return { cells, lines, end: at };
    const lineEnd = text.startsWith('\r\n', at) ? 2 : 1;
    return { cells, lines: lines + 1, end: at + lineEnd };
  }
}

interface Cell {
  readonly value: string;
  readonly lines: number;
  readonly end: number;
}

function readCell(text: string, from: number, separator: string, line: number): Cell {
  const start = from + (/^[ ]*(?=")/.exec(text.slice(from, from + 64))?.[0].length ?? 0);
  if (text[start] !== '"') {
    const end = endOf(text, from, separator);
    return { value: text.slice(from, end), lines: 0, end };
  }
  let value = '';
  for (let at = start + 1; ;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) throw new CsvError(line, 'a quotation mark begins a text that does not end');
    value += text.slice(at, quote);
    if (text[quote + 1] === '"') {
      value += '"';
      at = quote + 2;
      continue;
    }
    const end = endOf(text, quote + 1, separator);
    if (text.slice(quote + 1, end).trim() !== '')
      throw new CsvError(line, 'something stands behind a closing quotation mark');
    return { value, lines: value.split(/\r\n|\r|\n/).length - 1, end };
  }
}

/** Where the separator or the line's end is. */
function endOf(text: string, from: number, separator: string): number {
  let end = from;
  while (end < text.length && text[end] !== separator && text[end] !== '\n' && text[end] !== '\r') end += 1;
  return end;
}
