/** The cookie that holds a session's word (RFC 6265bis 4.1.3). */

/** `__Host-` binds it to this host and to TLS. Over plain HTTP, on loopback alone, browsers refuse that prefix. */
export const cookieName = (secure: boolean): string => (secure ? '__Host-scanflow' : 'scanflow');

const WORD = /^[\w-]{43}$/;

/** The word in a Cookie header; undefined where there is none, or several that differ. */
export function wordIn(header: string | undefined, secure: boolean): string | undefined {
  const name = cookieName(secure);
  const words = (header ?? '')
    .split(';')
    .map((pair) => pair.trim().split('='))
    .flatMap(([key, value = '']) => (key === name ? [value] : []));
  const [word = ''] = words;
  return words.every((one) => one === word) && WORD.test(word) ? word : undefined;
}

/** The Set-Cookie header of a session that begins; with an empty word, of one that ends. */
export const cookieOf = (word: string, secure: boolean): string =>
  `${cookieName(secure)}=${word}; Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}${word === '' ? '; Max-Age=0' : ''}`;
