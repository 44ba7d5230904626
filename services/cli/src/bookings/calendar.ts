/** The calendar that a person means: which one, by command line and configuration, and its bytes as cal2wl fetches them. */
import { stat } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import { WALK_IN, type BookingRules } from '@scanflow/booking';
import {
  bookingRules,
  calendarNamesById,
  formatIssue,
  loadConfig,
  parseConfig,
  type Config,
} from '@scanflow/config';
import { placeOf, type PlaceSettings } from '@scanflow/sources';
import { UsageError } from '../command.ts';

interface Wish {
  readonly calendar: string;
  readonly config?: string | undefined;
  readonly timezone?: string | undefined;
  readonly scanner?: string | undefined;
}

export interface Choice {
  /** Its key in the configuration. */
  readonly name: string;
  /** Ids of all calendars, and of walk-ins; undefined where a person chose the id of this one. */
  readonly configured: ReadonlySet<string> | undefined;
  /** The data folder of the configuration. */
  readonly data: string;
  readonly place: Place;
  readonly rules: BookingRules;
  /** IANA zone of times without one. */
  readonly zone: string;
  /** Milliseconds around now that the worklist shows. */
  readonly window: { readonly before: number; readonly after: number };
  /** The list of projects, if there is one. */
  readonly projects: Place | undefined;
  /** False if neither command line nor configuration names a scanner. */
  readonly scannerKnown: boolean;
  /** By scanner; undefined without a configuration. */
  readonly characterSets: Readonly<Record<string, string>> | undefined;
}

const isAddress = (text: string): boolean => /^(?:https?|webcal):\/\//i.test(text);

/** The calendar that is meant. Throws UsageError if that is not clear. */
export async function choose(wish: Wish): Promise<Choice> {
  const config = await configuration(wish);
  const name = calendarName(wish, config);
  const own = config.calendars[name];
  const { timezone: zone = config.facility.timezone } = wish;
  if (own === undefined) throw new UsageError(`there is no calendar ${name} in the configuration`);
  const rules = bookingRules(config, name);
  const fixed = wish.scanner === undefined ? rules : { ...rules, scanner: { name: wish.scanner } };
  const { before, after } = { ...config.bookings.window, ...own.window };
  const ids = new Set([...calendarNamesById(config).keys(), WALK_IN]);
  const list = own.projects ?? config.bookings.projects;
  return {
    name,
    configured: own.id === undefined ? ids : undefined,
    data: config.data,
    place: Object.hasOwn(config.calendars, wish.calendar)
      ? own
      : { ...limits(own), ...placeNamed(wish, own) },
    rules: fixed,
    zone,
    window: { before: before ?? config.bookings.window.before, after: after ?? config.bookings.window.after },
    projects: list === undefined ? undefined : { ...limits(own), ...list },
    scannerKnown: wish.config !== undefined || wish.scanner !== undefined,
    characterSets:
      wish.config === undefined
        ? undefined
        : Object.fromEntries(
            Object.entries(config.scanners).map(([key, one]) => [key, one.characterSet ?? 'ISO_IR 192']),
          ),
  };
}

/** The calendars of a configuration. */
export const calendarNames = async (config: string): Promise<string[]> =>
  Object.keys((await configuration({ calendar: '', config })).calendars);

const limits = ({ timeout, maxSize }: Config['calendars'][string]): Place => ({ timeout, maxSize });

/** An address of the configuration keeps its login. */
function placeNamed({ calendar }: Wish, own: Config['calendars'][string]): Place {
  if (isAddress(calendar)) return calendar === own.url ? own : { ...limits(own), url: calendar };
  return { ...limits(own), file: calendar };
}

async function configuration(wish: Wish): Promise<Config> {
  if (wish.config !== undefined) {
    const loaded = await loadConfig(wish.config);
    if (loaded.ok) return withTimezone(loaded.config, wish);
    throw new UsageError(`the configuration has mistakes:\n${loaded.issues.map(formatIssue).join('\n')}`);
  }
  if (wish.timezone === undefined)
    throw new UsageError('bookings takes --timezone ZONE (such as Europe/Amsterdam) or --config FILE');
  return bare(wish.timezone, wish.scanner ?? 'scanner');
}

function withTimezone(config: Config, { timezone, scanner }: Wish): Config {
  if (timezone !== undefined) bare(timezone, 'scanner');
  if (scanner !== undefined && !Object.hasOwn(config.scanners, scanner))
    throw new UsageError(
      `there is no scanner ${scanner} in the configuration (there: ${Object.keys(config.scanners).join(', ')})`,
    );
  return config;
}

/** Every default of the configuration around one scanner and its calendar. */
function bare(timezone: string, scanner: string): Config {
  const parsed = parseConfig(
    JSON.stringify({
      facility: { name: '-', timezone },
      data: '/data',
      scanners: { [scanner]: { aet: 'SCANNER', modality: 'MR' } },
      calendars: { [scanner]: { file: '-', scanner } },
      orthanc: { url: 'http://127.0.0.1' },
      storage: { root: '/project' },
    }),
    '-',
  );
  if (parsed.ok) return parsed.config;
  const [first] = parsed.issues;
  throw new UsageError(
    `${first?.path === 'facility.timezone' ? '--timezone' : '--scanner'}: ${first?.message ?? ''}`,
  );
}

/**
 * The calendar whose rules and identity count: the one with this name, address or file. Otherwise the only one, or the only
 * one of the scanner.
 */
function calendarName({ calendar, scanner }: Wish, { calendars }: Config): string {
  if (Object.hasOwn(calendars, calendar)) return calendar;
  const entries = Object.entries(calendars);
  const path = isAddress(calendar) || isAbsolute(calendar) ? calendar : resolve(calendar);
  const same = entries.find(([, one]) => one.url === calendar || one.file === path || one.folder === path);
  if (same !== undefined) return same[0];
  const fitting = entries.filter(([, one]) => scanner === undefined || one.scanner === scanner);
  const [only] = fitting.length > 0 ? fitting : entries;
  if (only !== undefined && (fitting.length === 1 || entries.length === 1)) return only[0];
  throw new UsageError(
    entries.length === 0
      ? 'the configuration has no calendar'
      : `which calendar of the configuration is meant? Give its name (${Object.keys(calendars).join(', ')}) instead of the file, or a --scanner that only one of them books`,
  );
}

type Place = Partial<Config['calendars'][string]> & Pick<PlaceSettings, 'timeout' | 'maxSize'>;

/** Why a calendar cannot be read. The message has no address, which may contain a secret. */
export class CalendarError extends Error {
  override name = 'CalendarError';
}

export interface Calendar {
  readonly bytes: Uint8Array;
  /** Character set that the server declares. */
  readonly charset?: string | undefined;
}

/** Fetches a calendar once, bounded, and without redirects to elsewhere. Throws CalendarError. */
export async function fetchCalendar(place: Place, signal: AbortSignal): Promise<Calendar> {
  const fetched = await placeOf(withLogin(await withFolder(place))).source.fetch({}, signal);
  if (fetched.kind === 'body') return fetched;
  if (fetched.kind === 'notModified') throw new CalendarError('the calendar was not sent');
  const { message, code } = fetched.failure;
  throw new CalendarError(`${message.replace('; it is tried again', '')} (${code})`);
}

/** A folder on the command line looks like a file. */
async function withFolder(place: Place): Promise<Place> {
  const { file, ...rest } = place;
  if (file === undefined) return place;
  const found = await stat(file).catch(() => undefined);
  return found?.isDirectory() === true ? { ...rest, folder: file } : place;
}

/** Takes the login out of an address. */
function withLogin(place: Place): PlaceSettings {
  const url = place.url === undefined ? undefined : URL.parse(place.url);
  if (url === null)
    throw new CalendarError('this is no address; one reads like https://booking.example.org/prisma.ics');
  if (url === undefined || url.username === '' || place.username !== undefined) return place;
  const [username, password] = [url.username, url.password].map(decodeURIComponent);
  [url.username, url.password] = ['', ''];
  return { ...place, url: url.href, username, password };
}
