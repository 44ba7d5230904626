/** `series.json` and `manifest-sha256.txt`, as text. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '@scanflow/failure';
import { RECORD_NAME } from './names.ts';
import type { SeriesRecord } from '../../ports.ts';

/** Undefined where there is none, or one that is not ours. */
export async function readRecord(path: string): Promise<SeriesRecord | undefined> {
  try {
    const value = JSON.parse(await readFile(join(path, RECORD_NAME), 'utf8')) as Partial<SeriesRecord> | null;
    const ours =
      value?.version === 1 && typeof value.orthancSeries === 'string' && Array.isArray(value.instances);
    return ours ? (value as SeriesRecord) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR')
      return undefined;
    throw error;
  }
}

export const recordText = (record: SeriesRecord): string => `${JSON.stringify(record, null, 1)}\n`;

/** As `sha256sum` writes and `sha256sum -c` reads it: names are harmless, so nothing needs escaping. */
export function manifestText(record: SeriesRecord): string {
  const { archive } = record;
  return `${imageSums(record)}${archive === undefined ? '' : line(archive)}`;
}

/** The lines of the images alone. */
export function imageSums({ instances }: SeriesRecord): string {
  const lines = new Map(instances.map((image) => [image.file, line(image)]));
  return [...lines]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, text]) => text)
    .join('');
}

const line = ({ sha256, file }: { readonly sha256: string; readonly file: string }): string =>
  `${sha256}  ${file}\n`;
