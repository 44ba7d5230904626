/** CSV (RFC 4180) that spreadsheets read without running it. Pure. */

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
