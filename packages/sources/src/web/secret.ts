/** Turns passwords and tokens from files into headers. */
import { readSecret } from '@scanflow/runtime';
import { messageOf } from '@scanflow/failure';
import { Stop } from './stop.ts';

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
