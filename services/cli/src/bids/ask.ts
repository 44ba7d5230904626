/** The bids service for the command: answers that take long, with progress, and the sessions as the streamer knows them. */
import type { BidsRequest, BidsResult, Plan } from '@scanflow/bids';
import { bidsUrl, type Config } from '@scanflow/config';
import { codeOf, messageOf } from '@scanflow/failure';
import { tokenFileOf } from '@scanflow/runtime';
import { apiAt, notAdmitted, openPeer } from '../installation.ts';
import type { Io } from '../command.ts';
import { createAsk, NotAsked, Refused, Unreachable, type Ask } from '../series/client.ts';

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
