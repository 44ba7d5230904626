/** From the configuration of a calendar to the place it is fetched from. */
import type { Config } from '@scanflow/chassis';
import { caldavSource } from './adapters/caldav-source.ts';
import { fileSource } from './adapters/file-source.ts';
import { folderSource } from './adapters/folder-source.ts';
import { httpSource } from './adapters/http-source.ts';
import { polite, type Queues } from './polite.ts';
import type { Source } from './source.ts';

export interface Place {
  readonly kind: 'url' | 'caldav' | 'file' | 'folder';
  /** Where it is: may hold a secret, and is never shown. */
  readonly address: string;
  /** Host of a server; undefined for what lies on disk. */
  readonly host: string | undefined;
  readonly source: Source;
}

/** `every`: milliseconds between two passes. */
export function placeOf(
  settings: Config['calendars'][string],
  { queues, every }: { queues: Queues; every: number },
): Place {
  const { url, file, folder, caldav, timeout: timeoutMs, maxSize } = settings;
  const limits = { timeoutMs, maxSize };
  if (file !== undefined)
    return { kind: 'file', address: file, host: undefined, source: fileSource(file, limits) };
  if (folder !== undefined)
    return { kind: 'folder', address: folder, host: undefined, source: folderSource(folder, limits) };
  const { redirects, username, passwordFile, tokenFile, tls, proxy, proxyUsername, proxyPasswordFile } =
    settings;
  const address = caldav ?? url ?? '';
  const options = {
    ...limits,
    ...{ url: address, redirects, username, passwordFile, tokenFile },
    ...(tls === undefined ? {} : { tls }),
    ...(proxy === 'none' ? {} : { proxy, proxyUsername, proxyPasswordFile }),
  };
  const { host } = new URL(address);
  const source = caldav === undefined ? httpSource(options) : caldavSource(options);
  const kind = caldav === undefined ? 'url' : 'caldav';
  return { kind, address, host, source: polite(source, { host, queues, every }) };
}
