/** A look at the files of a series that was stored: whether all of them are there, without asking Orthanc. */
import { STORAGE } from '../model/series.ts';
import type { ForwardWork, Ledger, SeriesRecord, Store, StoreWork } from '../ports.ts';
import { lookAt } from './look.ts';
import { recordedImages } from './pull-missing.ts';
import type { Clock } from '../model/settings.ts';
import { isWhole, missingIn } from './write-record.ts';
import { recheck } from './recheck-sql.ts';

type Work = Pick<StoreWork, 'series' | 'target' | 'increment' | 'stored'>;

export interface LookDeps {
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

export interface AskDeps {
  readonly store: Pick<Store, 'absent'>;
  readonly ledger: Ledger;
  readonly clock: Pick<Clock, 'now'>;
}

/** The files of the series are looked at and pulled again. False where its storage leg has failed: a person has to act. */
export const askForFiles = async (
  { series }: Pick<ForwardWork, 'series'>,
  { ledger, clock }: Omit<AskDeps, 'store'>,
): Promise<boolean> => (await ledger.write(recheck, series, [STORAGE], clock.now())).length > 0;

/** At the end of a leg that reads stored files: where one is missing by now, the series does not become complete. */
export async function lookBehind(
  work: Pick<ForwardWork, 'series' | 'path'>,
  { instances }: Pick<SeriesRecord, 'instances'>,
  deps: AskDeps,
): Promise<void> {
  if ((await deps.store.absent(work.path, instances)).size > 0) await askForFiles(work, deps);
}
