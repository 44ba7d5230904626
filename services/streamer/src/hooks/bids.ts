/** The built-in hook `bids`: a complete session goes to the bids service, whose verdict is kept as the delivery's output. */
import { answerText, readAnswer, type BidsRequest } from '@scanflow/bids/answer';
import { headersOf } from '@scanflow/runtime';
import { codeOf, messageOf, permanent, transient, type Failure } from '@scanflow/failure';
import { STORAGE } from '../model/series.ts';
import { sessionReport, type SessionReport } from '../reports/session.ts';
import { findSession } from '../ledger/views.ts';
import { homeOf } from '../store/place/layout.ts';
import type { LoopDeps } from '../work/deps.ts';
import type { HookOutcome } from './plan.ts';

export interface BidsCall {
  readonly url: string;
  readonly tokenFile: string;
  readonly request: BidsRequest;
  readonly timeoutMs: number;
}

/** The answer is one JSON text; the service sends blanks before it as a sign of life. */
const MOST_BYTES = 1024 * 1024;

/** Never throws. The request stays open until the session is converted. */
export async function callBids(call: BidsCall, signal: AbortSignal): Promise<HookOutcome> {
  const late = AbortSignal.timeout(call.timeoutMs);
  const failed = (failure: Failure): HookOutcome => ({ kind: 'failed', failure, output: '' });
  let headers: Record<string, string>;
  try {
    headers = { ...(await headersOf(call.tokenFile)), 'content-type': 'application/json' };
  } catch (error) {
    return failed(transient('HOOK_SECRET', `The bids service is not asked: ${messageOf(error)}.`));
  }
  try {
    const response = await fetch(`${call.url}/api/deliveries`, {
      method: 'POST',
      headers,
      body: JSON.stringify(call.request),
      redirect: 'error',
      signal: AbortSignal.any([signal, late]),
    });
    return judge(response, await textOf(response));
  } catch (error) {
    if (signal.aborted) return { kind: 'interrupted' };
    return failed(late.aborted ? tooSlow(call.timeoutMs) : unreachable(error));
  }
}

async function textOf({ body }: Response): Promise<string> {
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
    if (size > MOST_BYTES) throw new Error('its answer is larger than 1 MiB');
  }
  return Buffer.concat(parts).toString('utf8').trim();
}

function judge({ status, ok }: Response, text: string): HookOutcome {
  const answer = ok ? readAnswer(text) : undefined;
  if (answer?.ok === true) return { kind: 'done', output: answerText(answer) };
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
  const cause = error instanceof Error ? error.cause : undefined;
  const detail = codeOf(cause) ?? codeOf(error) ?? messageOf(error);
  return transient(
    'HOOK_UNREACHABLE',
    `The bids service cannot be reached, or ended during the work (${detail}). See that it runs, and check bids.url. The session is handed to it again.`,
  );
}

/** What the bids service needs of a session; undefined where nothing of it is stored in a project. Pure. */
export function bidsRequest(
  { id, accessionNumber, labels, series }: SessionReport,
  root: string,
): BidsRequest | undefined {
  const stored = series.flatMap((one) => {
    const folder = one.legs.find(({ target }) => target === STORAGE)?.path;
    return folder === undefined || one.images.stored === 0
      ? []
      : [{ id: one.id, folder: folder.replace(/\/+$/, '') }];
  });
  if (labels === undefined || stored.length === 0) return undefined;
  const { project, subject, session } = labels;
  return {
    id,
    project,
    subject,
    ...(session === '' ? {} : { session }),
    accessionNumber,
    root,
    series: stored,
  };
}

type Places = Pick<LoopDeps, 'context' | 'settings'>;

/** The same, with the root where the session's project lives. Pure. */
export const requestOf = (report: SessionReport, { context, settings }: Places): BidsRequest | undefined =>
  bidsRequest(report, homeOf(report.labels?.project, settings.homes ?? [])?.root ?? context.root);

/** The same for a session of the ledger. */
export async function sessionRequest(
  id: string,
  { ledger, ...places }: Places & Pick<LoopDeps, 'ledger'>,
): Promise<BidsRequest | undefined> {
  const view = await ledger.read(findSession, id);
  return view && requestOf(sessionReport(view, places.context), places);
}
