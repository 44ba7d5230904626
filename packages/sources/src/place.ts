/** Opens the source of a calendar from its configuration; http and https with the validators of the last answer. */
import { defined } from '@scanflow/failure/defined';
import type { Config } from '@scanflow/config';
import { charsetOfType } from '@scanflow/calendar';
import { caldavSource } from './caldav.ts';
import { fileSource, folderSource } from './files.ts';
import type { Source, Validators } from './source.ts';
import { webClient, type Heard, type WebOptions } from './web/client.ts';
import { clockSkew, statusTrouble } from './web/answer.ts';

export { fileSource } from './files.ts';
export { CATEGORIES, MARK, type Answer } from './answer.ts';
export type { Answered, Fetched, Source, Validators } from './source.ts';

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
