/** Posts JSON to a webhook or a chat, signed where it has a key, and judges the answer. */
import { createHmac } from 'node:crypto';
import { codeOf, messageOf } from '@scanflow/failure';
import { readSecret } from '@scanflow/runtime';
import { noSecret, refused, troubled, unreachable, unsure, type SendOutcome } from './outcome.ts';

export interface Post {
  /** The channel, for people. */
  readonly where: string;
  readonly body: unknown;
  /** The same at each attempt. */
  readonly id: string;
  readonly topic: string;
  /** Either of them. */
  readonly url?: string | undefined;
  readonly urlFile?: string | undefined;
  readonly secretFile?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const TIMEOUT_MS = 30_000;
const LONGEST_MS = 86_400_000;

/** Never throws. */
export async function post(
  { where, body, id, topic, now, ...place }: Post,
  signal: AbortSignal,
): Promise<SendOutcome> {
  const text = `${JSON.stringify(body)}\n`;
  let url: string;
  let signature: Record<string, string> = {};
  try {
    url = place.url ?? new URL(await readSecret(place.urlFile ?? '')).toString();
    if (place.secretFile !== undefined)
      signature = {
        'x-scanflow-signature': signatureOf(await readSecret(place.secretFile), Math.floor(now / 1000), text),
      };
  } catch (error) {
    return noSecret(`${where}: ${error instanceof TypeError ? 'it holds no address' : messageOf(error)}`);
  }
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'scanflow',
        'x-scanflow-event': `notice.${topic}`,
        'x-scanflow-event-id': id,
        ...signature,
      },
      body: text,
      // the target of a redirect would get what was meant for another
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    await response.body?.cancel();
    return judge(response, where);
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    const code = codeOf(cause) ?? codeOf(error) ?? (error instanceof Error ? error.name : 'unknown');
    return NOT_OPEN.test(code) ? unreachable(where, code) : unsure(where, code);
  }
}

/** The connection, or the trust in its certificate, never came about. */
const NOT_OPEN =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|E(?:HOST|NET)UNREACH|UND_ERR_CONNECT.*|CERT_.*|DEPTH_ZERO.*|SELF_SIGNED.*|UNABLE_TO_.*|ERR_TLS.*)$/;

/** As hooks sign: `t=<seconds>,v1=<hex>`, HMAC-SHA256 over the time, a full stop and the body. */
const signatureOf = (secret: string, seconds: number, body: string): string =>
  `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`;

function judge({ status, ok, headers }: Response, where: string): SendOutcome {
  if (ok) return { kind: 'done' };
  if (status === 429 || status === 408 || status >= 500)
    return troubled(where, String(status), pauseOf(headers.get('retry-after')));
  return refused(where, status < 400 ? `${status}, which leads elsewhere` : String(status));
}

/** Seconds of Retry-After, at most a day. A date is left out: chats give seconds. */
function pauseOf(value: string | null): number | undefined {
  if (value === null || !/^\d{1,6}$/.test(value)) return undefined;
  return Math.min(Number(value) * 1000, LONGEST_MS);
}
