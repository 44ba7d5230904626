/** The report of a run: JSON for a program, one page of HTML for a person. */
import { CHECKS, countBy, OUTCOMES, type Counts, type Outcome, type Row } from './rows.ts';

export interface Report {
  readonly version: 1;
  readonly folder: string;
  readonly began: string;
  readonly seconds: number;
  /** The run was stopped before its end. */
  readonly interrupted: boolean;
  readonly programs: Readonly<Record<string, string>>;
  readonly files: { readonly images: number; readonly calendars: number; readonly others: number };
  readonly rows: readonly Row[];
}

/** Rows that the page shows of each reason; the JSON has all. */
const MAX_SHOWN = 200;

const MEANING: Readonly<Record<Outcome, string>> = {
  held: 'held',
  broke: 'did not hold: report it to the maintainers of Scanflow',
  differs: 'read in another way than by ical.js: look at it, and see docs/calendar-differences.md',
  refused: 'refused, with a reason',
  untried: 'could not be tried',
  'left out': 'left out',
};

/** A page that needs nothing else: no script, no picture, no address. */
export function htmlOf(report: Report): string {
  const { rows, files } = report;
  const findings = rows.filter(({ outcome }) => outcome !== 'held');
  const grouped = Map.groupBy(findings, ({ outcome, code, check }) => `${outcome}\n${check}\n${code}`);
  const order = [...grouped.values()].toSorted((a, b) => rank(a) - rank(b) || b.length - a.length);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Scanflow: a folder was tried</title><style>${STYLE}</style></head><body>
<h1>A folder was tried</h1>
<p>${escape(report.folder)}</p>
<p>${files.images} images, ${files.calendars} calendars, ${files.others} other files; ${escape(report.began)}, ${report.seconds} s.
${Object.entries(report.programs)
  .map(([name, version]) => escape(`${name} ${version}`))
  .join(' · ')}</p>
${report.interrupted ? '<p><strong>The run was stopped before its end. What is below is what was tried until then.</strong></p>' : ''}
<p>${verdict(rows)}</p>
<h2>What was tried</h2>
${table(
  'Promise',
  countBy(rows, ({ check }) => CHECKS[check]),
)}
<h2>By kind</h2>
<p>Images by modality, manufacturer and transfer syntax; calendars by the program that wrote them.</p>
${table(
  'Kind',
  countBy(
    rows.filter(({ check }) => check !== 'found'),
    ({ kind }) => kind,
  ),
)}
<h2>What did not hold, and what was left out</h2>
${order.length === 0 ? '<p>Nothing.</p>' : order.map(section).join('\n')}
</body></html>
`;
}

const rank = ([first]: readonly Row[]): number =>
  ['broke', 'differs', 'refused', 'untried', 'left out', 'held'].indexOf(first?.outcome ?? 'held');

function verdict(rows: readonly Row[]): string {
  const counts = [...countBy(rows, () => '').values()][0];
  if (counts === undefined) return 'Nothing was found to try.';
  return OUTCOMES.filter((outcome) => counts[outcome] > 0)
    .map((outcome) => `<strong>${counts[outcome]}</strong> ${MEANING[outcome]}`)
    .join('; ');
}

function table(title: string, counts: ReadonlyMap<string, Counts>): string {
  const lines = [...counts].map(
    ([name, so]) =>
      `<tr><td>${escape(name)}</td>${OUTCOMES.map((outcome) => `<td class="${so[outcome] > 0 ? outcome.replace(' ', '-') : 'none'}">${so[outcome]}</td>`).join('')}</tr>`,
  );
  const heads = OUTCOMES.map((outcome) => `<th>${outcome}</th>`).join('');
  return `<table><tr><th>${title}</th>${heads}</tr>\n${lines.join('\n')}</table>`;
}

function section(rows: readonly Row[]): string {
  const [first] = rows;
  if (first === undefined) return '';
  const lines = rows
    .slice(0, MAX_SHOWN)
    .map(
      ({ file, detail, kind }) =>
        `<tr><td>${escape(file)}</td><td>${escape(kind)}</td><td>${escape(detail)}</td></tr>`,
    );
  const more =
    rows.length > MAX_SHOWN ? `<p>${rows.length - MAX_SHOWN} more stand in the JSON report.</p>` : '';
  return `<details${first.outcome === 'broke' ? ' open' : ''}><summary>${rows.length} × ${escape(first.code)}: ${MEANING[first.outcome]} (${escape(CHECKS[first.check])})</summary>
<table><tr><th>File</th><th>Kind</th><th></th></tr>
${lines.join('\n')}</table>${more}</details>`;
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escape = (text: string): string =>
  text.replaceAll(/[&<>"]/g, (sign) => ESCAPES[sign] ?? sign).replaceAll(/\p{C}/gu, '?');

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;margin:2rem;color:#222;background:#fff}
table{border-collapse:collapse;margin:.5rem 0}td,th{border:1px solid #ccc;padding:.2rem .6rem;text-align:left;vertical-align:top}
td.none{color:#bbb}td.held{background:#e4f5e4}td.broke{background:#f9d0d0;font-weight:bold}td.differs,td.refused,td.untried{background:#fdf0cf}
summary{cursor:pointer;padding:.3rem 0}`;
