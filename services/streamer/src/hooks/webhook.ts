/** Delivers an event to an address: POSTs signed JSON, and judges every answer. */
import { defined, given } from '@scanflow/failure/defined';
import { createHmac } from 'node:crypto';
import { readSecret } from '@scanflow/runtime';
import { type Failure, codeOf, messageOf, permanent, transient } from '@scanflow/failure';
import { OUTPUT_BYTES, Tail, type HookOutcome } from './plan.ts';
import { retryAfterMs } from '../work/pace.ts';

export interface WebhookCall {
  readonly url: string;
  /** File of the signing key; read anew for each call. */
  readonly secretFile: string | undefined;
  /** The same in each delivery of this event, so that the receiver can drop a repeat. */
  readonly id: string;
  readonly event: string;
  readonly body: string;
  readonly timeoutMs: number;
}

/** Never throws. `now`: the moment of the call, milliseconds since the epoch. */
export async function callWebhook(call: WebhookCall, now: number, signal: AbortSignal): Promise<HookOutcome> {
  const late = AbortSignal.timeout(call.timeoutMs);
  let headers: Record<string, string>;
  try {
    headers = await headersOf(call, now);
  } catch (error) {
    return { kind: 'failed', failure: noSecret(error), output: '' };
  }
  try {
    const response = await fetch(call.url, {
      method: 'POST',
      headers,
      body: call.body,
      // the target of a redirect would get what was meant for another
      redirect: 'manual',
      signal: AbortSignal.any([signal, late]),
    });
    return judge(response, await head(response), now);
  } catch (error) {
    if (signal.aborted) return { kind: 'interrupted' };
    return {
      kind: 'failed',
      failure: late.aborted ? tooSlow(call.timeoutMs) : unreachable(error),
      output: '',
    };
  }
}

/** `t=<seconds>,v1=<hex>`: HMAC-SHA256 over the time, a full stop and the body. */
const signatureOf = (secret: string, seconds: number, body: string): string =>
  `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`;

async function headersOf(
  { secretFile, id, event, body }: WebhookCall,
  now: number,
): Promise<Record<string, string>> {
  const signed = defined({
    'x-scanflow-signature': await given(secretFile, async (secretFile) =>
      signatureOf(await readSecret(secretFile), Math.floor(now / 1000), body),
    ),
  });
  return {
    'content-type': 'application/json',
    'user-agent': 'scanflow',
    'x-scanflow-event': event,
    'x-scanflow-event-id': id,
    ...signed,
  };
}

/** The beginning of the answer; does not wait for the rest. */
async function head({ body }: Response): Promise<string> {
  if (body === null) return '';
  const tail = new Tail();
  let size = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    tail.add(chunk.subarray(0, OUTPUT_BYTES - size));
    size += chunk.length;
    if (size >= OUTPUT_BYTES) break;
  }
  return tail.text();
}

function judge(response: Response, answer: string, now: number): HookOutcome {
  const { status, ok, headers } = response;
  const output = `HTTP ${status}\n${answer}`;
  if (ok) return { kind: 'done', output };
  if (status !== 429 && status !== 408 && status < 500)
    return { kind: 'failed', failure: refused(status), output };
  const askedMs = retryAfterMs(headers.get('retry-after'), now);
  return { kind: 'failed', failure: troubled(status), output, ...defined({ askedMs }) };
}

const refused = (status: number): Failure =>
  permanent(
    'HOOK_REFUSED',
    `The hook's address answered ${status}${status < 400 ? ', which leads elsewhere' : ''}. Correct its url or the program there, then retry it.`,
  );
const troubled = (status: number): Failure =>
  transient('HOOK_STATUS', `The hook's address answered ${status}. Look into the log of the program there.`);
const tooSlow = (ms: number): Failure =>
  transient(
    'HOOK_TIMEOUT',
    `The hook's address did not answer within ${ms / 1000} s. Look at the program there.`,
  );
function unreachable(error: unknown): Failure {
  const cause = error instanceof Error ? error.cause : undefined;
  const detail = codeOf(cause) ?? codeOf(error) ?? messageOf(error);
  return transient(
    'HOOK_UNREACHABLE',
    `The hook's address cannot be reached (${detail}). Check its url and the network.`,
  );
}
const noSecret = (error: unknown): Failure =>
  transient('HOOK_SECRET', `Nothing is sent unsigned: ${messageOf(error)}.`);
