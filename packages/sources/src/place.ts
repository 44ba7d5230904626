/** A calendar where it lies: at a web address or CalDAV server, in a file or in a folder. */
import { defined } from '@scanflow/failure/defined';
import type { Config } from '@scanflow/config';
import { charsetOfType, isWholeCalendar, toPlain } from '@scanflow/calendar';
import { readdir, stat } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { codeOf } from '@scanflow/failure';
import { readBounded } from '@scanflow/runtime';
import { caldavSource } from './caldav.ts';
import { type Source, type Validators, type Fetched, type SourceLimits, Stop } from './answer.ts';
import { webClient, type Heard, type WebOptions } from './web/client.ts';
import { clockSkew, statusTrouble } from './web/answer.ts';

export { CATEGORIES, MARK, type Answer } from './answer.ts';
export type { Answered, Fetched, Source, Validators } from './answer.ts';

export interface Place {
  readonly kind: 'url' | 'caldav' | 'file' | 'folder';
  /** Its address or path. Never show it: it may contain a secret. */
  readonly address: string;
  /** Host of a server; undefined for files and folders. */
  readonly host: string | undefined;
  readonly source: Source;
}

/** The settings of a calendar that say where it is and how to fetch it. */
export type PlaceSettings = Pick<Config['calendars'][string], 'timeout' | 'maxSize'> &
  Partial<Config['calendars'][string]> & {
    /** A password that a person typed; other passwords are in files. */
    readonly password?: string | undefined;
  };

/** Where a calendar or list lies, by its section of the configuration, and what fetches it from there. */
export function placeOf(settings: PlaceSettings): Place {
  const { url, file, folder, caldav, timeout: timeoutMs, maxSize } = settings;
  const limits = { timeoutMs, maxSize };
  if (file !== undefined)
    return { kind: 'file', address: file, host: undefined, source: fileSource(file, limits) };
  if (folder !== undefined)
    return { kind: 'folder', address: folder, host: undefined, source: folderSource(folder, limits) };
  const { redirects, tls, proxy = 'none', proxyUsername, proxyPasswordFile } = settings;
  const { username, password, passwordFile, tokenFile } = settings;
  const address = caldav ?? url ?? '';
  const options = {
    ...limits,
    ...{ url: address, redirects, username, password, passwordFile, tokenFile },
    ...defined({ tls }),
    ...(proxy === 'none' ? {} : { proxy, proxyUsername, proxyPasswordFile }),
  };
  const { host } = new URL(address);
  const source = caldav === undefined ? httpSource(options) : caldavSource(options);
  return { kind: caldav === undefined ? 'url' : 'caldav', address, host, source };
}

export interface HttpSourceOptions extends WebOptions {
  /** http, https or webcal (which means https). */
  readonly url: string;
}

/** A calendar at an http, https or webcal address, fetched with the validators of its last answer. */
export function httpSource(options: HttpSourceOptions): Source {
  const url = new URL(options.url.replace(/^webcal:/i, 'https:'));
  const web = webClient(url, options);
  return {
    fetch: (validators, signal) =>
      web.run(signal, async (ask) => {
        const conditions = conditionsOf(validators);
        const headers = { accept: 'text/calendar, */*;q=0.1', ...conditions };
        const { status, header, bytes } = await ask(url, {
          method: 'GET',
          headers,
          expect: [200, 203, 206, 304],
        });
        const clockSkewMs = clockSkew(header, Temporal.Now.instant());
        if (status === 206 && !isWhole(header, bytes.length))
          throw statusTrouble(url.host, status, 'none', header);
        if (status !== 304) {
          const charset = charsetOfType(header('content-type'));
          return { kind: 'body', bytes, charset, validators: validatorsOf(header), clockSkewMs };
        }
        // the request had no validators, so this answer means nothing
        if (Object.keys(conditions).length === 0) throw statusTrouble(url.host, status, 'none', header);
        return { kind: 'notModified', clockSkewMs };
      }),
  };
}

/** Whether a partial answer covers the whole (RFC 9110 14.4), although no part was requested. */
function isWhole(header: Heard['header'], size: number): boolean {
  const [, last, all] = /^\s*bytes\s+0-(\d+)\/(\d+)\s*$/i.exec(header('content-range') ?? '') ?? [];
  const isAll = last !== undefined && Number(last) + 1 === Number(all);
  return isAll && (header('content-encoding') !== undefined || size === Number(all));
}

function conditionsOf({ etag, lastModified }: Validators): Record<string, string> {
  return defined({ 'if-none-match': etag, 'if-modified-since': lastModified });
}

function validatorsOf(header: Heard['header']): Validators {
  const [etag, lastModified] = [header('etag'), header('last-modified')];
  return defined({ etag, lastModified });
}

// Reads calendars that another program keeps as a file, or as .ics files in a folder (vdir).

const MOST_FILES = 100_000;
const AT_ONCE = 16;
const LINE_BREAK = Buffer.from('\r\n');

/** Joins all `*.ics` files of the folder, except hidden ones. An incomplete file fails the fetch. */
export function folderSource(folder: string, { maxSize }: Pick<SourceLimits, 'maxSize'>): Source {
  return {
    async fetch(validators) {
      try {
        return await read(folder, validators.etag, maxSize);
      } catch (error) {
        return (error instanceof Stop ? error : unreadable(codeOf(error) ?? 'unknown')).fetched;
      }
    },
  };
}

async function read(folder: string, known: string | undefined, maxSize: number): Promise<Fetched> {
  const names = await list(folder);
  const etag = await stampOf(folder, names, maxSize);
  if (etag === known) return { kind: 'notModified' };
  const parts: Uint8Array[] = [];
  let left = maxSize;
  for (const [index, name] of names.entries()) {
    const bytes = await readBounded(join(folder, name), left);
    left -= bytes.length + LINE_BREAK.length;
    if (left < 0) throw tooLarge(maxSize);
    // normalise each file, so that together they form one calendar
    const text = toPlain(bytes).bytes;
    if (!isWholeCalendar(text)) throw notWhole(index + 1, names.length);
    parts.push(text, LINE_BREAK);
  }
  if ((await stampOf(folder, await list(folder), maxSize)) !== etag)
    throw new Stop(
      'transient',
      'FETCH_CHANGING',
      'The calendar folder changed while it was read; again soon.',
    );
  return { kind: 'body', bytes: Buffer.concat(parts), validators: { etag } };
}

async function list(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => /^[^.].*\.ics$/i.test(name)).sort();
  if (names.length === 0)
    throw new Stop(
      'permanent',
      'FETCH_EMPTY_FOLDER',
      'The calendar folder holds no .ics file. Check its path, and whether it is mounted; where there are no bookings, put in a calendar without events.',
    );
  if (names.length > MOST_FILES)
    throw new Stop(
      'permanent',
      'FETCH_TOO_LARGE',
      `The calendar folder holds more than ${MOST_FILES} files. Take old bookings out.`,
    );
  return names;
}

/** Names, inodes, sizes and times of all files identify their content. */
async function stampOf(folder: string, names: readonly string[], maxSize: number): Promise<string> {
  const hash = createHash('sha256');
  let size = 0n;
  for (let at = 0; at < names.length; at += AT_ONCE) {
    const some = names.slice(at, at + AT_ONCE);
    const found = await Promise.all(some.map((name) => stat(join(folder, name), { bigint: true })));
    for (const [index, one] of found.entries()) {
      if (!one.isFile())
        throw new Stop(
          'permanent',
          'FETCH_FILE',
          'Something in the calendar folder ends in .ics and is no file.',
        );
      size += one.size;
      hash.update(`${some[index] ?? ''}\0${one.ino}-${one.size}-${one.mtimeNs}\0`);
    }
  }
  if (size > BigInt(maxSize)) throw tooLarge(maxSize);
  return hash.digest('hex');
}

const notWhole = (place: number, of: number): Stop =>
  new Stop(
    'transient',
    'FEED_TRUNCATED',
    `The calendar folder holds a file that is no whole calendar: by name the ${place}. of ${of}. It is tried again; if it stays, replace that file.`,
  );

const tooLarge = (maxSize: number): Stop =>
  new Stop(
    'permanent',
    'FETCH_TOO_LARGE',
    `The calendar folder holds more than ${maxSize} bytes. Take old bookings out, or raise maxSize.`,
  );

const unreadable = (code: string): Stop =>
  code === 'ENOENT'
    ? new Stop(
        'transient',
        'FETCH_NOT_FOUND',
        'The calendar folder, or a file in it, is not there (ENOENT). Check its path, and whether it is mounted.',
      )
    : new Stop(
        'permanent',
        'FETCH_FILE',
        `The calendar folder cannot be read (${code}). Check its path and permissions.`,
      );

/**
 * A calendar in a file, which is read again only if it changed.
 *
 * @param options `maxSize`: longest file in bytes; a longer one is a failure
 */
export function fileSource(path: string, { maxSize }: Pick<SourceLimits, 'maxSize'>): Source {
  return {
    async fetch(validators) {
      try {
        // inode, size and time identify the content, so that an unchanged file is not read again
        const found = await stat(path, { bigint: true });
        if (!found.isFile())
          throw new Stop('permanent', 'FETCH_FILE', 'The calendar file is no file. Check its path.');
        const etag = `${found.ino}-${found.size}-${found.mtimeNs}`;
        if (etag === validators.etag) return { kind: 'notModified' };
        const bytes = await readBounded(path, maxSize);
        if (bytes.length > maxSize) throw fileTooLarge(maxSize);
        return { kind: 'body', bytes, validators: { etag } };
      } catch (error) {
        return (error instanceof Stop ? error : fileUnreadable(codeOf(error) ?? 'unknown')).fetched;
      }
    },
  };
}

const fileTooLarge = (maxSize: number): Stop =>
  new Stop(
    'permanent',
    'FETCH_TOO_LARGE',
    `The calendar file is larger than ${maxSize} bytes. Publish a shorter span of time, or raise maxSize.`,
  );

const fileUnreadable = (code: string): Stop =>
  code === 'ENOENT'
    ? new Stop(
        'permanent',
        'FETCH_NOT_FOUND',
        'The calendar file is not there (ENOENT). Check its path, and whether what it is on is mounted.',
      )
    : new Stop(
        'permanent',
        'FETCH_FILE',
        `The calendar file cannot be read (${code}). Check its path and permissions.`,
      );
