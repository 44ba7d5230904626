/** Describes network failures for operators. Messages name hosts only, because paths and queries may be secrets. */
import { codeOf } from '@scanflow/failure';
import { retryAfter, type HeaderOf } from './headers.ts';
import { Stop } from '../source.ts';

export interface TroubleOptions {
  /** Host of the calendar or of its redirect target. */
  readonly host: string;
  /** Host of the proxy, if any. */
  readonly proxy: string | undefined;
  /** Whether TLS had no answer yet: a server that requires a client certificate may just close the connection. */
  readonly atHello: boolean;
}

const CUT = new Set([
  ...['UND_ERR_SOCKET', 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'Z_BUF_ERROR'],
  ...['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE'],
]);
const CERTIFICATE =
  /^(CERT_|CRL_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|ERR_TLS_CERT|HOSTNAME_MISMATCH|INVALID_CA)/;

const codeIn = (error: unknown): string | undefined =>
  codeOf(error) ?? (error instanceof Error ? codeOf(error.cause) : undefined);

/** Whether the answer breaks the letter of HTTP, but may be readable. */
export const isOddAnswer = (error: unknown): boolean =>
  /^(HPE_|UND_ERR_RES_CONTENT_LENGTH_MISMATCH|UND_ERR_HEADERS_OVERFLOW)/.test(codeIn(error) ?? '') ||
  // undici's message for an answer that began with 100 Continue
  (error instanceof Error && (error.name === 'HTTPParserError' || error.message === 'bad response'));

/** The connection was closed or lost. */
export const isCut = (error: unknown): boolean => CUT.has(codeIn(error) ?? '');

/** A failed connection or a broken body. It uses only error codes, because messages may contain the address. */
export function wireTrouble(error: unknown, { host, proxy, atHello }: TroubleOptions): Stop {
  if (error instanceof Stop) return error;
  const shown = codeIn(error) ?? (error instanceof Error ? error.name : 'unknown');
  const refusal = proxyRefusal(error);
  if (proxy !== undefined && refusal !== undefined)
    return new Stop(
      'permanent',
      'FETCH_PROXY',
      `the proxy ${proxy} refused the way to ${host} (${refusal}): let it pass Scanflow, or correct proxy, proxyUsername and proxyPasswordFile.`,
    );
  if (CUT.has(shown))
    return new Stop(
      'transient',
      'FETCH_CUT',
      `${host} broke off ${atHello ? 'before it answered' : 'while it sent the calendar'} (${shown}); it is tried again.${
        atHello ? ' If that stays so, it may want a client certificate: tls.key and tls.certificate.' : ''
      }`,
    );
  if (isOddAnswer(error))
    return new Stop(
      'permanent',
      'FETCH_NOT_HTTP',
      `${host} answers, but in a form that is no HTTP (${shown}). Check that its address and port are those of a web server; if they are, that server or what stands before it is at fault.`,
    );
  if (/^(Z_|ERR__|ERR_BROTLI|BROTLI)/.test(shown))
    return new Stop(
      'transient',
      'FETCH_ENCODING',
      `${host} sent a calendar whose compression is damaged (${shown}); it is tried again.`,
    );
  if (CERTIFICATE.test(shown))
    return new Stop(
      'permanent',
      'FETCH_CERTIFICATE',
      `${host} does not prove who it is (${shown}): check its certificate, tls.ca in the configuration and this machine's clock.`,
    );
  if (/^(EPROTO|ERR_SSL_|ERR_OSSL_|ERR_TLS_)/.test(shown))
    return new Stop(
      'permanent',
      'FETCH_TLS',
      `${host} agrees to no encrypted connection (${shown}): check that it speaks https there, and whether it wants a client certificate (tls.key and tls.certificate).`,
    );
  return new Stop(
    'transient',
    'FETCH_UNREACHABLE',
    `${host} cannot be reached${proxy === undefined ? '' : ` through the proxy ${proxy}`} (${shown}): check its address, the network and the firewall.`,
  );
}

/** The status of a proxy's refusal, which undici reports only in messages. */
function proxyRefusal(error: unknown): string | undefined {
  const text = error instanceof Error ? error.message : '';
  return (/^Proxy response \((\d{3})\)/.exec(text) ??
    /^Proxy Authentication Required \((407)\)/.exec(text))?.[1];
}

/** The credentials that a request carried. */
export type Shown = 'own' | 'withheld' | 'none';

const LOGIN: Readonly<Record<Shown, string>> = {
  own: 'check username and passwordFile, or tokenFile, and whether the calendar is shared with that user',
  withheld:
    'the calendar was redirected there, and passwords are not passed on to another address. Give the final address',
  none: 'it requires a login. Give username and passwordFile, or tokenFile, or share the calendar',
};

/** The failure of a status without a calendar. */
export function statusTrouble(host: string, status: number, shown: Shown, header: HeaderOf): Stop {
  const told = `${host} answered ${status}`;
  const foreign = status === 401 ? foreignLogin(header('www-authenticate')) : undefined;
  if (foreign !== undefined && shown !== 'withheld')
    return new Stop('permanent', 'FETCH_AUTH', `${told}: ${foreign}.`);
  if (status === 401 || status === 403)
    return new Stop('permanent', 'FETCH_AUTH', `${told}: ${LOGIN[shown]}.`);
  if (status === 404 || status === 410)
    return new Stop(
      'permanent',
      'FETCH_NOT_FOUND',
      `${told}: the calendar is not there. Check its address in the configuration.`,
    );
  if (status === 202 || status === 408 || status === 425 || status === 429 || status >= 500)
    return new Stop(
      'transient',
      'FETCH_SERVER',
      `${told}; it is tried again.`,
      retryAfter(header, Temporal.Now.instant()),
    );
  return new Stop(
    'permanent',
    'FETCH_STATUS',
    `${told}, which is no calendar. Check its address in the configuration.`,
  );
}

const OURS = /^(?:basic|bearer)$/i;

/** The unsupported login schemes (RFC 9110 11.6.1), if the server accepts no other. */
function foreignLogin(challenges: string | undefined): string | undefined {
  const parts = (challenges ?? '').replaceAll(/"(?:\\.|[^"\\])*"/g, '""').split(',');
  const schemes = parts.flatMap((part) => /^\s*([A-Za-z][\w-]{0,30})(?=\s+\S|\s*$)/.exec(part)?.[1] ?? []);
  if (schemes.length === 0 || schemes.some((scheme) => OURS.test(scheme))) return undefined;
  return `it takes only ${[...new Set(schemes)].join(', ')} logins, which Scanflow does not know. Let it take Basic over https or a token, or publish the calendar at a secret address`;
}
