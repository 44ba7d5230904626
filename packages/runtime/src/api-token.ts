/**
 * The internal token: who has it may use the services' pages that show a label or change something. It is one random
 * word in a file, which the services of one stack share and the `scanflow` command reads by itself.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf, messageOf } from '@scanflow/failure';
import { createFileOnce, readSecret } from './files.ts';
import type { Log } from './log.ts';

/** Read-only, for the user and the group of the services. */
const MODE = 0o440;
const FOLDER_MODE = 0o750;

/** Answers whether an `Authorization` header holds the token. */
export type Admits = (authorization: string | undefined) => Promise<boolean>;

/** What of the configuration says where the token lies. */
export interface TokenPlace {
  readonly data: string;
  readonly http: { readonly tokenFile?: string | undefined };
}

/** Where the token lies: `http.tokenFile`, by default `token/http-token` in the data folder. */
export const tokenFileOf = ({ data, http }: TokenPlace): string =>
  http.tokenFile ?? join(data, 'token', 'http-token');

/**
 * Makes the token's file with 256 random bits, if there is none. Resolves with whether it made it.
 *
 * Rejects with the error of the system if the folder cannot be written.
 */
export async function createToken(file: string): Promise<boolean> {
  await mkdir(dirname(file), { recursive: true, mode: FOLDER_MODE });
  return createFileOnce(file, `${randomBytes(32).toString('base64url')}\n`, { mode: MODE });
}

/**
 * The token for a service. A missing file is made; where that fails, the service runs and its pages stay closed.
 * The file is read at each request that brings a token, so a new token counts at once.
 */
export async function openToken(file: string, log: Log): Promise<Admits> {
  // in a container the folder is read-only, and the token is there
  if (!(await isReadable(file)))
    await createToken(file).catch((error: unknown) => {
      log.warn(
        `the pages with labels stay closed: the internal token ${file} is not there and cannot be made (${messageOf(error)}). Make it: scanflow secrets init, see docs/security.md`,
        { code: 'HTTP_TOKEN' },
      );
    });
  return async (authorization) => {
    const given = /^Bearer ([\x21-\x7e]{1,1024})$/i.exec(authorization ?? '')?.[1];
    if (given === undefined) return false;
    const token = await readSecret(file).catch(() => undefined);
    return token !== undefined && timingSafeEqual(digest(given), digest(token));
  };
}

const isReadable = (file: string): Promise<boolean> =>
  readSecret(file).then(
    () => true,
    () => false,
  );

/** Of one length, whatever is compared. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** The header that opens the services' pages to a command, by the token's file. Throws an Error that says what to do. */
export async function headersOf(file: string): Promise<{ authorization: string }> {
  try {
    return { authorization: `Bearer ${await readSecret(file)}` };
  } catch (error) {
    throw new Error(`the internal token cannot be read: ${messageOf(error)}. ${hintOf(error)}`, {
      cause: error,
    });
  }
}

const hintOf = (error: unknown): string =>
  codeOf(error instanceof Error ? error.cause : undefined) === 'EACCES'
    ? 'Run the command as the user of the services, or in a container: docker compose exec streamer scanflow …'
    : 'A service makes it when it starts; in containers docker compose up -d does. See docs/security.md';
