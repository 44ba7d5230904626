/** The built-in hook `bids`: a complete session goes to the bids service, whose verdict is kept as the delivery's output. */
import {
  answerText,
  joinResults,
  readAnswer,
  readRemoved,
  type BidsAnswer,
  type BidsRemoval,
  type BidsRemoved,
  type BidsRequest,
  type BidsResult,
} from '@scanflow/bids/answer';
import type { Labels } from '@scanflow/booking';
import { defined } from '@scanflow/failure/defined';
import { headersOf } from '@scanflow/runtime';
import { codeOf, FailureError, messageOf, permanent, transient, type Failure } from '@scanflow/failure';
import type { SessionReport } from '../reports/session.ts';
import type { LoopDeps } from '../work/deps.ts';
import { convertLabelled, labelsText, bidsRequest, bidsWork, rootOf } from './bids-units.ts';
import type { HookOutcome } from './plan.ts';

interface BidsPeer {
  readonly url: string;
  readonly tokenFile: string;
  readonly timeoutMs: number;
}

export interface BidsCall extends BidsPeer {
  readonly requests: readonly BidsRequest[];
  readonly removals: readonly BidsRemoval[];
}

/** The answer is one JSON text; the service sends blanks before it as a sign of life. */
const MOST_BYTES = 1024 * 1024;

/** Labels whose session left the dataset are free for others. */
export type BidsOutcome = HookOutcome & { readonly freed?: readonly BidsRemoval[] };

interface Freeing {
  /** Called before labels that the dataset has are freed: should this streamer end right after, whoever waits for them is known. */
  readonly freeing?: (removal: BidsRemoval) => Promise<unknown>;
}

/**
 * Each request stays open until its part is converted. What left follows, also where a conversion is refused: it is not theirs any
 * more. Never throws, unless `freeing` does.
 */
export async function callBids(
  call: BidsCall,
  signal: AbortSignal,
  { freeing }: Freeing = {},
): Promise<BidsOutcome> {
  const results: BidsResult[] = [];
  const removed: BidsRemoved[] = [];
  const freed: BidsRemoval[] = [];
  let failed: { readonly outcome: Unasked; readonly project: string } | undefined;
  for (const request of call.requests) {
    const { project } = request;
    const asked = await ask({ ...call, path: '/api/deliveries', body: request }, signal);
    const answer = 'text' in asked && asked.ok ? readAnswer(asked.text) : undefined;
    if (answer?.ok === true) {
      results.push(answer.result);
      continue;
    }
    const outcome = 'text' in asked ? judge(asked, answer) : asked;
    failed ??= { outcome, project };
    const isFinal = outcome.kind === 'failed' && outcome.failure.kind === 'permanent';
    if (!isFinal) return withParts({ outcome, project }, results, removed);
  }
  for (const removal of call.removals) {
    const gone = await free({ ...call, removal }, freeing, signal);
    if (!('folders' in gone))
      return { ...withParts({ outcome: gone, project: removal.project }, results, removed), freed };
    if (gone.folders.length === 0) continue;
    removed.push(gone);
    freed.push(removal);
  }
  const output = joined(results, removed);
  const outcome =
    failed === undefined ? { kind: 'done' as const, output } : withParts(failed, results, removed);
  return { ...outcome, freed };
}

/** Where labels have something in the dataset, it is said before it goes. */
async function free(
  call: BidsPeer & { readonly removal: BidsRemoval },
  freeing: Freeing['freeing'],
  signal: AbortSignal,
): ReturnType<typeof removeBids> {
  if (freeing !== undefined) {
    const there = await removeBids({ ...call, preview: true }, signal);
    if (!('folders' in there)) return there;
    if (there.folders.length > 0) await freeing(call.removal);
  }
  return removeBids(call, signal);
}

/** A failure of one part keeps what the others became, and says whose it is. */
function withParts(
  { outcome, project }: { readonly outcome: Unasked; readonly project: string },
  results: readonly BidsResult[],
  removed: readonly BidsRemoved[],
): Unasked {
  if (outcome.kind !== 'failed') return outcome;
  const { failure } = outcome;
  const result = joinResults(results, removed);
  const isAnswer = readAnswer(outcome.output) !== undefined;
  if (!isAnswer && result === undefined) return outcome;
  return { ...outcome, output: answerText({ ok: false, failure, project, ...defined({ result }) }) };
}

/** Converts what a session of the ledger has; whoever waits for labels that it freed is tried again. */
export async function runBids(
  peer: BidsPeer,
  session: string,
  deps: LoopDeps,
  signal: AbortSignal,
): Promise<HookOutcome> {
  const { requests, removals, moving } = await bidsWork(session, deps);
  if (moving) return { kind: 'failed', failure: MOVING, output: '' };
  const free = async (all: readonly BidsRemoval[]): Promise<void> => {
    const labels = all.map(({ session: of = '', ...one }) => ({ ...one, session: of }));
    await deps.ledger.write(convertLabelled, labels, { except: session, now: deps.clock.now() });
  };
  const freeing = (removal: BidsRemoval): Promise<void> => free([removal]);
  const { freed = [], ...outcome } = await callBids({ ...peer, requests, removals }, signal, { freeing });
  // once more: one of them may have been refused again meanwhile
  if (freed.length > 0) await free(freed);
  return outcome;
}

const MOVING = transient(
  'BIDS_MOVING',
  'A series of the session is being moved to other labels. The session is converted once that is done; nothing needs doing.',
);

/** Takes sessions out of a dataset, or looks what is there. Never throws. */
export async function removeBids(
  {
    removal,
    preview = false,
    ...peer
  }: BidsPeer & { readonly removal: BidsRemoval; readonly preview?: boolean },
  signal: AbortSignal,
): Promise<BidsRemoved | Exclude<HookOutcome, { readonly kind: 'done' }>> {
  const asked = await ask({ ...peer, path: '/api/remove', body: { ...removal, preview } }, signal);
  if (!('text' in asked)) return asked;
  return (asked.ok ? readRemoved(asked.text) : undefined) ?? judge(asked, readAnswer(asked.text));
}

export interface Withdrawn {
  readonly project: string;
  readonly subject: string;
  readonly session?: string | undefined;
  readonly series: readonly { readonly id: string; readonly former: readonly Labels[] }[];
}

/**
 * A subject, or one of its sessions. Series that were moved from other labels may still be under these, until their session is converted
 * anew: it goes, too, and comes back without them. Pure.
 */
export const removalsOf = ({ project, subject, session, series }: Withdrawn): Omit<BidsRemoval, 'root'>[] => {
  const former = new Map<string, { readonly labels: Labels; readonly series: string[] }>();
  for (const one of series)
    for (const labels of one.former) {
      const known = former.get(labelsText(labels)) ?? { labels, series: [] };
      former.set(labelsText(labels), { labels, series: [...known.series, one.id] });
    }
  return [
    { project, subject, session, erased: true },
    ...[...former.values()].map(({ labels, series: ids }) => ({ ...labels, series: ids, erased: false })),
  ];
};

/** Takes it out of the datasets, or looks what is there. Throws where that is not known. */
export async function withdraw(
  wanted: Withdrawn,
  { preview }: { readonly preview: boolean },
  deps: Pick<LoopDeps, 'hooks' | 'context' | 'settings'>,
  signal: AbortSignal,
): Promise<BidsRemoved[]> {
  const hook = deps.hooks.find(({ run }) => run.kind === 'bids');
  if (hook?.run.kind !== 'bids') return [];
  const gone: BidsRemoved[] = [];
  for (const one of removalsOf(wanted)) {
    const removal = { ...one, root: rootOf(one, deps) };
    const found = await removeBids({ ...hook.run, timeoutMs: hook.timeoutMs, removal, preview }, signal);
    if ('folders' in found) gone.push(found);
    else if (found.kind === 'interrupted') throw signal.reason;
    else throw new FailureError(found.failure);
  }
  return gone;
}

const joined = (results: readonly BidsResult[], removed: readonly BidsRemoved[]): string => {
  const result = joinResults(results, removed);
  return result === undefined ? '' : answerText({ ok: true, result });
};

type Asked = { readonly status: number; readonly ok: boolean; readonly text: string };
type Unasked = Exclude<HookOutcome, { readonly kind: 'done' }>;

async function ask(
  { url, tokenFile, timeoutMs, path, body }: BidsPeer & { readonly path: string; readonly body: object },
  signal: AbortSignal,
): Promise<Asked | Unasked> {
  const late = AbortSignal.timeout(timeoutMs);
  const failed = (failure: Failure): Unasked => ({ kind: 'failed', failure, output: '' });
  let headers: Record<string, string>;
  try {
    headers = { ...(await headersOf(tokenFile)), 'content-type': 'application/json' };
  } catch (error) {
    return failed(transient('HOOK_SECRET', `The bids service is not asked: ${messageOf(error)}.`));
  }
  try {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
      redirect: 'error',
      signal: AbortSignal.any([signal, late]),
    });
    return { status: response.status, ok: response.ok, text: await textOf(response) };
  } catch (error) {
    if (signal.aborted) return { kind: 'interrupted' };
    return failed(late.aborted ? tooSlow(timeoutMs) : unreachable(error));
  }
}

/** A plan of thousands of series. */
const MOST_PLAN_BYTES = 8 * 1024 * 1024;

/**
 * What the bids service says at once of a session's plan: `{ok: true, now}` or `{ok: false, failure}`; the latter also where it does
 * not answer in time, or not with that. Never throws.
 */
export async function askPlan(call: BidsPeer & { readonly request: BidsRequest }): Promise<object> {
  const failed = (why: string): object => ({ ok: false, failure: noPlan(why) });
  try {
    const response = await fetch(`${call.url}/api/plan/now`, {
      method: 'POST',
      headers: { ...(await headersOf(call.tokenFile)), 'content-type': 'application/json' },
      body: JSON.stringify({ request: call.request }),
      redirect: 'error',
      signal: AbortSignal.timeout(call.timeoutMs),
    });
    if (!response.ok) return failed(`status ${response.status}`);
    const answer: unknown = JSON.parse(await textOf(response, MOST_PLAN_BYTES));
    return typeof answer === 'object' && answer !== null && 'ok' in answer
      ? answer
      : failed('it answered something else');
  } catch (error) {
    return failed(causeOf(error));
  }
}

const noPlan = (why: string): Failure =>
  transient(
    'HOOK_UNREACHABLE',
    `The bids service gives no plan (${why}). See that it runs, and check bids.url. Sessions wait for it meanwhile.`,
  );

async function textOf({ body }: Response, most = MOST_BYTES): Promise<string> {
  if (body === null) return '';
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of body as AsyncIterable<Uint8Array>) {
    // blanks are not kept: hours of them are more than any answer
    const kept =
      parts.length === 0 && part.every((byte) => byte === 0x20 || byte === 0x0a) ? undefined : part;
    if (kept === undefined) continue;
    parts.push(kept);
    size += kept.length;
    if (size > most) throw new Error(`its answer is larger than ${most / 1024 / 1024} MiB`);
  }
  return Buffer.concat(parts).toString('utf8').trim();
}

function judge({ status, ok, text }: Asked, answer: BidsAnswer | undefined): Unasked {
  if (answer?.ok === false) return { kind: 'failed', failure: answer.failure, output: answerText(answer) };
  const output = `HTTP ${status}\n${text.slice(0, 2_000)}`;
  const later = ok || status >= 500 || status === 429 || status === 408;
  const failure = later ? troubled(status) : refused(status);
  return { kind: 'failed', failure, output };
}

const troubled = (status: number): Failure =>
  transient(
    'HOOK_STATUS',
    `The bids service gave no verdict (status ${status}). It is asked again; look into its log if it stays.`,
  );
const refused = (status: number): Failure =>
  permanent(
    'HOOK_REFUSED',
    `The bids service refused the session (status ${status}). Correct bids.url, or see that both services have the same token and version; then: scanflow bids redo.`,
  );
const tooSlow = (ms: number): Failure =>
  transient(
    'HOOK_TIMEOUT',
    `The bids service took longer than ${ms / 1000} s. Look at it, or give it more bids.timeout.`,
  );
function unreachable(error: unknown): Failure {
  return transient(
    'HOOK_UNREACHABLE',
    `The bids service cannot be reached, or ended during the work (${causeOf(error)}). See that it runs, and check bids.url. The session is handed to it again.`,
  );
}

/** The part of a session that has its labels: what a plan shows. */
export const requestOf = (
  report: SessionReport,
  places: Pick<LoopDeps, 'context' | 'settings'>,
): BidsRequest | undefined =>
  report.labels && bidsRequest({ ...report, labels: report.labels }, rootOf(report.labels, places));

function causeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return codeOf(cause) ?? codeOf(error) ?? messageOf(error);
}
