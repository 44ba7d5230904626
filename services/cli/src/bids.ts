/** The bids service for the command: its answers, with progress, and plans, states and verdicts as text for a terminal. */
import type { BidsRequest, Plan } from '@scanflow/bids';
import { bidsUrl, type Config } from '@scanflow/config';
import { codeOf, messageOf } from '@scanflow/failure';
import { tokenFileOf } from '@scanflow/runtime';
import { verdictText, type BidsIssue, type BidsResult } from '@scanflow/bids/answer';
import { localTime } from '@scanflow/runtime/time';
import { apiAt, notAdmitted, openPeer } from './installation.ts';
import type { Io } from './command.ts';
import { createAsk, NotAsked, Refused, Unreachable, type Ask } from './series/client.ts';
import { plain, textTable } from './terminal.ts';

export interface BidsSession {
  readonly id: string;
  readonly accessionNumber: string;
  readonly complete: boolean;
  readonly updated: string;
  readonly labels?: { readonly project: string; readonly subject: string; readonly session: string };
  /** Absent where nothing of it is stored in a project. */
  readonly request?: BidsRequest;
  readonly bids?: {
    readonly state: string;
    readonly updated: string;
    readonly attempts: number;
    readonly failure?: { readonly code: string; readonly message: string };
    readonly result?: BidsResult;
  };
}

interface StepDone {
  readonly step: string;
  readonly done: number;
  readonly of: number;
}

export interface BidsClient {
  /** Sessions of a project, a subject, an accession number or an id; all without one. */
  readonly sessions: (of: string | undefined) => Promise<readonly BidsSession[]>;
  /** Hands sessions to the bids service again. */
  readonly redo: (ids: readonly string[], by: string) => ReturnType<Ask>;
  readonly plan: (body: object, onProgress: OnProgress) => Promise<Plan>;
  readonly long: (path: string, body: object, onProgress: OnProgress) => Promise<Record<string, unknown>>;
  readonly status: () => ReturnType<Ask>;
}

type OnProgress = (progress: StepDone) => void;

/** Rejects with NotAsked where the configuration has no section bids. */
export async function bidsClient(config: Config, io: Pick<Io, 'service' | 'signal'>): Promise<BidsClient> {
  const { bids } = config;
  if (bids === undefined)
    throw new NotAsked('nothing is converted to BIDS here: the configuration has no section bids');
  const url = bidsUrl(bids, io.service !== undefined && io.service !== 'bids');
  const api = await apiAt(url, tokenFileOf(config));
  const streamer = createAsk(await openPeer(config, 'streamer', io.service), io.signal);
  const long = async (
    path: string,
    body: object,
    onProgress: OnProgress,
  ): Promise<Record<string, unknown>> => {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { ...api.headers, 'content-type': 'application/json', accept: 'application/x-ndjson' },
      body: JSON.stringify(body),
      signal: io.signal,
      redirect: 'error',
    }).catch((error: unknown) => {
      const cause = error instanceof Error ? error.cause : undefined;
      throw new Unreachable(
        `the bids service does not answer at ${url} (${codeOf(cause) ?? messageOf(error)}). Does it run? In Compose it needs the profile bids`,
      );
    });
    if (response.status === 401) throw new NotAsked(notAdmitted(api));
    if (!response.ok) throw new Refused(`the bids service answered ${response.status}`);
    return lastLine(response, onProgress);
  };
  return {
    long,
    plan: async (body, onProgress) => (await long('/api/plan', body, onProgress))['plan'] as Plan,
    sessions: async (of) => {
      const query = of === undefined ? '' : `?${new URLSearchParams({ of }).toString()}`;
      const { sessions } = await streamer(`/api/bids${query}`);
      if (!Array.isArray(sessions)) throw new NotAsked('the streamer is of an older version');
      return sessions as BidsSession[];
    },
    redo: (ids, by) => streamer('/api/bids/redo', { sessions: ids, by }),
    status: () => createAsk(api, io.signal)('/api/status'),
  };
}

const MOST_BYTES = 64 * 1024 * 1024;

/** Reads lines of progress up to the answer. Throws Refused for a failure, and where the answer is missing. */
async function lastLine(response: Response, onProgress: OnProgress): Promise<Record<string, unknown>> {
  let rest = '';
  let answer: Record<string, unknown> | undefined;
  const take = (line: string): void => {
    if (line.trim() === '') return;
    const value = JSON.parse(line) as Record<string, unknown>;
    if ('progress' in value) onProgress(value['progress'] as StepDone);
    else answer = value;
  };
  try {
    const text = response.body?.pipeThrough(new TextDecoderStream()) ?? [];
    for await (const part of text as AsyncIterable<string>) {
      const lines = `${rest}${part}`.split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > MOST_BYTES) throw new Refused('the answer of the bids service is too large');
      lines.forEach(take);
    }
    take(rest);
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw new Refused(`the bids service ended during the work (${messageOf(error)}); ask again`);
  }
  if (answer?.['ok'] === true) return answer;
  const failure = answer?.['failure'] as { readonly code: string; readonly message: string } | undefined;
  throw new Refused(
    failure === undefined ? 'the bids service gave no answer' : `${failure.code}: ${failure.message}`,
  );
}

// Plans, states and verdicts of BIDS as text for a terminal. Pure.

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
