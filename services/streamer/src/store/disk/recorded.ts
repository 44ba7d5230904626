/** All series' folders below the roots, found by their `series.json`. */
import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '@scanflow/failure';
import { RECORD_NAME } from './names.ts';
import type { RecordedSeries, RootGuard } from '../../ports.ts';
import { readRecord } from './record.ts';
import { isBelow, rootOf, type Roots } from './roots.ts';
import { absentIn } from './within.ts';

/** No layout makes folders this deep. */
const DEEPEST = 32;

export async function* recordedBelow(
  roots: Roots,
  guard: RootGuard,
  signal: AbortSignal,
): AsyncGenerator<RecordedSeries, void, undefined> {
  const reals: { root: string; real: string }[] = [];
  for (const root of roots.all) {
    await guard.ready(root);
    reals.push({ root, real: await rootOf(root) });
  }
  for (const { root, real } of reals) {
    // the root of some projects may lie within the main one: its series are named by it
    const others = new Set(reals.filter((one) => isBelow(real, one.real)).map((one) => one.real));
    for await (const path of foldersWithRecord(real, others, signal)) {
      const record = await readRecord(path);
      if (record === undefined) continue;
      yield {
        below: await roots.nameOf(root, path),
        record,
        missing: (await absentIn(path, record.instances)).size,
      };
    }
  }
}

async function* foldersWithRecord(
  top: string,
  others: ReadonlySet<string>,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  const open = [{ path: top, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    signal.throwIfAborted();
    const { path, depth } = next;
    const { folders, recorded } = await look(path);
    if (recorded) yield path;
    if (depth < DEEPEST)
      for (const name of folders) {
        const below = join(path, name);
        if (!others.has(below)) open.push({ path: below, depth: depth + 1 });
      }
  }
}

/** A folder that is removed meanwhile, or that nobody may read, holds nothing of ours. */
async function look(path: string): Promise<{ folders: readonly string[]; recorded: boolean }> {
  const folders: string[] = [];
  let recorded = false;
  try {
    for await (const entry of await opendir(path)) {
      if (entry.isDirectory() && !entry.name.startsWith('.')) folders.push(entry.name);
      recorded ||= entry.name === RECORD_NAME && entry.isFile();
    }
  } catch (error) {
    if (!PASSED_OVER.has(codeOf(error) ?? '')) throw error;
  }
  return { folders, recorded };
}

const PASSED_OVER: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM']);
