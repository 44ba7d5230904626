/** Credentials for a server: a password or bearer token from a file, but never one that the server just refused. */
import { readSecret } from '@scanflow/runtime';
import { messageOf } from '@scanflow/failure';
import { Stop } from '../source.ts';

export interface CredentialOptions {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly passwordFile?: string | undefined;
  readonly tokenFile?: string | undefined;
}

/** Pause after a refusal: directories lock accounts after some wrong passwords. */
const REFUSED_PAUSE_MS = 300_000;

export class Credentials {
  readonly #options: CredentialOptions;
  #refused: { readonly value: string; readonly at: number } | undefined;

  constructor(options: CredentialOptions) {
    this.#options = options;
  }

  /** The Authorization header, from the current files; undefined without configured credentials. Throws a Stop. */
  async header(host: string): Promise<string | undefined> {
    const { username, password, passwordFile, tokenFile } = this.#options;
    let value: string | undefined;
    if (tokenFile !== undefined) value = `Bearer ${await secret(tokenFile)}`;
    else if (username !== undefined && passwordFile !== undefined)
      value = basic(username, await secret(passwordFile));
    else if (username !== undefined && password !== undefined) value = basic(username, password);
    if (value === undefined || !this.#isRefused(value)) return value;
    throw new Stop(
      'permanent',
      'FETCH_AUTH',
      `${host} refused the password or token; it is tried again when its file changes, or some minutes later.`,
    );
  }

  /** Remembers that the server refused this header. */
  refuse(value: string): void {
    this.#refused = { value, at: performance.now() };
  }

  #isRefused(value: string): boolean {
    return this.#refused?.value === value && performance.now() - this.#refused.at < REFUSED_PAUSE_MS;
  }
}

/** Basic authentication (RFC 7617). */
export const basic = (username: string, password: string): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

/** Reads the file at each fetch, so that a replaced secret counts at the next one. Throws a Stop. */
export async function secret(file: string): Promise<string> {
  let text: string;
  try {
    text = await readSecret(file);
  } catch (error) {
    throw new Stop('permanent', 'FETCH_SECRET', messageOf(error));
  }
  // a line break would end the header
  if (!/^[^\p{Cc}]+$/u.test(text))
    throw new Stop('permanent', 'FETCH_SECRET', `the secret ${file} holds line breaks or control characters`);
  return text;
}
