/** Rows of cells as CSV, and as a table for people. */

type Lines = readonly (readonly string[])[];

/** RFC 4180; a cell that a spreadsheet would take for a formula is made a text. */
export function csvText(lines: Lines): string {
  const cell = (text: string): string => {
    const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return lines.map((line) => `${line.map(cell).join(',')}\r\n`).join('');
}

/** Columns side by side; those of `numbers` are set to the right. */
export function textTable(lines: Lines, numbers: readonly number[]): string {
  const [head = []] = lines;
  const widths = head.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((text, at) => text[numbers.includes(at) ? 'padStart' : 'padEnd'](widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}
