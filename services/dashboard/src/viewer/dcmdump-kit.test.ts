/** `node --conditions=browser dcmdump-kit.test.ts FILES`: what the header viewer shows of each file, read as browsers read. */
import { readFile } from 'node:fs/promises';
import { formatTag } from '@scanflow/dicom/reading';
import { CannotOpen, open } from './open.ts';
import { rowsOf, wholeValue, type Row } from './rows.ts';
import { fileSource } from './sources.ts';

/** One line: how deep it stands, tag, VR, value (of a sequence, the number of its items). */
export type Line = readonly [depth: number, tag: string, vr: string, value: string];

export interface Shown {
  readonly lines: readonly Line[];
  readonly problems: readonly string[];
}

const linesOf = (rows: readonly Row[], depth: number): Line[] =>
  rows.flatMap((row): Line[] => [
    [depth, formatTag(row.tag), row.vr, row.items === undefined ? wholeValue(row) : String(row.items.length)],
    ...(row.items ?? []).flatMap((item) => linesOf(item.rows, depth + 1)),
  ]);

async function shown(path: string): Promise<Shown> {
  try {
    const opened = await open(fileSource(path, new Blob([new Uint8Array(await readFile(path))])));
    const { header, dataSet, problems } = opened;
    return {
      lines: linesOf([...rowsOf(header.meta), ...rowsOf(dataSet)], 0),
      problems: problems.map(({ message }) => message),
    };
  } catch (error) {
    if (!(error instanceof CannotOpen)) throw error;
    return { lines: [], problems: [error.message] };
  }
}

if (import.meta.main && process.argv.length > 2) {
  const all = await Promise.all(process.argv.slice(2).map(async (path) => [path, await shown(path)]));
  process.stdout.write(JSON.stringify(all));
}
