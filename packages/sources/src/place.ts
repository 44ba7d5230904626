/** Opens the source of a calendar from its configuration. */
import { defined } from '@scanflow/booking/defined';
import type { Config } from '@scanflow/config';
import { caldavSource } from './caldav.ts';
import { fileSource, folderSource } from './files.ts';
import { httpSource } from './http.ts';
import type { Source } from './source.ts';

export { fileSource } from './files.ts';
export { httpSource, type HttpSourceOptions } from './http.ts';
export type { Fetched, Source, Validators } from './source.ts';

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
