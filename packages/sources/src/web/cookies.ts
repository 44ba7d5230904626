/** Cookies of one fetch (RFC 6265): some servers set one with a redirect and require it at the target. */
import { parseCookie } from 'undici';

interface Kept {
  readonly value: string;
  readonly path: string;
}

const MOST = 50;
const LONGEST = 4096;

/**
 * A cookie goes back only to the origin that set it, whatever domain it names, and ends with the fetch. Each
 * origin may have 50, of 4 KiB each (RFC 6265 6.1).
 */
export class Cookies {
  readonly #byOrigin = new Map<string, Map<string, Kept>>();

  /** Takes the Set-Cookie headers of an answer. */
  take(url: URL, headers: readonly string[]): void {
    const kept = this.#byOrigin.get(url.origin) ?? new Map<string, Kept>();
    this.#byOrigin.set(url.origin, kept);
    for (const header of headers) {
      const cookie = header.length > LONGEST ? null : parseCookie(header);
      if (cookie === null || cookie.name === '') continue;
      const path = cookie.path?.startsWith('/') === true ? cookie.path : folderOf(url.pathname);
      const key = `${cookie.name} ${path}`;
      kept.delete(key);
      const isUsed = !isOver(cookie) && (cookie.secure !== true || url.protocol === 'https:');
      if (isUsed && kept.size < MOST) kept.set(key, { value: `${cookie.name}=${cookie.value}`, path });
    }
  }

  /** The Cookie header of a request, if any. */
  header(url: URL): { cookie?: string } {
    const all = [...(this.#byOrigin.get(url.origin)?.values() ?? [])];
    const own = all.filter(({ path }) => isBelow(url.pathname, path));
    // the longest path first (RFC 6265 5.4)
    own.sort((a, b) => b.path.length - a.path.length);
    return own.length === 0 ? {} : { cookie: own.map(({ value }) => value).join('; ') };
  }
}

type Ending = Pick<NonNullable<ReturnType<typeof parseCookie>>, 'maxAge' | 'expires'>;

function isOver({ maxAge, expires }: Ending): boolean {
  if (maxAge !== undefined) return maxAge <= 0;
  return expires !== undefined && Number(expires) <= Temporal.Now.instant().epochMilliseconds;
}

/** RFC 6265 5.1.4. */
const folderOf = (path: string): string => path.slice(0, Math.max(path.lastIndexOf('/'), 1));
const isBelow = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
