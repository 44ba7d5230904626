/** The channels of the configuration: what a recipient's text names, and how a notice gets there. */
import type { Config } from '@scanflow/config';
import { createHmac } from 'node:crypto';
import { codeOf, messageOf } from '@scanflow/failure';
import { readSecret } from '@scanflow/runtime';
import { sendMail } from './mail.ts';
import { chatBody, webhookBody, type Notice } from './notice.ts';
import { NO_CHANNEL, type SendOutcome, noSecret, refused, troubled, unreachable, unsure } from './outcome.ts';

export type Notify = NonNullable<Config['notify']>;

export const MAIL = 'mail';

/** By mail to an address, or by a webhook or chat of this name. */
export interface Recipient {
  /** `mail`, or the name of a webhook or chat. */
  readonly channel: string;
  /** Of a mail; empty otherwise. */
  readonly address: string;
}

/** People of a role: their addresses and channels. */
export const recipientsOf = ({
  mail,
  channels,
}: {
  readonly mail: readonly string[];
  readonly channels: readonly string[];
}): Recipient[] => [
  ...[...new Set(mail.map((one) => one.toLowerCase()))].map((address) => ({ channel: MAIL, address })),
  ...[...new Set(channels)].map((channel) => ({ channel, address: '' })),
];

/** Each is worked on by itself, so that one that does not answer delays no other. */
export const channelsOf = ({ mail, webhooks, chats }: Notify): string[] => [
  ...(mail === undefined ? [] : [MAIL]),
  ...Object.keys(webhooks),
  ...Object.keys(chats),
];

/** Never throws. `now`: milliseconds since the epoch. */
export function sendNotice(
  notice: Notice,
  { channel, address }: Recipient,
  notify: Notify,
  { now, signal }: { readonly now: number; readonly signal: AbortSignal },
): Promise<SendOutcome> {
  const { mail, webhooks, chats } = notify;
  if (channel === MAIL)
    return mail === undefined ? Promise.resolve(NO_CHANNEL) : sendMail(notice, address, mail, signal);
  const common = { id: notice.id, topic: notice.topic, now };
  const webhook = webhooks[channel];
  if (webhook !== undefined)
    return post(
      { ...common, ...webhook, where: `the webhook ${channel}`, body: webhookBody(notice) },
      signal,
    );
  const chat = chats[channel];
  if (chat === undefined) return Promise.resolve(NO_CHANNEL);
  const { kind, urlFile } = chat;
  return post({ ...common, urlFile, where: `the chat ${channel}`, body: chatBody(kind, notice) }, signal);
}

/** Where people open the day board, if the configuration names a public address. Without a slash at its end. */
export function boardAddress({ dashboard }: Pick<Config, 'dashboard'>): string | undefined {
  const [host] = dashboard.hosts;
  if (host === undefined) return undefined;
  const port = dashboard.tls === undefined || dashboard.port === 443 ? '' : `:${dashboard.port}`;
  return `https://${host.includes(':') ? `[${host}]` : host}${port}`;
}

/** Where another service answers: as the configuration says, else by its name in a container, else on this machine. */
export function serviceAddress(
  { dashboard, http }: Pick<Config, 'dashboard' | 'http'>,
  name: 'cal2wl' | 'worklist' | 'streamer' | 'receiver',
  inContainer: boolean,
): string {
  const own = http.bind === '0.0.0.0' ? '127.0.0.1' : http.bind === '::' ? '::1' : http.bind;
  const host = inContainer ? name : own.includes(':') ? `[${own}]` : own;
  return dashboard.services[name] ?? `http://${host}:${http.ports[name]}`;
}

// Posts JSON to a webhook or a chat, signed where it has a key, and judges the answer.

interface Post {
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
async function post(
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
