/** Who we are to a web server: a user with a password, or a token; files are read anew each time. */
import { FailureError, messageOf, transient } from '@scanflow/failure';
import { readSecret } from '@scanflow/runtime';

export interface Credentials {
  readonly username?: string | undefined;
  readonly passwordFile?: string | undefined;
  readonly tokenFile?: string | undefined;
}

/** The value of the header Authorization, undefined where none is wanted. Throws FailureError STOW_SECRET. */
export async function authorization({
  username,
  passwordFile,
  tokenFile,
}: Credentials): Promise<string | undefined> {
  if (tokenFile !== undefined) {
    const token = await secretIn(tokenFile);
    // RFC 6750 2.1
    if (!/^[\w.~+/-]+=*$/.test(token)) throw new FailureError(unusable(`${tokenFile} holds no token`));
    return `Bearer ${token}`;
  }
  if (username === undefined || passwordFile === undefined) return undefined;
  const password = await secretIn(passwordFile);
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

async function secretIn(file: string): Promise<string> {
  try {
    return await readSecret(file);
  } catch (error) {
    throw new FailureError(unusable(messageOf(error)), error);
  }
}

const unusable = (why: string) =>
  transient('STOW_SECRET', `Nothing is sent without our user or token: ${why}. Correct it; sending goes on.`);
