/**
 * Who may use a service's pages: a program that has the internal token, by a name of the service, and nobody's web page.
 * `/healthz` and `/metrics` are open: they hold no label, and what asks for them knows addresses only. Pure.
 */
export interface Asked {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The address of this machine on which the request came. */
  readonly localAddress: string | undefined;
}

export interface Refusal {
  readonly status: 401 | 403 | 415;
  readonly error: string;
}

/** Pages for probes and Prometheus. */
export const OPEN_PAGES: ReadonlySet<string> = new Set(['/healthz', '/metrics']);

const LOOPBACK = ['localhost', '127.0.0.1', '::1'];
const ANY_ADDRESS: readonly string[] = ['0.0.0.0', '::'];

/** Where a service listens, and the further names by which it is reached. */
export interface Binding {
  readonly bind: string;
  readonly hosts: readonly string[];
}

/** The names under which a service is reached, in small letters. */
export const ownNames = (service: string, { bind, hosts }: Binding): ReadonlySet<string> =>
  new Set(
    [...LOOPBACK, service, ...(ANY_ADDRESS.includes(bind) ? [] : [bind]), ...hosts].map((name) =>
      name.toLowerCase(),
    ),
  );

/** Why a request is refused; undefined where it may pass. `admitted`: it brought the token. */
export function refusal(
  { method, headers, localAddress }: Asked,
  names: ReadonlySet<string>,
  admitted: boolean,
): Refusal | undefined {
  // a name that leads here today may have led to an attacker's page a moment ago (DNS rebinding)
  const host = hostIn(text(headers['host']));
  if (!names.has(host) && host !== unmapped(localAddress))
    return {
      status: 403,
      error:
        'this service does not go by that name: ask by its address, like 127.0.0.1, or add the name to http.hosts of the configuration',
    };
  if (!admitted)
    return {
      status: 401,
      error:
        'this page takes the internal token: use the scanflow command, which has it, or send "Authorization: Bearer TOKEN". docs/security.md says where TOKEN lies',
    };
  // browsers add one of these to whatever a page sends, and a page cannot leave them out; programs send neither
  if (headers['origin'] !== undefined || headers['sec-fetch-site'] !== undefined)
    return { status: 403, error: 'web pages may not use this; use the scanflow command' };
  // what a page's form can send without being asked is never JSON
  if (changes(method) && !/^application\/json\s*(?:;|$)/i.test(text(headers['content-type'])))
    return { status: 415, error: 'expected content-type: application/json' };
  return undefined;
}

const changes = (method: string): boolean => method !== 'GET' && method !== 'HEAD';

const text = (value: string | string[] | undefined): string => (typeof value === 'string' ? value : '');

/** The name or address of a Host header, without its port; empty where it is none. */
function hostIn(header: string): string {
  const { six, other } =
    /^(?:\[(?<six>[0-9a-f:.]+)\]|(?<other>[^:[\]]+))(?::\d{1,5})?$/i.exec(header)?.groups ?? {};
  return (six ?? other ?? '').toLowerCase();
}

/** An IPv4 address as itself where the socket speaks IPv6. */
const unmapped = (address: string | undefined): string | undefined => address?.replace(/^::ffff:/i, '');
