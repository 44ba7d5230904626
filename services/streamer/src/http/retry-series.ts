/** `scanflow series retry` where no leg failed: either files are missing, or there is nothing to do. */
import { COPY, STORAGE } from '../model/series.ts';
import type { SeriesView, Store } from '../ports.ts';
import { isOlder } from '../store/recheck.ts';

export interface FileStores {
  readonly store: Pick<Store, 'record' | 'absent'>;
  /** The layout of the copy of everything, if there is one. */
  readonly copies?: Pick<Store, 'record' | 'absent'> | undefined;
}

/** The done legs among STORAGE and COPY whose files are not all there. Checks both without a target. */
export async function targetsLackingFiles(
  series: SeriesView,
  target: string | undefined,
  { store, copies }: FileStores,
): Promise<string[]> {
  const isDone = (name: string): boolean =>
    (target ?? name) === name && series.legs.some((leg) => leg.target === name && leg.state === 'done');
  const { increment, stored } = series;
  const places = [
    { name: STORAGE, files: store, path: series.path, known: { increment, stored } },
    { name: COPY, files: copies, path: series.copyPath, known: {} },
  ];
  const lacking: string[] = [];
  for (const { name, files, path, known } of places)
    if (files !== undefined && isDone(name) && (await lacksFiles(series.id, path, known, files)))
      lacking.push(name);
  return lacking;
}

/** A copy from before its folder was recorded is checked by its own step. */
async function lacksFiles(
  id: string,
  path: string | undefined,
  known: Parameters<typeof isOlder>[1],
  files: FileStores['store'],
): Promise<boolean> {
  const record = path === undefined ? undefined : await files.record(path);
  if (path === undefined || record?.orthancSeries !== id || isOlder(record, known)) return true;
  const { instances, archive } = record;
  const expected = [...instances, ...(archive === undefined ? [] : [archive])];
  return (await files.absent(path, expected)).size > 0;
}

/** Why a retry does nothing. */
export function nothingToRetry(series: SeriesView, target: string | undefined): string {
  const what = target === undefined ? 'this series' : `${target} of this series`;
  return `Nothing to retry: ${reasonOf(series, target, what)}.`;
}

function reasonOf({ state, legs, stored }: SeriesView, target: string | undefined, what: string): string {
  if (state === 'quarantined') return 'this series is quarantined; release it';
  if (state === 'collecting') return 'images of this series still arrive; it is stored once they stop';
  const own = legs.filter((leg) => (target ?? leg.target) === leg.target);
  if (own.length === 0) return `this series has no ${target ?? 'leg'}`;
  if (own.some((leg) => leg.state === 'pending')) return `${what} is being worked on now`;
  const files =
    target === undefined || target === STORAGE ? `, and the files of all ${stored} images are there` : '';
  return `nothing of ${what} has failed${files}`;
}
