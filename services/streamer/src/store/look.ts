/** Which files of a series are there, compared with its record and the ledger. Orthanc is not asked. */
import { type Failure, permanent } from '@scanflow/failure';
import { stillGone, keyOf, keysOf } from './record.ts';
import type { Folder, Store, StoredInstance, SeriesRecord } from './types.ts';
import { MANIFEST_NAME } from './disk/names.ts';
import type { Ledger } from '../ledger/tx.ts';
import type { StoreWork, LegWork } from '../ledger/rows.ts';
import { progressOf, recheck } from '../ledger/leg.ts';
import { STORAGE } from '../model/series.ts';
import type { Clock } from '../model/settings.ts';

export interface Found {
  /** Images of the record whose files are there. */
  readonly kept: readonly StoredInstance[];
  /** Images that the record does not name yet, and whose files are there. */
  readonly images: readonly StoredInstance[];
  /** Images that were stored, and whose files are not there. */
  readonly gone: readonly StoredInstance[];
}

/** How many images were stored before, by the ledger's count, of which neither file nor entry is left. */
export const lostOf = (stored: number, { kept, images, gone }: Found, failed = 0): number =>
  Math.max(0, stored - kept.length - images.length - gone.length - failed);

/**
 * @param images what was pulled, now or by an attempt that was interrupted
 * @param recorded entries of the record; all of them, and those that it calls missing, where left out
 */
export async function lookAt(
  { below, record }: Folder,
  images: readonly StoredInstance[],
  store: Pick<Store, 'absent'>,
  recorded: readonly StoredInstance[] = [...record.instances, ...(record.missing ?? [])],
): Promise<Found> {
  const absent = await store.absent(below, [...recorded, ...images]);
  const isThere = (image: StoredInstance): boolean => !absent.has(image);
  const kept = recorded.filter(isThere);
  const found = images.filter(isThere);
  const gone = [...recorded, ...images].filter((image) => !isThere(image));
  return { kept, images: found, gone: stillGone(gone, [...kept, ...found]) };
}

/** Whether what lies beside the images is there, too. */
export async function isWhole(
  { below, record: { archive } }: Folder,
  store: Pick<Store, 'absent'>,
): Promise<boolean> {
  const files = [{ file: MANIFEST_NAME }, ...(archive === undefined ? [] : [archive])];
  return (await store.absent(below, files)).size === 0;
}

/** What the record says of images that are missing: it shows until they are there again. */
export const missingIn = ({ missing = [], counts }: SeriesRecord): Failure | undefined =>
  missing.length > 0 || (counts.lost ?? 0) > 0 ? FILE_MISSING : undefined;

/** Nobody can pull them again. */
export const FILE_MISSING = permanent(
  'STORE_FILE_MISSING',
  'Images of this series that were stored are missing from project storage, and Orthanc has them no longer. Put the files back and retry the series, or send the images again from the scanner.',
);

/** Images that an earlier, interrupted attempt stored and that no `series.json` names yet. */
export async function recordedImages(
  work: Pick<StoreWork, 'series' | 'target'>,
  folder: Folder,
  ledger: Ledger,
): Promise<StoredInstance[]> {
  const rows = await ledger.read(progressOf, work.series, work.target);
  const images = rows
    .filter(({ outcome }) => outcome === 'done')
    .map(({ detail }) => JSON.parse(detail) as StoredInstance);
  const known = new Set(folder.record.instances.flatMap(keysOf));
  const left = images.filter((image) => !known.has(keyOf(image)));
  return left.toSorted((one, other) => (other.version ?? 0) - (one.version ?? 0));
}

type Work = Pick<StoreWork, 'series' | 'target' | 'increment' | 'stored'>;

interface LookDeps {
  readonly store: Pick<Store, 'reopen' | 'absent'>;
  readonly ledger: Ledger;
}

/** Whether the record is the one that the ledger knows, and every file that it names is there. */
export async function isStillWhole(
  work: Work,
  below: string | undefined,
  { store, ledger }: LookDeps,
): Promise<boolean> {
  const folder = below === undefined ? undefined : await store.reopen(below, work.series);
  if (folder === undefined || isOlder(folder.record, work) || missingIn(folder.record) !== undefined)
    return false;
  const { images, gone } = await lookAt(folder, await recordedImages(work, folder, ledger), store);
  return images.length + gone.length === 0 && (await isWhole(folder, store));
}

/** Whether the ledger knows of more than this record, which then came out of a backup, or was never finished. */
export const isOlder = (
  { state, instances, missing = [] }: SeriesRecord,
  { increment = 0, stored = 0 }: { readonly increment?: number; readonly stored?: number },
): boolean => {
  const known = [...instances, ...missing];
  return (
    state !== 'stored' ||
    known.length < stored ||
    Math.max(0, ...known.map((image) => image.increment)) < increment
  );
};

/** The record of the series of a leg; undefined where it is gone, or older than the ledger. */
export async function recordFor(
  { series, path, increment = 0 }: Pick<LegWork, 'series' | 'path' | 'increment'>,
  store: Pick<Store, 'record'>,
): Promise<SeriesRecord | undefined> {
  const record = await store.record(path);
  return record?.orthancSeries === series && !isOlder(record, { increment }) ? record : undefined;
}

interface AskDeps {
  readonly store: Pick<Store, 'absent'>;
  readonly ledger: Ledger;
  readonly clock: Pick<Clock, 'now'>;
}

/** The files of the series are looked at and pulled again. False where its storage leg has failed: a person has to act. */
export const askForFiles = async (
  { series }: Pick<LegWork, 'series'>,
  { ledger, clock }: Omit<AskDeps, 'store'>,
): Promise<boolean> => (await ledger.write(recheck, series, [STORAGE], clock.now())).length > 0;

/** At the end of a leg that reads stored files: where one is missing by now, the series does not become complete. */
export async function lookBehind(
  work: Pick<LegWork, 'series' | 'path'>,
  { instances }: Pick<SeriesRecord, 'instances'>,
  deps: AskDeps,
): Promise<void> {
  if ((await deps.store.absent(work.path, instances)).size > 0) await askForFiles(work, deps);
}
