/** Reads scanflow.yaml from disk: bounded, as UTF-8, with its relative file names resolved. */
import { open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { messageOf } from '../failure.ts';
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
    bytes = await readBounded(path);
  } catch (error) {
    return trouble(`cannot be read: ${messageOf(error)}`);
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

/** At most one byte more than the limit, so that a huge file costs nothing. */
async function readBounded(path: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(LIMIT + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length);
      length += bytesRead;
      if (bytesRead === 0 || length === buffer.length) return buffer.subarray(0, length);
    }
  } finally {
    await file.close();
  }
}

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
