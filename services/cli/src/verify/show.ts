/** What verification found, as text for a person. Pure. */
import { plain } from '../terminal.ts';
import { textTable } from '../table.ts';
import type { Result, Watched } from './job.ts';

const HEAD = ['ID', 'WHERE', 'OUTCOME', 'FILES', 'WRONG'];
/** Beginnings of ids that tell them apart. */
const SHORT = 8;
const MOST_FILES = 5;

/** One line for each that is not good, what is wrong below it, and a line for all. */
export function verifyPage({ job, results }: Watched): string {
  const wrong = results.filter(({ outcome }) => outcome?.state !== 'good');
  const table = wrong.length === 0 ? '' : textTable([HEAD, ...wrong.map(rowOf)], [3, 4]);
  const details = wrong.filter(({ outcome }) => outcome?.state !== 'acknowledged').map(detailOf);
  return [table, ...details, summaryOf({ job, results })].filter((part) => part !== '').join('\n');
}

const rowOf = ({ series, place, outcome }: Result): string[] => [
  series.slice(0, SHORT),
  place,
  outcome?.state === 'acknowledged' ? 'acknowledged' : (outcome?.code ?? 'not looked at'),
  String(outcome?.files ?? 0),
  String(outcome?.findings.length ?? 0),
];

function detailOf({ series, place, outcome }: Result): string {
  if (outcome === undefined) return '';
  const { findings, repair, message = '' } = outcome;
  const files = findings.slice(0, MOST_FILES).map(({ file, kind }) => `  ${kind}: ${plain(file)}\n`);
  const more = findings.length > MOST_FILES ? '  …; scanflow series show has more\n' : '';
  const put =
    repair === undefined
      ? ''
      : `  put back: ${repair.restored}, left: ${repair.left}${repair.message === undefined ? '' : `. ${plain(repair.message)}`}\n`;
  const text = plain(message).replaceAll(/\bID\b/g, series.slice(0, SHORT));
  return `${series.slice(0, SHORT)} (${place}): ${text}\n${files.join('')}${more}${put}`;
}

function summaryOf({ job, results }: Watched): string {
  const { total, good, acknowledged, repaired } = job;
  const left = total - good - acknowledged;
  const parts = [
    `${good} of ${total} good`,
    ...(acknowledged > 0 ? [`${acknowledged} acknowledged`] : []),
    ...(left > 0 ? [`${left} not good`] : []),
    ...(repaired > 0 ? [`${repaired} files put back`] : []),
  ];
  const cut = results.length < total ? ` (${results.length} of ${total} are listed)` : '';
  return `${parts.join(', ')}${cut}\n`;
}

/** Whether every file is what was stored, or known not to be. */
export const isGood = ({ job }: Watched): boolean => job.good + job.acknowledged === job.total;
