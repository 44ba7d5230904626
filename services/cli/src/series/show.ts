/** Series as text for a person. Pure. */
import { localTime } from '@scanflow/runtime/time';
import { plain, textTable } from '../terminal.ts';
import type { Labels, LegRow, SeriesRow, VerificationRow } from './client.ts';

/** Characters of an id: its beginning is enough for every command. */
const SHORT = 8;
const HEAD = ['ID', 'STATE', 'ACCESSION', 'NR', 'DESCRIPTION', 'STORED', 'PATH', 'TO DO'];

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
    plain(pathOf(series)),
    problemsOf(series),
  ]);
  return textTable([HEAD, ...rows]);
}

/** Its folder in project storage. */
export const pathOf = ({ legs }: SeriesRow): string =>
  legs.find(({ target }) => target === 'storage')?.path ?? '';

export const stateOf = ({ state, outcome }: SeriesRow): string =>
  outcome === 'Incomplete' ? 'incomplete' : state;

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
    ...[...legs, ...hooks].flatMap(({ target, state, failure, waits }) =>
      // what a person gave up is nothing to do
      [state === 'done' ? undefined : failure?.code, waits?.message].map((what) =>
        what === undefined ? '' : `${target}: ${plain(what)}`,
      ),
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

/** Everything about one series. `timezone`: of the facility, for its times. */
export function seriesPage(series: SeriesRow, timezone = 'UTC'): string {
  const at = (time: string): string => localTime(time, timezone);
  const { id, seriesInstanceUid, accessionNumber, modality, seriesNumber, seriesDescription, images } =
    series;
  const lines: (readonly [string, string])[] = [
    ['id', id],
    ['series', `${plain(seriesNumber)} ${plain(seriesDescription)} (${plain(modality)})`],
    ['accession', plain(accessionNumber)],
    ['series UID', plain(seriesInstanceUid)],
    ['first seen', at(series.firstSeen)],
    ...senderLines(series, at),
    ['state', stateOf(series)],
    ['images', `${inOrthanc(series, at)}, ${images.stored} stored${expected(series)}`],
    ...versionLines(series),
    ...(series.reason === undefined
      ? []
      : [['reason', `${series.reasonCode ?? ''}: ${plain(series.reason)}`] as const]),
    ...(series.warnings ?? []).map(({ code, message }): Line => ['warning', `${code}: ${plain(message)}`]),
    ...attributeLines(series),
    ...decisionLines(series, at),
    ...[...series.legs, ...(series.hooks ?? [])].flatMap((leg) => legLines(leg, at)),
    ...(series.verification ?? []).flatMap((one) => verificationLines(one, at)),
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
/** A time of the streamer in the facility's zone. */
type At = (time: string) => string;

/** Clean-up may have deleted what came. */
const inOrthanc = ({ images, cleaned }: SeriesRow, at: At): string =>
  cleaned === undefined ? `${images.inOrthanc} in Orthanc` : `deleted from Orthanc ${at(cleaned)}`;

/** Who sent it, and when it was scanned. */
const senderLines = ({ sender, acquired }: SeriesRow, at: At): Line[] => [
  ...(sender === undefined ? [] : [['sent by', plain(sender)] as const]),
  ...(acquired === undefined ? [] : [['scanned', at(acquired)] as const]),
];

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

function decisionLines({ labels, doubts = [], decision, moved = [], moving }: SeriesRow, at: At): Line[] {
  const why = (reason: string | undefined): string => (reason === undefined ? '' : `: ${plain(reason)}`);
  return [
    ...(labels === undefined ? [] : [['labels', textOf(labels)] as const]),
    ...doubts.map(({ kind, message }): Line => ['doubt', `${kind}: ${plain(message)}`]),
    ...(decision === undefined
      ? []
      : [
          [
            'decided',
            `${decision.kind}, ${at(decision.at)}, by ${plain(decision.by)}${why(decision.reason)}`,
          ] as const,
        ]),
    ...(moving === undefined
      ? []
      : [['moving', `to ${textOf(moving.labels)}${why(moving.reason)}`] as const]),
    ...moved.flatMap(({ at: when, by, reason, from, kept, left = [] }): Line[] => [
      [
        'moved',
        `${at(when)}, by ${plain(by)}, from ${plain(from.path)}${kept === true ? ' (kept)' : ''}${why(reason)}`,
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
  at: At,
): (readonly [string, string])[] {
  const { target: of, event, state, done, total, path, failure, nextTry, attempts, output, waits } = leg;
  const target = event === 'complete' ? `${of} (session)` : of;
  const count = total === 0 ? '' : ` ${done}/${total}`;
  const tries = attempts === 0 ? '' : `, ${attempts} ${attempts === 1 ? 'try' : 'tries'}`;
  const next = nextTry === undefined || failure === undefined ? '' : `, next ${at(nextTry)}`;
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

function verificationLines(
  { place, good, failure, findings = [], acknowledged, since, trouble }: VerificationRow,
  at: At,
): Line[] {
  const name = place === 'storage' ? 'verified' : `verified (${place})`;
  const more = findings.length > MOST_FILES ? [['', '…'] as const] : [];
  return [
    [name, good === undefined ? 'not yet' : at(good)],
    ...(failure === undefined
      ? []
      : [
          [
            '',
            `${failure.code}${since === undefined ? '' : ` since ${at(since)}`}: ${plain(failure.message)}`,
          ] as const,
        ]),
    ...findings.slice(0, MOST_FILES).map(({ file, kind }) => ['', `${kind}: ${plain(file)}`] as const),
    ...more,
    ...(acknowledged === undefined
      ? []
      : [
          [
            '',
            `acknowledged by ${plain(acknowledged.by)}, ${at(acknowledged.at)}: ${plain(acknowledged.reason)}`,
          ] as const,
        ]),
    ...(trouble === undefined ? [] : [['', `${trouble.code}: ${plain(trouble.message)}`] as const]),
  ];
}
