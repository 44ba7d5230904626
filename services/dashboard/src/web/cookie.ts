/** Cookies of the board (RFC 6265bis 4.1.3): one holds a session's word, one a sign-in that is on its way. */

/** `__Host-` binds it to this host and to TLS. Over plain HTTP, on loopback alone, browsers refuse that prefix. */
const nameOf = (name: string, secure: boolean): string => (secure ? `__Host-${name}` : name);
const SESSION = 'scanflow';
const PASSAGE = 'scanflow-oidc';

const WORD = /^[\w-]{43}$/;

/** The value of a cookie in a Cookie header; undefined where there is none, or several that differ. */
function valueIn(header: string | undefined, name: string): string | undefined {
  const values = (header ?? '')
    .split(';')
    .map((pair) => pair.trim().split('='))
    .flatMap(([key, value = '']) => (key === name ? [value] : []));
  const [first] = values;
  return values.every((one) => one === first) ? first : undefined;
}

export function wordIn(header: string | undefined, secure: boolean): string | undefined {
  const word = valueIn(header, nameOf(SESSION, secure)) ?? '';
  return WORD.test(word) ? word : undefined;
}

const setCookie = (name: string, value: string, secure: boolean, maxAgeS?: number): string =>
  [
    `${nameOf(name, secure)}=${value}`,
    'Path=/',
    'HttpOnly',
    'SameSite=Lax',
    ...(secure ? ['Secure'] : []),
    ...(maxAgeS === undefined ? [] : [`Max-Age=${maxAgeS}`]),
  ].join('; ');

/** The Set-Cookie header of a session that begins; with an empty word, of one that ends. */
export const cookieOf = (word: string, secure: boolean): string =>
  setCookie(SESSION, word, secure, word === '' ? 0 : undefined);

/** A sign-in at the identity provider that has begun in this browser. */
export interface Passage {
  readonly word: string;
  /** Epoch milliseconds. */
  readonly began: number;
  /** The path to show after it. */
  readonly next: string;
}

export const PASSAGE_MS = 600_000;

/** Lax: the provider leads back by a link, with which browsers send it (RFC 6265bis 5.6.7.1). */
export const passageOf = ({ word, began, next }: Passage, secure: boolean): string =>
  setCookie(PASSAGE, `${word}.${began}.${encodeURIComponent(next)}`, secure, PASSAGE_MS / 1_000);

export const noPassage = (secure: boolean): string => setCookie(PASSAGE, '', secure, 0);

const VALUE = /^(?<word>[\w-]{43})\.(?<began>\d{1,15})\.(?<next>[\w\-.!~*'()%]{1,4096})$/;

/** The passage of a Cookie header, if it is not too old. */
export function passageIn(header: string | undefined, secure: boolean, now: number): Passage | undefined {
  const groups = VALUE.exec(valueIn(header, nameOf(PASSAGE, secure)) ?? '')?.groups;
  const { word, began, next } = groups ?? {};
  if (word === undefined || next === undefined) return undefined;
  const age = now - Number(began);
  return age < 0 || age > PASSAGE_MS ? undefined : { word, began: Number(began), next: decoded(next) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '/';
  }
}
