/** A calendar's bytes as cal2wl fetches them, for a person who looks once: bounded, and led nowhere else by redirects. */
import { stat } from 'node:fs/promises';
import type { Config } from '@scanflow/config';
import { placeOf, type PlaceSettings } from '@scanflow/sources';

export type Place = Partial<Config['calendars'][string]> & Pick<PlaceSettings, 'timeout' | 'maxSize'>;

/** Why a calendar cannot be read, in a sentence without its address, which may hold a secret. */
export class CalendarError extends Error {
  override name = 'CalendarError';
}

export interface Calendar {
  readonly bytes: Uint8Array;
  /** Character set that the server declares. */
  readonly charset?: string | undefined;
}

export async function fetchCalendar(place: Place, signal: AbortSignal): Promise<Calendar> {
  const fetched = await placeOf(withLogin(await withFolder(place))).source.fetch({}, signal);
  if (fetched.kind === 'body') return fetched;
  if (fetched.kind === 'notModified') throw new CalendarError('the calendar was not sent');
  const { message, code } = fetched.failure;
  throw new CalendarError(`${message.replace('; it is tried again', '')} (${code})`);
}

/** On the command line a folder looks like a file. */
async function withFolder(place: Place): Promise<Place> {
  const { file, ...rest } = place;
  if (file === undefined) return place;
  const found = await stat(file).catch(() => undefined);
  return found?.isDirectory() === true ? { ...rest, folder: file } : place;
}

/** A login that somebody typed into the address. */
function withLogin(place: Place): PlaceSettings {
  const url = place.url === undefined ? undefined : URL.parse(place.url);
  if (url === null)
    throw new CalendarError('this is no address; one reads like https://booking.example.org/prisma.ics');
  if (url === undefined || url.username === '' || place.username !== undefined) return place;
  const [username, password] = [url.username, url.password].map(decodeURIComponent);
  [url.username, url.password] = ['', ''];
  return { ...place, url: url.href, username, password };
}
