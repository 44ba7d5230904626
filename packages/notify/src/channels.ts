/** The channels of the configuration: what a recipient's text names, and how a notice gets there. */
import type { Config } from '@scanflow/config';
import { sendMail } from './mail.ts';
import { chatBody, webhookBody, type Notice } from './notice.ts';
import { NO_CHANNEL, type SendOutcome } from './outcome.ts';
import { post } from './post.ts';

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
