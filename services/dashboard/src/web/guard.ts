/** Who may ask the board at all: browsers, by a name of the board, and from its own pages where something changes. Pure. */
import { t } from '../texts/pages.ts';

/** What a browser may do with a page of ours: load our own style and scripts, post to us, and nothing else. */
export const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types scanflow",
  'cache-control': 'no-store',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

export interface Asked {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** `https`: here, or at a trusted proxy in front. */
  readonly protocol: string;
}

/** Names by which browsers open the board, in small letters and without a port. */
export type Hosts = ReadonlySet<string>;

/** No other web site has these names, so any port of theirs is this machine. */
const LOOPBACK = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i;

const isLoopback = (host: string): boolean => LOOPBACK.test(host);

/** Why a request is refused; undefined where it may pass. */
export function refusal({ method, headers, protocol }: Asked, hosts: Hosts): string | undefined {
  const host = text(headers['host']).toLowerCase();
  if (!isLoopback(host)) {
    if (!hosts.has(host.replace(/:\d{1,5}$/, ''))) return t.guard.name;
    if (protocol !== 'https') return t.guard.tls;
  }
  if (method === 'GET' || method === 'HEAD') return undefined;
  return isOwn(headers, host) ? undefined : t.guard.form;
}

/** Fetch Metadata says where a request comes from; browsers without it send Origin with each post (Fetch 3.1, 4.5). */
function isOwn(headers: Asked['headers'], host: string): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  const origin = URL.parse(text(headers['origin']));
  return origin !== null && origin.host.toLowerCase() === host;
}

const text = (value: string | string[] | undefined): string => (typeof value === 'string' ? value : '');
