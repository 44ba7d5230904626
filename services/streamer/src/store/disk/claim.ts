/** Whose folder it is: the first series to put its `series.json` there. */
import { createHash } from 'node:crypto';
import { fsyncFolder } from '@scanflow/runtime';
import { FailureError, codeOf, permanent } from '@scanflow/failure';
import { RECORD_NAME } from './names.ts';
import type { SeriesRecord } from '../../ports.ts';
import { createImage, type Collisions } from './image-file.ts';
import { readRecord, recordText } from './record.ts';
import type { Access } from './access.ts';
import { folderAt } from './folders.ts';
import { folderWithin } from './within.ts';

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
    await aside.write(Buffer.from(recordText(fresh)));
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
