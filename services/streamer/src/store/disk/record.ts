/** `series.json` and the manifest on disk: as text, found below the roots, and as the claim of a series on its folder. */
import { createReadStream } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { codeOf, FailureError, permanent } from '@scanflow/failure';
import { fsyncFolder, jsonPieces, readJson } from '@scanflow/runtime';
import { RECORD_NAME } from './names.ts';
import type { SeriesRecord, RecordedSeries, RootGuard } from '../types.ts';
import { isBelow, rootOf, type Roots, absentIn, folderAt, folderWithin, nowhere } from './folders.ts';
import { createImage, type Collisions } from './image-file.ts';
import type { Access } from './folders.ts';

/** Undefined if there is no record, or if another program wrote it. */
export async function readRecord(path: string): Promise<SeriesRecord | undefined> {
  try {
    const file = createReadStream(join(path, RECORD_NAME)) as AsyncIterable<Buffer>;
    const value = (await readJson(file)) as Partial<SeriesRecord> | null;
    const ours =
      value?.version === 1 && typeof value.orthancSeries === 'string' && Array.isArray(value.instances);
    return ours ? (value as SeriesRecord) : undefined;
  } catch (error) {
    if (!(error instanceof SyntaxError)) nowhere(error);
    return undefined;
  }
}

/** Writes in pieces: the record of 50,000 images takes 50 MB. */
export const recordText = (record: SeriesRecord): Iterable<string> => jsonPieces(record);

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

/** Names of the folder that a series may have: its own, and the one beside it. */
export function choices(names: readonly string[], series: string): readonly [own: string, beside: string] {
  const last = names.at(-1) ?? '';
  return [last, `${last}_${createHash('sha256').update(series).digest('hex').slice(0, 8)}`];
}

/** Whether a folder of these names is the series' already. */
export async function isClaimed(root: string, names: readonly string[], series: string): Promise<boolean> {
  for (const name of choices(names, series)) {
    const path = await folderWithin(root, [...names.slice(0, -1), name]);
    if (path !== undefined && (await readRecord(path))?.orthancSeries === series) return true;
  }
  return false;
}

/** The folder that claimFolder() would choose now. Throws the same errors if every choice is taken. */
export async function nextNames(
  root: string,
  names: readonly string[],
  series: string,
  collisions: Collisions,
): Promise<string[]> {
  const above = names.slice(0, -1);
  const [own, beside] = choices(names, series);
  for (const name of collisions === 'fail' ? [own] : [own, beside]) {
    const path = await folderWithin(root, [...above, name]);
    const owner = path === undefined ? undefined : await readRecord(path);
    if (owner === undefined || owner.orthancSeries === series) return [...above, name];
  }
  throw new FailureError(collisions === 'fail' ? COLLISION : TAKEN);
}

/** The folder that the series claims, its own name or, where that may be, the one beside it, with the record that holds it. */
export async function claimFolder(
  root: string,
  names: readonly string[],
  fresh: SeriesRecord,
  access: Access,
  collisions: Collisions,
): Promise<{ path: string; record: SeriesRecord }> {
  const [own, beside] = choices(names, fresh.orthancSeries);
  for (const name of collisions === 'fail' ? [own] : [own, beside]) {
    const path = await folderAt(root, [...names.slice(0, -1), name], access);
    const record = await claimRecord(path, fresh, access);
    if (record !== undefined) return { path, record };
  }
  throw new FailureError(collisions === 'fail' ? COLLISION : TAKEN);
}

const TAKEN = permanent(
  'STORE_FOLDER_TAKEN',
  'The folders that this series may use hold an unreadable series.json or belong to other series. Look at them, and move them away.',
);

const COLLISION = permanent(
  'STORE_COLLISION',
  'The folder of this series belongs to another one, and storage.collisions is fail. Look which of the two is right, move the other away and retry the series; or let storage.layout distinguish them.',
);

/**
 * Two series may have one folder by their attributes. The first to put its `series.json` there owns it. The owner
 * is known by its Orthanc id: a digest of patient, study and series, where the Series Instance UID alone may
 * repeat between patients.
 */
async function claimRecord(
  path: string,
  fresh: SeriesRecord,
  access: Access,
): Promise<SeriesRecord | undefined> {
  const owner = await readRecord(path);
  if (owner !== undefined) return owner.orthancSeries === fresh.orthancSeries ? owner : undefined;
  const aside = await createImage(path, access);
  let overtaken: Error | undefined;
  try {
    for (const piece of recordText(fresh)) await aside.write(Buffer.from(piece));
    if (await aside.publishExactly(RECORD_NAME)) {
      await fsyncFolder(path);
      return fresh;
    }
  } catch (error) {
    // the series that was first has cleared the folder of what lay beside its record
    if (!(error instanceof Error) || codeOf(error) !== 'ENOENT') throw error;
    overtaken = error;
  } finally {
    await aside.discard();
  }
  const present = await readRecord(path);
  if (present === undefined && overtaken !== undefined) throw overtaken;
  return present?.orthancSeries === fresh.orthancSeries ? present : undefined;
}
