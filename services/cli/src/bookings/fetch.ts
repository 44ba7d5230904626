/** A calendar's bytes, from a file, a folder or an address, for a person who looks once. Bounded in time and size. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { charsetOfType } from '@scanflow/calendar';
import { codeOf, messageOf, readBounded, readSecret, type Config } from '@scanflow/chassis';

export type Place = Pick<
  Partial<Config['calendars'][string]>,
  'url' | 'file' | 'folder' | 'username' | 'passwordFile' | 'tokenFile' | 'proxy' | 'tls'
> &
  Pick<Config['calendars'][string], 'timeout' | 'maxSize'>;

/** Why a calendar cannot be read, in a sentence without its address, which may hold a secret. */
export class CalendarError extends Error {
  override name = 'CalendarError';
}

const INSTEAD =
  'save the calendar as an .ics file and give that, or see what cal2wl made of it: scanflow page cal2wl /api/bookings';

export interface CalendarPart {
  readonly bytes: Uint8Array;
  /** Character set that the server declares. */
  readonly charset: string | undefined;
}

/** One part, but of a folder one for each .ics file. */
export async function fetchCalendar(place: Place, signal: AbortSignal): Promise<CalendarPart[]> {
  if (place.url !== undefined) return [await fromWeb(place.url, place, signal)];
  const path = place.file ?? place.folder;
  if (path === undefined) throw new CalendarError(`this command does not read CalDAV; ${INSTEAD}`);
  const files = await fromDisk(path, place.maxSize);
  return files.map((bytes) => ({ bytes, charset: undefined }));
}

async function fromDisk(path: string, maxSize: number): Promise<Uint8Array[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [await bounded(path, maxSize)];
    const names = (await readdir(path)).filter((name) => /\.ics$/i.test(name)).sort();
    if (names.length === 0) throw new CalendarError('there is no .ics file in the folder');
    return await Promise.all(names.map((name) => bounded(join(path, name), maxSize)));
  } catch (error) {
    if (error instanceof CalendarError) throw error;
    throw new CalendarError(`the calendar cannot be read: ${messageOf(error)}`);
  }
}

async function bounded(path: string, maxSize: number): Promise<Uint8Array> {
  const bytes = await readBounded(path, maxSize);
  if (bytes.length > maxSize) throw new CalendarError(`the calendar is larger than ${maxSize} bytes`);
  return bytes;
}

async function fromWeb(address: string, place: Place, signal: AbortSignal): Promise<CalendarPart> {
  if (place.tls !== undefined || (place.proxy ?? 'none') !== 'none')
    throw new CalendarError(
      `the calendar needs the proxy or the certificates of the configuration, which this command does not use; ${INSTEAD}`,
    );
  const url = URL.parse(address.replace(/^webcal:/i, 'https:'));
  if (url === null)
    throw new CalendarError('this is no address; one reads like https://booking.example.org/prisma.ics');
  const limit = AbortSignal.timeout(place.timeout);
  try {
    const headers = { accept: 'text/calendar, */*;q=0.1', ...(await authorization(url, place)) };
    const bare = new URL(url);
    [bare.username, bare.password] = ['', ''];
    const response = await fetch(bare, { headers, signal: AbortSignal.any([signal, limit]) });
    if (!response.ok)
      throw new CalendarError(`${url.host} answered ${response.status}${hint(response.status)}`);
    const charset = charsetOfType(response.headers.get('content-type'));
    return { bytes: await body(url.host, response, place.maxSize), charset };
  } catch (error) {
    if (error instanceof CalendarError) throw error;
    if (limit.aborted)
      throw new CalendarError(`${url.host} did not deliver the calendar within ${place.timeout / 1000} s`);
    const code = codeOf(error instanceof Error ? error.cause : undefined) ?? codeOf(error) ?? 'no connection';
    throw new CalendarError(`${url.host} cannot be reached (${code}): check the address and the network`);
  }
}

const hint = (status: number): string =>
  status === 401 || status === 403
    ? ': check the login, and whether the calendar is shared'
    : status === 404 || status === 410
      ? ': the calendar is not there'
      : '';

async function authorization(url: URL, { username, passwordFile, tokenFile }: Place): Promise<object> {
  if (tokenFile !== undefined) return { authorization: `Bearer ${await readSecret(tokenFile)}` };
  const user = username ?? decodeURIComponent(url.username);
  if (user === '') return {};
  const password =
    passwordFile === undefined ? decodeURIComponent(url.password) : await readSecret(passwordFile);
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}

async function body(host: string, response: Response, maxSize: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const stream: AsyncIterable<Uint8Array> | readonly Uint8Array[] = response.body ?? [];
  for await (const chunk of stream) {
    size += chunk.byteLength;
    if (size > maxSize) throw new CalendarError(`the calendar of ${host} is larger than ${maxSize} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
