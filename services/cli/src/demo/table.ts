/** The table at the end of the demo: from the booking to where its images are. Pure. */
import type { SessionResult } from './verify.ts';

const HEAD = ['booking', 'accession', 'series', 'images', 'stored where', 'sent where', ''] as const;

/** Rows of cells as aligned text with a rule below the head; the widths follow the content. */
function formatTable(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows;
  const widths = head.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]): string =>
    widths
      .map((width, column) => (row[column] ?? '').padEnd(width))
      .join('  ')
      .trimEnd();
  return [line(head), widths.map((width) => '─'.repeat(width)).join('  '), ...body.map(line), ''].join('\n');
}

/** One row per session. */
export function resultTable(results: readonly SessionResult[]): string {
  return formatTable([
    HEAD,
    ...results.map((result) => [
      `${result.scanner} ${result.time} ${result.patientId} ${result.session}`,
      result.accessionNumber,
      `${result.modality} ${result.seriesDescription}`,
      String(result.images),
      `${result.stored.verified}/${result.images} in ${result.stored.where}`,
      `${result.sent.verified}/${result.images} at ${result.sent.where}`,
      result.problems.length === 0 ? 'verified' : 'NOT VERIFIED',
    ]),
  ]);
}
