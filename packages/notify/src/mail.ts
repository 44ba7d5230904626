/** Sends a notice by mail (SMTP, RFC 5321): encrypted, to a server that proves its name. The only importer of nodemailer. */
import type { Config } from '@scanflow/config';
import { codeOf, messageOf } from '@scanflow/failure';
import { readAuthority, readSecret } from '@scanflow/runtime';
import { createTransport, type SendMailOptions } from 'nodemailer';
import { htmlOf, oneLine, subjectOf, textOf, type Notice } from './notice.ts';
import {
  denied,
  noSecret,
  refused,
  troubled,
  unreachable,
  unsure,
  untrusted,
  type SendOutcome,
} from './outcome.ts';

export type MailSettings = NonNullable<NonNullable<Config['notify']>['mail']>;

/** Never throws. One recipient a mail: nobody sees whom else it went to. */
export async function sendMail(
  notice: Notice,
  to: string,
  settings: MailSettings,
  signal: AbortSignal,
): Promise<SendOutcome> {
  const where = `the mail server ${settings.host}`;
  let secrets: Secrets;
  try {
    secrets = await secretsOf(settings);
  } catch (error) {
    return noSecret(messageOf(error));
  }
  const transport = createTransport(optionsOf(settings, secrets));
  const { promise: stopped, resolve } = Promise.withResolvers<SendOutcome>();
  const stop = (): void => resolve(unsure(where, 'stopped'));
  signal.addEventListener('abort', stop, { once: true });
  const sending = transport.sendMail(messageFor(notice, to, settings)).then(
    (): SendOutcome => ({ kind: 'done' }),
    (error: unknown) => outcomeOf(error, where),
  );
  // nodemailer has no way to end a sending: whoever stops does not wait for it
  const outcome = await (signal.aborted ? unsure(where, 'stopped') : Promise.race([sending, stopped]));
  signal.removeEventListener('abort', stop);
  transport.close();
  return outcome;
}

interface Secrets {
  readonly password: string | undefined;
  readonly ca: string | undefined;
}

const secretsOf = async ({ passwordFile, tls }: MailSettings): Promise<Secrets> => ({
  password: passwordFile === undefined ? undefined : await readSecret(passwordFile),
  ca: tls === undefined ? undefined : await readAuthority(tls.ca, 'notify.mail.tls.ca'),
});

function optionsOf({ host, port, security, username, timeout }: MailSettings, { password, ca }: Secrets) {
  return {
    host,
    port,
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    tls: { rejectUnauthorized: true, minVersion: 'TLSv1.2' as const, ...(ca === undefined ? {} : { ca }) },
    ...(username === undefined || password === undefined ? {} : { auth: { user: username, pass: password } }),
    connectionTimeout: timeout,
    greetingTimeout: timeout,
    socketTimeout: timeout,
    dnsTimeout: timeout,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

/** Addresses as objects, and a subject of one line: nothing that people typed becomes a header of its own. */
function messageFor(notice: Notice, to: string, { from, replyTo }: MailSettings): SendMailOptions {
  const home = from.slice(from.lastIndexOf('@') + 1);
  return {
    from: { name: oneLine(`Scanflow, ${notice.facility}`, 64), address: from },
    to: { name: '', address: to },
    ...(replyTo === undefined ? {} : { replyTo: { name: '', address: replyTo } }),
    subject: subjectOf(notice),
    messageId: `<${notice.id}@${home}>`,
    // all of one matter stand together
    references: [`<${notice.thread}@${home}>`],
    date: notice.at,
    text: textOf(notice),
    html: htmlOf(notice),
    headers: {
      // RFC 3834: no absence notes in answer
      'Auto-Submitted': 'auto-generated',
      'X-Auto-Response-Suppress': 'All',
      'X-Scanflow-Topic': `${notice.role} ${notice.topic} ${notice.state}`,
    },
  };
}

/** Errors of nodemailer have a code of its own, the command, and the server's answer if one came. */
interface SmtpError {
  readonly responseCode?: unknown;
  readonly command?: unknown;
}

/** The connection never came about, so that nothing was sent. */
const NEVER_OPEN = new Set(['EDNS', 'EPROXY', 'ECONNREFUSED', 'ENOTFOUND']);
const NEVER =
  /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|greeting never received|connection timeout/i;
const TLS = /certificate|self.signed|TLS|SSL|altname|ERR_TLS/i;

function outcomeOf(error: unknown, where: string): SendOutcome {
  const code = codeOf(error) ?? '';
  const { responseCode, command } = error as SmtpError;
  const reason = reasonOf(error);
  if (code === 'ETLS') return untrusted(where, reason);
  // not the server's text: it may quote the recipient
  if (typeof responseCode === 'number') return answered(where, { code, status: responseCode, command });
  if (code === 'EAUTH' || code === 'ENOAUTH') return denied(where);
  if (TLS.test(reason)) return untrusted(where, reason);
  if (code === 'EENVELOPE' || code === 'EMESSAGE') return refused(where, code);
  const isUnopened = NEVER_OPEN.has(code) || NEVER.test(reason) || command === 'API';
  return isUnopened ? unreachable(where, reason) : unsure(where, reason);
}

/** A status of RFC 5321: 4xx may pass, 5xx of a recipient does not. */
function answered(
  where: string,
  { code, status, command }: { readonly code: string; readonly status: number; readonly command: unknown },
): SendOutcome {
  if (code === 'EAUTH' && status >= 500) return denied(where);
  const isFinal = status >= 500 && isOfRecipient(status, command);
  return isFinal ? refused(where, String(status)) : troubled(where, String(status));
}

/** 554 is what relays say that do not know us yet: that is put right, and the notice then goes. */
const isOfRecipient = (status: number, command: unknown): boolean => command === 'RCPT TO' && status !== 554;

const reasonOf = (error: unknown): string => oneLine(messageOf(error), 120);
