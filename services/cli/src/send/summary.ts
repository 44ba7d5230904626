/** The end of `scanflow send` in words, and as JSON. */
import { reportRows, table } from './report.ts';
import type { Tally } from './tally.ts';

/** Files that were written beside: the report, and where the next run goes on from. */
export interface Written {
  readonly report: string | undefined;
  readonly journal: string | undefined;
}

export function asJson(tally: Tally, seconds: number, { report, journal }: Written): object {
  return {
    sent: tally.sent,
    earlier: tally.earlier,
    warnings: tally.warnings,
    failed: tally.failures.size,
    skipped: tally.skipped,
    untagged: Object.fromEntries(tally.untagged),
    bytes: tally.bytes,
    seconds: Math.round(seconds * 1000) / 1000,
    series: reportRows(tally),
    failures: [...tally.failures.values()].map(({ failure, ...file }) => ({ ...file, ...failure })),
    troubles: Object.fromEntries(tally.troubles),
    ...(report === undefined ? {} : { report }),
    ...(journal === undefined ? {} : { journal }),
  };
}

/** Failures are told by their kind, with one file for an example. */
export function asText(tally: Tally, seconds: number, { report, journal }: Written): string {
  const lines: string[] = [];
  if (tally.series.length > 0) lines.push(table(reportRows(tally)));
  const messages = Map.groupBy(tally.failures.values(), ({ failure }) => failure.message);
  for (const [message, files] of messages) {
    const more = files.length === 1 ? '' : ` and ${files.length - 1} more`;
    lines.push(`not sent: ${files[0]?.file ?? ''}${more}: ${message}\n`);
  }
  for (const [source, message] of tally.troubles) lines.push(`${source}: ${message}\n`);
  for (const [why, count] of tally.untagged) lines.push(`${count} sent without the tag: ${why}\n`);
  const speed = `${(tally.bytes / 1e6).toFixed(1)} MB in ${seconds.toFixed(1)} s`;
  lines.push(`${[`${tally.sent} images sent (${speed})`, ...countsOf(tally)].join(', ')}\n`);
  if (report !== undefined) lines.push(`report: ${report}\n`);
  if (journal !== undefined && isOpen(tally))
    lines.push(`the same command goes on from here; what was sent is noted in ${journal}\n`);
  return lines.join('');
}

/** Part of it was sent, and part was not. */
const isOpen = ({ failures, troubles, sent, earlier }: Tally): boolean =>
  failures.size + troubles.size > 0 && sent + earlier > 0;

const countsOf = ({ earlier, warnings, failures, skipped }: Tally): string[] => [
  ...(earlier > 0 ? [`${earlier} sent earlier (--again sends them anew)`] : []),
  ...(warnings > 0 ? [`${warnings} with a warning`] : []),
  ...(failures.size > 0 ? [`${failures.size} not sent`] : []),
  ...(skipped > 0 ? [`${skipped} skipped: not DICOM`] : []),
];
