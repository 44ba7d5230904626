/** Series as text for a person. Pure. */
import { plain, textTable } from '../terminal.ts';
import type { Labels, LegRow, SeriesRow, VerificationRow } from './client.ts';

/** Characters of an id: its beginning is enough for every command. */
const SHORT = 8;
const HEAD = ['ID', 'STATE', 'ACCESSION', 'NR', 'DESCRIPTION', 'STORED', 'TO DO'];

/** One line for each series. */
export function seriesTable(all: readonly SeriesRow[]): string {
  if (all.length === 0) return 'no series\n';
  const rows = all.map((series) => [
    series.id.slice(0, SHORT),
    stateOf(series),
    series.accessionNumber,
    series.seriesNumber,
    plain(series.seriesDescription).slice(0, 32),
    `${series.images.stored}/${series.expected ?? series.images.inOrthanc}`,
    problemsOf(series),
  ]);
  return textTable([HEAD, ...rows]);
}

const stateOf = ({ state, outcome }: SeriesRow): string => (outcome === 'Incomplete' ? 'incomplete' : state);

/** Codes of all problems, and until when a leg waits. */
function problemsOf({
  reasonCode,
  outcome,
  legs,
  hooks = [],
  verification = [],
  notCleaned,
  warnings = [],
}: SeriesRow): string {
  const codes = [
    reasonCode ?? '',
    outcome === 'Incomplete' ? 'SERIES_INCOMPLETE' : '',
    ...[...legs, ...hooks].flatMap(({ target, failure, waits }) =>
      [failure?.code, waits?.message].map((what) => (what === undefined ? '' : `${target}: ${plain(what)}`)),
    ),
    ...verification.map(problemOf),
    ...warnings.map(({ code }) => code),
    notCleaned === undefined ? '' : `in Orthanc: ${notCleaned.code}`,
  ];
  return codes.filter((code) => code !== '').join(', ');
}

/** The code of a verification that failed. An acknowledged failure is no problem. */
const problemOf = ({ place, failure, acknowledged, trouble }: VerificationRow): string => {
  const code = acknowledged === undefined ? (failure?.code ?? trouble?.code) : trouble?.code;
  return code === undefined ? '' : `${place}: ${code}`;
};

/** Everything about one series. */
export function seriesPage(series: SeriesRow): string {
  const { id, seriesInstanceUid, accessionNumber, modality, seriesNumber, seriesDescription, images } =
    series;
  const lines: (readonly [string, string])[] = [
    ['id', id],
    ['series', `${plain(seriesNumber)} ${plain(seriesDescription)} (${plain(modality)})`],
    ['accession', plain(accessionNumber)],
    ['series UID', plain(seriesInstanceUid)],
    ['first seen', series.firstSeen],
    ['state', stateOf(series)],
    ['images', `${images.inOrthanc} in Orthanc, ${images.stored} stored${expected(series)}`],
    ...versionLines(series),
    ...(series.reason === undefined
      ? []
      : [['reason', `${series.reasonCode ?? ''}: ${plain(series.reason)}`] as const]),
    ...(series.warnings ?? []).map(({ code, message }): Line => ['warning', `${code}: ${plain(message)}`]),
    ...attributeLines(series),
    ...decisionLines(series),
    ...[...series.legs, ...(series.hooks ?? [])].flatMap(legLines),
    ...(series.verification ?? []).flatMap(verificationLines),
    ...(series.notCleaned === undefined
      ? []
      : [['in Orthanc', `${series.notCleaned.code}: ${plain(series.notCleaned.message)}`] as const]),
    ...(series.notSent ?? []).flatMap(({ target, code, message }): (readonly [string, string])[] => [
      [target, 'not sent'],
      ['', `${code}: ${plain(message)}`],
    ]),
  ];
  const width = Math.max(...lines.map(([name]) => name.length)) + 2;
  return lines.map(([name, text]) => `${name.padEnd(width)}${text}\n`).join('');
}

type Line = readonly [string, string];

const MOST_VERSIONS = 10;

/** Images that were sent again with other bytes. Every version is stored; the last file is the latest. */
function versionLines({ versions = [], sameUid = [] }: SeriesRow): Line[] {
  const others = sameUid.map(({ id, state, labels }): Line => {
    const where = labels === undefined ? '' : `, ${textOf(labels)}`;
    return ['sent as well', `under another patient or study, as ${id}: ${state}${where}`];
  });
  if (versions.length === 0) return others;
  const images = versions.length === 1 ? '1 image' : `${versions.length} images`;
  return [
    ['sent again', `${images} with other bytes, the last one last:`],
    ...versions
      .slice(0, MOST_VERSIONS)
      .map(({ files }): Line => ['', files.map(({ file }) => plain(file)).join(', ')]),
    ...(versions.length > MOST_VERSIONS ? [['', '…'] as const] : []),
    ...others,
  ];
}

/** Attributes that help a person to decide where a quarantined series belongs. */
const attributeLines = ({ attributes = {} }: SeriesRow): Line[] =>
  Object.entries(attributes)
    .filter(([, value]) => value.trim() !== '')
    .map(([keyword, value], index) => [index === 0 ? 'images say' : '', `${keyword}: ${plain(value)}`]);

function decisionLines({ labels, doubts = [], decision, moved = [], moving }: SeriesRow): Line[] {
  const why = (reason: string | undefined): string => (reason === undefined ? '' : `: ${plain(reason)}`);
  return [
    ...(labels === undefined ? [] : [['labels', textOf(labels)] as const]),
    ...doubts.map(({ kind, message }): Line => ['doubt', `${kind}: ${plain(message)}`]),
    ...(decision === undefined
      ? []
      : [
          [
            'decided',
            `${decision.kind}, ${decision.at}, by ${plain(decision.by)}${why(decision.reason)}`,
          ] as const,
        ]),
    ...(moving === undefined
      ? []
      : [['moving', `to ${textOf(moving.labels)}${why(moving.reason)}`] as const]),
    ...moved.flatMap(({ at, by, reason, from, kept, left = [] }): Line[] => [
      [
        'moved',
        `${at}, by ${plain(by)}, from ${plain(from.path)}${kept === true ? ' (kept)' : ''}${why(reason)}`,
      ],
      ...left.map((name): Line => ['', `stayed there: ${plain(name)}`]),
    ]),
  ];
}

const textOf = ({ project, subject, session }: Labels): string => plain(`${project} ${subject} ${session}`);

const expected = (series: SeriesRow): string =>
  series.expected === undefined ? '' : `, ${series.expected} made by the scanner`;

function legLines(
  leg: LegRow & { readonly event?: string; readonly output?: string },
): (readonly [string, string])[] {
  const { target: of, event, state, done, total, path, failure, nextTry, attempts, output, waits } = leg;
  const target = event === 'complete' ? `${of} (session)` : of;
  const count = total === 0 ? '' : ` ${done}/${total}`;
  const tries = attempts === 0 ? '' : `, ${attempts} ${attempts === 1 ? 'try' : 'tries'}`;
  const next = nextTry === undefined || failure === undefined ? '' : `, next ${nextTry}`;
  const kept = (output ?? '')
    .split('\n')
    .map(plain)
    .filter((line) => line !== '')
    .slice(-5);
  return [
    [target, `${state}${count}${tries}${next}${path === undefined ? '' : `  ${plain(path)}`}`],
    ...(waits === undefined ? [] : [['', plain(waits.message)] as const]),
    ...(failure === undefined ? [] : [['', `${failure.code}: ${plain(failure.message)}`] as const]),
    ...kept.map((line) => ['', `| ${line}`] as const),
  ];
}

const MOST_FILES = 10;

function verificationLines({
  place,
  good,
  failure,
  findings = [],
  acknowledged,
  since,
  trouble,
}: VerificationRow): (readonly [string, string])[] {
  const name = place === 'storage' ? 'verified' : `verified (${place})`;
  const more = findings.length > MOST_FILES ? [['', '…'] as const] : [];
  return [
    [name, good ?? 'not yet'],
    ...(failure === undefined
      ? []
      : [['', `${failure.code} since ${since ?? ''}: ${plain(failure.message)}`] as const]),
    ...findings.slice(0, MOST_FILES).map(({ file, kind }) => ['', `${kind}: ${plain(file)}`] as const),
    ...more,
    ...(acknowledged === undefined
      ? []
      : [
          [
            '',
            `acknowledged by ${plain(acknowledged.by)}, ${acknowledged.at}: ${plain(acknowledged.reason)}`,
          ] as const,
        ]),
    ...(trouble === undefined ? [] : [['', `${trouble.code}: ${plain(trouble.message)}`] as const]),
  ];
}
