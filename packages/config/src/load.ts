/** scanflow.yaml: its text into a configuration or into every mistake in it, read from disk with bounds, and read again when it changes. */
import { basename, dirname, join, resolve } from 'node:path';
import { codeOf, messageOf } from '@scanflow/failure';
import { readBounded } from '@scanflow/runtime/files';
import type { LoadedConfig, Log } from '@scanflow/runtime';
import { statSync, type Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { z } from 'zod';
import { type KnownAttributes, fileNames } from './values.ts';
import { type ConfigIssue, formatIssue } from './issue.ts';
import { brokenRules, writtenTwice, type GoodSections, configWarnings, type Surroundings } from './rules.ts';
import { configSchema, type Config } from './schema.ts';
import { readYaml } from './yaml.ts';

export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly issues: readonly ConfigIssue[] };

/**
 * Reads the whole text; never throws for its content. `file` stands in the issues. Relative file names stay as they are.
 * Without `known`, names of attributes are checked for their form only.
 */
export function parseConfig(text: string, file: string, known?: KnownAttributes): ConfigResult {
  const read = readYaml(text, file, configSchema, (parsed, data, outline) => [
    ...brokenRules(parsed ?? goodSections(data), known),
    ...writtenTwice(outline.has),
  ]);
  return read.ok ? { ok: true, config: read.data } : read;
}

/** The sections that are good by themselves, so that the rules between them are checked in the same go. */
const goodSections = (data: unknown): GoodSections =>
  Object.fromEntries(
    Object.entries(configSchema.shape).map(([name, schema]) => [
      name,
      schema.safeParse((data as Record<string, unknown> | null)?.[name]).data,
    ]),
  );

// scanflow.yaml from disk: read with bounds, as a service loads it, and followed when it changes.

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
  if (!result.ok) return result;
  const own = await ownFacility(path, result.config);
  if (own !== undefined)
    return trouble(
      `is the sample of Scanflow, and scanflow.yaml beside it is of ${own}: copy its sections ledger and dashboard into scanflow.yaml, and write SCANFLOW_CONFIG_FILE=scanflow.yaml into .env`,
    );
  return { ok: true, config: resolveFiles(result.config, dirname(resolve(path))) };
}

const SAMPLE = 'Example Imaging Centre';

/** Nobody entered a scanner or a calendar of their own: nothing that works is refused. */
const isSample = ({ facility, scanners, calendars }: Config): boolean =>
  facility.name === SAMPLE &&
  Object.keys(scanners).join() === 'prisma' &&
  Object.values(calendars).every(({ file }) => file?.endsWith('calendars/prisma.ics') === true);

/** The facility of scanflow.yaml beside the sample for several streamers, where that is not the sample itself. */
async function ownFacility(path: string, config: Config): Promise<string | undefined> {
  if (basename(path) !== 'scanflow.scale.yaml' || !isSample(config)) return undefined;
  const beside = await readBounded(join(dirname(path), 'scanflow.yaml'), LIMIT).catch(() => undefined);
  const own = beside === undefined ? undefined : parseConfig(beside.toString(), 'scanflow.yaml');
  return own?.ok === true && own.config.facility.name !== SAMPLE ? own.config.facility.name : undefined;
}

const HINTS: Readonly<Record<string, string>> = {
  EACCES: '; let the user of this process read it',
  EISDIR: '; name the file in it',
};

/** File names in the configuration are relative to the folder of the configuration file. */
const resolveFiles = (config: Config, base: string): Config => absolute(configSchema, config, base) as Config;

/** What leads from a schema to those of its parts. */
interface Parts {
  readonly shape?: Readonly<Record<string, unknown>>;
  readonly valueType?: unknown;
  readonly element?: unknown;
  readonly innerType?: unknown;
  readonly options?: readonly unknown[];
}

/** A value with every name of a file in it made absolute: those whose schemas are `file` of values.ts. */
function absolute(schema: unknown, value: unknown, base: string): unknown {
  if (fileNames.get(schema as z.core.$ZodType) !== undefined)
    return typeof value === 'string' ? resolve(base, value) : value;
  const { innerType, options, element, shape, valueType } = (schema as { readonly def: Parts }).def;
  if (innerType !== undefined) return absolute(innerType, value, base);
  if (options !== undefined) return options.reduce((done, form) => absolute(form, done, base), value);
  if (typeof value !== 'object' || value === null) return value;
  if (element !== undefined && Array.isArray(value))
    return value.map((item) => absolute(element, item, base));
  if (shape === undefined && valueType === undefined) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => {
      const inner = shape === undefined ? valueType : shape[key];
      return [key, inner === undefined ? part : absolute(inner, part, base)];
    }),
  );
}

/**
 * A function that reads a configuration file, for `load` of `runService`.
 * `known`: keywords of DICOM attributes with their VR; without them, keywords are checked for their form only.
 */
export const configLoader =
  ({ known, ...where }: Surroundings & { readonly known?: KnownAttributes } = {}) =>
  async (file: string): Promise<LoadedConfig<Config>> => {
    const loaded = await loadConfig(file, known);
    return loaded.ok
      ? { ok: true, config: loaded.config, warnings: configWarnings(loaded.config, where) }
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
