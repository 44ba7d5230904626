/**
 * Puts back what is missing or changed: from the other place where that has the same bytes, else from Orthanc, as
 * `scanflow series retry` does. A changed file is kept beside, and only once the right bytes are at hand.
 */
import { createHash } from 'node:crypto';
import { type Log, sleep } from '@scanflow/runtime';
import type { Orthanc } from '@scanflow/orthanc';
import { failureOf, unlessGone } from '../model/failure.ts';
import { underLease } from '../work/worker.ts';
import type { Ledger, Claim } from '../ledger/tx.ts';
import type { Folder, SeriesRecord, Store, StoredFile } from '../store/types.ts';
import type { SeriesView } from '../ledger/rows.ts';
import type { Clock } from '../model/settings.ts';
import { stillThere, type Looked } from './look.ts';
import { filesOf, isPlainName } from './plan.ts';
import type { Finding, Outcome, FileTarget } from './types.ts';
import { recheck } from '../ledger/leg.ts';
import { claimLegOf } from './sql.ts';
import { renew } from '../ledger/claims.ts';

interface RepairDeps {
  readonly ledger: Ledger;
  readonly orthanc: Pick<Orthanc, 'instances'>;
  /** The place to repair. */
  readonly store: Store;
  /** The other place: the copy of what is in project storage, or the reverse. */
  readonly other: Store | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** Wakes the storage's worker. */
  readonly wake: () => void;
  /** Reads all files again. */
  readonly look: (view: SeriesView) => Promise<Looked>;
}

export interface Repaired {
  readonly looked: Looked;
  readonly report: NonNullable<Outcome['repair']>;
}

/** Longest wait for the images that are pulled again. */
const PULL_MS = 30 * 60_000;
const POLL_MS = 500;

export async function repair(
  view: SeriesView,
  place: FileTarget,
  before: Looked,
  deps: RepairDeps,
  signal: AbortSignal,
): Promise<Repaired> {
  const { log } = deps;
  let looked = before;
  const steps = [restoreFromOther, pullAgain, archiveAgain];
  for (const step of steps) {
    const now = await stillThere(view, deps.ledger);
    if (now === undefined || looked.look.failure === undefined) break;
    if (await step(now, place, looked, deps, signal)) looked = await deps.look(now);
  }
  const left = looked.look.failure === undefined ? 0 : Math.max(looked.wrong.length, 1);
  const restored = Math.max(0, Math.max(before.wrong.length, 1) - left);
  log.info('files were put back', { series: view.id, place, restored, left });
  return { looked, report: { restored, left, ...(left === 0 ? {} : { message: LEFT }) } };
}

const LEFT =
  'What is left is in neither Orthanc nor the other place. Restore it from a backup of project storage, or send the series again from the scanner; or scanflow verify acknowledge ID --reason TEXT.';

/** Returns whether anything may have changed. */
type Step = (
  view: SeriesView,
  place: FileTarget,
  looked: Looked,
  deps: RepairDeps,
  signal: AbortSignal,
) => Promise<boolean>;

const restoreFromOther: Step = async (view, place, { record, folder, wrong }, deps, signal) => {
  const otherFolder = place === 'storage' ? view.copyPath : view.path;
  const { other } = deps;
  if (record === undefined || folder === undefined || other === undefined || otherFolder === undefined)
    return false;
  const source = await other.record(otherFolder);
  if (source?.orthancSeries !== view.id) return false;
  const bySum = new Map(
    filesOf(source)
      .filter(({ file }) => isPlainName(file))
      .map((one) => [one.sha256, one.file]),
  );
  let restored = false;
  await underClaim(view, place, folder, deps, signal, async (claimed) => {
    for (const { expected, kind } of repairable(record, wrong)) {
      const file = bySum.get(expected.sha256);
      if (file === undefined) continue;
      signal.throwIfAborted();
      restored =
        (await putBack(claimed, expected, kind, () => other.read(otherFolder, file), deps.store)) || restored;
    }
  });
  return restored;
};

/** Leaves files alone that the system does not let us read: they may be right. */
const repairable = (
  record: SeriesRecord,
  wrong: readonly Finding[],
): { readonly expected: StoredFile; readonly kind: Finding['kind'] }[] => {
  const kinds = new Map(wrong.map(({ file, kind }) => [file, kind]));
  return filesOf(record).flatMap((expected) => {
    const kind = kinds.get(expected.file);
    return kind === undefined || kind === 'unreadable' || !isPlainName(expected.file)
      ? []
      : [{ expected, kind }];
  });
};

/** False if the source has other bytes, too. */
async function putBack(
  folder: Folder,
  { file, sha256, bytes }: StoredFile,
  kind: Finding['kind'],
  source: () => Promise<AsyncIterable<Uint8Array>>,
  store: Store,
): Promise<boolean> {
  const image = await store.create(folder, bytes);
  try {
    const hash = createHash('sha256');
    for await (const piece of await source()) {
      hash.update(piece);
      await image.write(piece);
    }
    if (hash.digest('hex') !== sha256) return false;
    if (kind === 'changed') await store.setAside(folder, file);
    await image.publish(file);
    await store.flush(folder);
    return true;
  } catch (error) {
    // a missing or unreadable source does not count
    if (NO_SOURCE.has(failureOf(error).code)) return false;
    throw error;
  } finally {
    await image.discard();
  }
}

const NO_SOURCE: ReadonlySet<string> = new Set(['STORE_FOLDER_GONE', 'STORE_DENIED', 'STORE_IO']);

const pullAgain: Step = async (view, place, { record, folder, wrong }, deps, signal) => {
  const images = (await unlessGone(deps.orthanc.instances(view.id, signal))) ?? [];
  if (images.length === 0) return false;
  const listed = new Set(images.map(({ id }) => id));
  if (record !== undefined && folder !== undefined) {
    const ids = Map.groupBy(record.instances, ({ file }) => file);
    const again = repairable(record, wrong).filter(({ expected }) =>
      (ids.get(expected.file) ?? []).some(({ orthancId }) => listed.has(orthancId)),
    );
    if (again.length === 0 && wrong.length > 0) return false;
    await underClaim(view, place, folder, deps, signal, async (claimed) => {
      for (const { expected, kind } of again)
        if (kind === 'changed') await deps.store.setAside(claimed, expected.file);
      await deps.store.flush(claimed);
    });
  }
  const opened = await deps.ledger.write(recheck, view.id, [place], deps.clock.now());
  if (opened.length === 0) return false;
  deps.wake();
  await untilStored(view, place, deps, signal);
  return true;
};

/** Waits until the storing ends, or the time limit passes. */
async function untilStored(
  view: SeriesView,
  place: FileTarget,
  { ledger }: RepairDeps,
  signal: AbortSignal,
): Promise<void> {
  const began = performance.now();
  while (!signal.aborted && performance.now() - began < PULL_MS) {
    const leg = (await stillThere(view, ledger))?.legs.find(({ target }) => target === place);
    // a leg that waits for its next try has failed for now; the next reading says what is missing
    if (leg?.state !== 'pending' || leg.failure !== undefined) return;
    await sleep(POLL_MS, signal);
  }
  signal.throwIfAborted();
}

/** Makes `series.tar` from the images once these are whole. */
const archiveAgain: Step = async (view, place, { record, folder, wrong }, deps, signal) => {
  const archive = record?.archive;
  if (record === undefined || folder === undefined || archive === undefined) return false;
  const [only, ...more] = wrong;
  if (only?.file !== archive.file || more.length > 0) return false;
  await underClaim(view, place, folder, deps, signal, async (claimed, stillOurs) => {
    if (only.kind === 'changed') await deps.store.setAside(claimed, archive.file);
    const made = await deps.store.archive(claimed, claimed.record, stillOurs);
    if (made.sha256 === archive.sha256) return;
    await deps.store.writeManifest(claimed, { ...claimed.record, archive: made }, stillOurs);
    await deps.store.writeRecord(claimed, { ...claimed.record, archive: made }, stillOurs);
  });
  return true;
};

/** Nothing while images are being stored there; the next verification sees the result. */
export async function underClaim(
  view: SeriesView,
  place: FileTarget,
  folder: string,
  deps: Pick<RepairDeps, 'clock' | 'log' | 'store'> & {
    readonly ledger: Ledger;
  },
  signal: AbortSignal,
  work: (folder: Folder, stillOurs: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const { ledger, clock, store } = deps;
  const claim: Claim | undefined = await ledger.write(claimLegOf, view.id, place, clock.now());
  if (claim === undefined) return;
  await underLease(claim, deps, signal, async (held) => {
    const open = await store.reopen(folder, view.id);
    if (open === undefined) return;
    held.throwIfAborted();
    await work(open, () => ledger.write(renew, claim, clock.now()));
  });
}
