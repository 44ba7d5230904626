/** Rows of cells as a table for people. */
import { plain } from './terminal.ts';

type Lines = readonly (readonly string[])[];

/** Columns side by side; those of `numbers` are set to the right. */
export function textTable(cells: Lines, numbers: readonly number[]): string {
  const lines = cells.map((line) => line.map(plain));
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
