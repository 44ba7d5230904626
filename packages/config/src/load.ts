/** scanflow.yaml from disk: read with bounds, as a service loads it, and followed when it changes. */
import { dirname, resolve } from 'node:path';
import { codeOf, messageOf } from '@scanflow/failure';
import { readBounded } from '@scanflow/runtime/files';
import type { LoadedConfig, Log } from '@scanflow/runtime';
import { statSync, type Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { withFolder } from './bids.ts';
import type { KnownAttributes } from './values.ts';
import { parseConfig, type ConfigResult } from './parse.ts';
import type { Config } from './schema.ts';
import { formatIssue } from './issue.ts';
import { configWarnings } from './rules.ts';

const LIMIT = 1_048_576;

/**
 * Reads and validates a configuration file. Whatever is wrong with it is an issue, never an exception.
 * @param known the DICOM attributes that there are; without them, their names are checked for their form only
 */
export async function loadConfig(path: string, known?: KnownAttributes): Promise<ConfigResult> {
  const trouble = (message: string): ConfigResult => ({
    ok: false,
    issues: [{ file: path, line: 1, column: 1, path: '', message }],
  });
  let bytes: Buffer;
  try {
    bytes = await readBounded(path, LIMIT);
  } catch (error) {
    return trouble(`cannot be read: ${messageOf(error)}${HINTS[codeOf(error) ?? ''] ?? ''}`);
  }
  if (bytes.length > LIMIT) return trouble('is larger than 1 MiB; that is no configuration');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return trouble('is not UTF-8 text');
  }
  const result = parseConfig(text, path, known);
  return result.ok ? { ok: true, config: resolveFiles(result.config, dirname(resolve(path))) } : result;
}

const HINTS: Readonly<Record<string, string>> = {
  EACCES: '; let the user of this process read it',
  EISDIR: '; name the file in it',
};

const FILE_KEYS = [
  'file',
  'folder',
  'passwordFile',
  'tokenFile',
  'proxyPasswordFile',
  'secretFile',
  'urlFile',
  'key',
  'certificate',
  'ca',
] as const;
type FileKey = (typeof FILE_KEYS)[number];
type TlsFiles = { readonly [Key in 'key' | 'certificate' | 'ca']?: string | undefined };

/** File names in the configuration are relative to the folder of the configuration file. */
function resolveFiles(config: Config, base: string): Config {
  const absolute = <T extends { readonly [Key in FileKey]?: string | undefined }>(part: T): T => ({
    ...part,
    ...Object.fromEntries(
      FILE_KEYS.flatMap((key) => {
        const file = part[key];
        return file === undefined ? [] : [[key, resolve(base, file)]];
      }),
    ),
  });
  const named = <T extends { readonly [Key in FileKey]?: string | undefined }>(
    parts: Readonly<Record<string, T>>,
  ): Record<string, T> =>
    Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, absolute(part)]));
  const secured = <T extends { tls?: TlsFiles | undefined }>(part: T): T =>
    part.tls === undefined ? part : { ...part, tls: absolute(part.tls) };
  const listed = <T extends { projects?: { file?: string | undefined } | undefined }>(part: T): T =>
    part.projects === undefined ? part : { ...part, projects: absolute(part.projects) };
  const noticesIn = (notify: NonNullable<Config['notify']>): NonNullable<Config['notify']> => ({
    ...notify,
    ...(notify.mail && { mail: secured(absolute(notify.mail)) }),
    webhooks: named(notify.webhooks),
    chats: named(notify.chats),
  });
  return {
    ...config,
    calendars: Object.fromEntries(
      Object.entries(config.calendars).map(([name, part]) => [name, listed(secured(absolute(part)))]),
    ),
    bookings: listed(config.bookings),
    orthanc: absolute(config.orthanc),
    worklist: secured(config.worklist),
    destinations: Object.fromEntries(
      Object.entries(config.destinations).map(([name, part]) => [name, secured(part)]),
    ),
    ledger: secured(absolute(config.ledger)),
    http: absolute(config.http),
    dashboard: secured({
      ...config.dashboard,
      ...(config.dashboard.database && { database: secured(absolute(config.dashboard.database)) }),
      ...(config.dashboard.oidc && { oidc: secured(absolute(config.dashboard.oidc)) }),
    }),
    ...(config.notify && { notify: noticesIn(config.notify) }),
    hooks: named(config.hooks),
    ...(config.bids && { bids: withFolder(config.bids, base) }),
  };
}

/**
 * A function that reads a configuration file, for `load` of `runService`.
 * @param known keywords of DICOM attributes with their VR; without them, keywords are checked for their form only
 */
export const configLoader =
  (known?: KnownAttributes) =>
  async (file: string): Promise<LoadedConfig<Config>> => {
    const loaded = await loadConfig(file, known);
    return loaded.ok
      ? { ok: true, config: loaded.config, warnings: configWarnings(loaded.config) }
      : { ok: false, mistakes: loaded.issues.map(formatIssue) };
  };

/** Follows the configuration file: what is changed in it is used without a restart, as far as a service can. */
export interface ConfigWatchOptions {
  readonly file: string;
  readonly log: Log;
  /** Uses a changed configuration that is good. Must not throw. */
  readonly use: (config: Config) => void;
  /** How often the file is looked at, in milliseconds. */
  readonly everyMs?: number;
}

export interface ConfigWatch {
  close(): void;
}

const EVERY_MS = 2_000;

/** Looks at the file again and again. One with mistakes is logged once, and what was used before stays. */
export function watchConfig({ file, log, use, everyMs = EVERY_MS }: ConfigWatchOptions): ConfigWatch {
  // at once: a change from here on is one
  let seen = stampOf(statSync(file, { throwIfNoEntry: false }));
  const look = async (): Promise<void> => {
    const stamp = stampOf(await stat(file).catch(() => undefined));
    if (stamp === seen) return;
    seen = stamp;
    const loaded = await loadConfig(file);
    if (loaded.ok) {
      log.info('configuration.changed', { file });
      use(loaded.config);
      return;
    }
    const [first, ...others] = loaded.issues;
    log.warn('configuration.unusable', {
      file,
      reason: first === undefined ? 'it cannot be read' : formatIssue(first),
      more: others.length,
      what: 'the configuration before it stays in use; correct the file',
    });
  };
  let looking = look();
  const timer = setInterval(() => {
    looking = looking.then(look);
  }, everyMs);
  timer.unref();
  return { close: () => clearInterval(timer) };
}

/** Changes whenever the file does, also when another takes its name. */
const stampOf = (file: Stats | undefined): string =>
  file === undefined ? 'none' : `${file.ino} ${file.size} ${file.mtimeMs}`;
