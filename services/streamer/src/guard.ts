/**
 * Who may change something by HTTP: programs on this machine, and nobody's web page. The interface asks for no password
 * and listens on loopback; a browser on the same machine could be made to call it by any page that it shows.
 */
import { isIP } from 'node:net';

export interface Asked {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Why the request is refused, undefined where it may pass. */
export function refusal({
  headers,
}: Asked): { readonly status: 403 | 415; readonly error: string } | undefined {
  // browsers add one of these to whatever a page sends, and a page cannot leave them out; programs send neither
  if (headers['origin'] !== undefined || headers['sec-fetch-site'] !== undefined)
    return { status: 403, error: 'web pages may change nothing here; use scanflow series' };
  // a name that leads here today may have led to its page a moment ago (DNS rebinding)
  if (!isOwnName(text(headers['host'])))
    return { status: 403, error: 'ask by address, like http://127.0.0.1:9103, not by this name' };
  // what a page's form can send without being asked is never JSON
  if (!/^application\/json\s*(?:;|$)/i.test(text(headers['content-type'])))
    return { status: 415, error: 'expected content-type: application/json' };
  return undefined;
}

const text = (value: string | string[] | undefined): string => (typeof value === 'string' ? value : '');

/** An address, localhost, or a name without a dot, such as that of a container. */
function isOwnName(host: string): boolean {
  const name = /^(?:\[(?<six>[^\]]+)\]|(?<other>[^:]+))(?::\d+)?$/.exec(host)?.groups;
  if (name?.['six'] !== undefined) return isIP(name['six']) === 6;
  const other = name?.['other'] ?? '';
  return isIP(other) === 4 || /^[a-z0-9][a-z0-9_-]{0,62}$/i.test(other);
}
