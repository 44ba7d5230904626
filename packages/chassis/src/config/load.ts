/** Reads scanflow.yaml from disk: bounded, as UTF-8, with its relative file names resolved. */
import { dirname, resolve } from 'node:path';
import { codeOf, messageOf } from '../failure.ts';
import { readBounded } from '../files.ts';
import { parseConfig, type ConfigResult } from './parse.ts';
import type { Config } from './schema.ts';

const LIMIT = 1_048_576;

/** Reads and validates a configuration file. Whatever is wrong with it is an issue, never an exception. */
export async function loadConfig(path: string): Promise<ConfigResult> {
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
  const result = parseConfig(text, path);
  return result.ok ? { ok: true, config: resolveFiles(result.config, dirname(resolve(path))) } : result;
}

const HINTS: Readonly<Record<string, string>> = {
  EACCES: '; let the user of this process read it',
  EISDIR: '; name the file in it',
};

/** File names in the configuration are relative to the folder of the configuration file. */
function resolveFiles(config: Config, base: string): Config {
  const absolute = <T extends { file?: string | undefined; passwordFile?: string | undefined }>(
    part: T,
  ): T => ({
    ...part,
    ...(part.file === undefined ? {} : { file: resolve(base, part.file) }),
    ...(part.passwordFile === undefined ? {} : { passwordFile: resolve(base, part.passwordFile) }),
  });
  return {
    ...config,
    calendars: Object.fromEntries(
      Object.entries(config.calendars).map(([name, part]) => [name, absolute(part)]),
    ),
    orthanc: absolute(config.orthanc),
  };
}
