/** Who may ask the board at all: browsers, by a name of the board, and from its own pages where something changes. Pure. */

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
}

/** Names with their ports, `board.example.org` and `127.0.0.1:8090`, in small letters. */
export type Hosts = ReadonlySet<string>;

/** Why a request is refused; undefined where it may pass. */
export function refusal({ method, headers }: Asked, hosts: Hosts): string | undefined {
  const host = text(headers['host']).toLowerCase();
  if (!hosts.has(host))
    return 'The board does not go by that name. Ask by the address in its configuration (dashboard.hosts).';
  if (method === 'GET' || method === 'HEAD') return undefined;
  return isOwn(headers, host)
    ? undefined
    : 'That form came from another web site, so nothing was done. Open the board and try again.';
}

/** Fetch Metadata says where a request comes from; browsers without it send Origin with each post (Fetch 3.1, 4.5). */
function isOwn(headers: Asked['headers'], host: string): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  const origin = URL.parse(text(headers['origin']));
  return origin !== null && origin.host.toLowerCase() === host;
}

const text = (value: string | string[] | undefined): string => (typeof value === 'string' ? value : '');
