/** CSV (RFC 4180) that spreadsheets read without running it. */

/** A head and its lines; lines end with CR LF. */
export const csvOf = (columns: readonly string[], lines: readonly (readonly (string | number)[])[]): string =>
  [columns, ...lines].map((line) => `${line.map(field).join(',')}\r\n`).join('');

/** Quoted where needed; a leading = + - @ gets an apostrophe, since spreadsheets would take it for a formula. */
function field(value: string | number): string {
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
