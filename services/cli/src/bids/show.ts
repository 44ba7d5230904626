/** Plans, states and verdicts of BIDS as text for a terminal. Pure. */
import { verdictText, type BidsIssue, type BidsResult } from '@scanflow/bids/answer';
import type { Plan } from '@scanflow/bids';
import { localTime } from '@scanflow/runtime/time';
import { plain, textTable } from '../terminal.ts';
import type { BidsSession } from './ask.ts';

export type { BidsSession };

/** What stands where a series gets no name. */
const WORDS: Readonly<Record<string, string>> = {
  ignore: '(ignored)',
  derivative: '(derivative)',
  repeat: '(repeated later)',
  aborted: '(aborted)',
  unknown: '(no rule takes it)',
  unreadable: '(cannot be converted)',
};

const place = (folder: string): string => plain(folder.split('/').at(-1) ?? folder);

/** Source → target, with the reason of each; conflicts; rules that would take what is left. */
export function planText(plan: Plan): string {
  const { subject, session, series, conflicts } = plan;
  const lines = series.flatMap((one) => {
    const targets =
      one.outputs.length === 0 ? [WORDS[one.decision] ?? one.decision] : one.outputs.map(({ path }) => path);
    return targets.map((target, index) => [
      index === 0 ? place(one.folder) : '',
      '→',
      plain(target),
      index === 0 ? plain(one.reason) : '',
    ]);
  });
  const title = `${plan.project}: sub-${subject}${session === undefined ? '' : ` ses-${session}`}`;
  const left = series.filter(({ suggestion }) => suggestion !== undefined);
  return [
    `${plain(title)}\n`,
    textTable([['SERIES', '', 'BIDS', 'WHY'], ...lines]),
    ...conflicts.map(({ code, message }) => `conflict: ${code}: ${plain(message)}\n`),
    ...(left.length === 0
      ? []
      : [
          '\nRules that would take what is left (complete them, and put them into the file of rules):\n',
          ...left.map(({ suggestion = '' }) => `${suggestion.split('\n').map(plain).join('\n').trimEnd()}\n`),
        ]),
  ].join('');
}

const labelsOf = ({ labels, accessionNumber }: BidsSession): string =>
  labels === undefined
    ? accessionNumber
    : [labels.project, labels.subject, labels.session].filter(Boolean).join(' ');

export function stateOf({ complete, bids }: BidsSession): string {
  if (bids === undefined) return complete ? 'not converted' : 'not complete yet';
  if (bids.failure !== undefined) return bids.state === 'failed' ? 'failed' : 'tried again';
  if (bids.state !== 'done') return 'waiting';
  return bids.result === undefined ? 'nothing stored' : verdictText(bids.result);
}

export const statusText = (sessions: readonly BidsSession[], timezone: string): string =>
  textTable([
    ['UPDATED', 'SESSION', 'BIDS', 'FOLDER'],
    ...sessions.map((one) => [
      localTime(one.bids?.updated ?? one.updated, timezone),
      plain(labelsOf(one)),
      stateOf(one),
      plain(one.bids?.result?.folder ?? ''),
    ]),
  ]);

/** One line for each error, warning, failure and conflict of a session. */
export function detailsText(one: BidsSession): string {
  const { failure, result } = one.bids ?? {};
  const lines = [
    ...(failure === undefined ? [] : [`${failure.code}: ${failure.message}`]),
    ...(result === undefined ? [] : resultLines(result)),
  ];
  return lines.map((line) => `  ${plain(line)}\n`).join('');
}

const resultLines = ({
  errors,
  warnings,
  failed,
  conflicts,
  kept,
  also = [],
  removed = [],
}: BidsResult): string[] => [
  ...issueLines('error', errors),
  ...issueLines('warning', warnings),
  ...failed.map(({ series, code, message }) => `failed: ${series}: ${code}: ${message}`),
  ...conflicts.map(({ code, message }) => `conflict: ${code}: ${message}`),
  ...kept.map(({ path, why }) => `kept: ${path} (${why})`),
  ...also.map(({ folder, state, verdict }) => `also: ${folder}: ${verdict ?? state}`),
  ...removed.flatMap((one) => [
    ...one.folders.map((folder) => `removed: ${folder}: its series have other labels`),
    ...one.kept.map((path) => `kept: ${path}: a person wrote it; move or delete it`),
  ]),
];

export const issueLines = (kind: string, issues: readonly BidsIssue[]): string[] =>
  issues.map(
    ({ code, message, count, files }) =>
      `${kind}: ${code}: ${message}${count === 0 ? '' : ` (${count} files${files.length === 0 ? '' : `, such as ${files[0] ?? ''}`})`}`,
  );

export const isGood = ({ bids }: BidsSession): boolean =>
  bids?.state === 'done' &&
  bids.failure === undefined &&
  (bids.result === undefined ||
    (bids.result.verdict !== 'invalid' &&
      bids.result.counts.failed === 0 &&
      bids.result.conflicts.length === 0));
