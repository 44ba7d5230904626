/**
 * The copy of everything: each series as it came, without tag, labels or booking, below a root of its own. It is made from Orthanc,
 * so that neither project storage nor quarantine stands in its way.
 */
import type { Erasures } from '@scanflow/runtime';
import { type Failure, FailureError } from '@scanflow/failure';
import type { InstanceListing, SystemInfo } from '@scanflow/orthanc';
import { aboutSeries, COPY, type Attributes } from '../model/series.ts';
import { type Layout, folderNames } from '../store/place/layout.ts';
import { LEG_LEASE, type WorkKind, putOff, type Unfinished, nextLegTo } from '../work/worker.ts';
import type { Store } from '../store/types.ts';
import type { LegWork, CopyDone } from '../ledger/rows.ts';
import { failureOf } from '../model/failure.ts';
import { reached } from '../work/trace.ts';
import { imagesIn } from '../store/record.ts';
import { byWhatIsThere, listInstances, tellingImages } from '../store/versions.ts';
import { lostOf, FILE_MISSING, missingIn, isStillWhole } from '../store/look.ts';
import { ERASED, erasedReason } from '../model/erased.ts';
import { decide } from '../store/place/place.ts';
import { readSeries } from '../store/image.ts';
import { originOf, writeRecord } from '../store/write-record.ts';
import { GONE, pullMissing, sourceFailure, type PullDeps } from '../store/pull-missing.ts';
import type { Clock } from '../model/settings.ts';
import { ending, verifyStored } from '../ledger/aftermath.ts';
import { rechecked, requireClaim, endLeg, sql, refresh } from '../ledger/leg.ts';
import { renew } from '../ledger/claims.ts';
import type { Claim, Millis, Tx } from '../ledger/tx.ts';
import type { Bookings } from '../store/place/bookings.ts';
import type { LoopDeps } from '../work/deps.ts';

/** Copies the next series that is due, or waits for one. `deps.store` is project storage, `copies` the copy's. */
export async function copyNext(
  deps: LoopDeps,
  copies: Store,
  layout: Layout,
  signal: AbortSignal,
): Promise<void> {
  const { log, metrics, condition } = deps;
  const own = { ...deps, store: copies, system: () => condition.system };
  const kind: WorkKind<LegWork, Copied> = {
    name: 'copy',
    lease: LEG_LEASE,
    about: aboutSeries,
    says: { later: 'copying is tried again', interrupted: 'copying interrupted' },
    step: (work, held) => copyStep(work, layout, own, held),
    ended: ({ images, fresh, failure }, about) => {
      if (failure === undefined) {
        log.info('series copied', { ...about, images, fresh });
        return;
      }
      metrics.failed('copy', failure.code);
      log.error('copying failed in part', { ...about, images, fresh, ...failure });
    },
  };
  await nextLegTo(COPY, kind, deps, deps.wakes.legs, signal);
}

/** `store`: the store of the copy. */
interface CopyDeps extends PullDeps {
  readonly clock: Clock;
  readonly erasures?: Erasures;
  readonly bookings?: Bookings;
  readonly system?: () => SystemInfo | undefined;
}

async function requireNotErased(
  attributes: Attributes,
  listed: readonly InstanceListing[],
  { erasures, bookings, settings }: CopyDeps,
): Promise<void> {
  if (erasures === undefined || bookings === undefined) return;
  await erasures.refresh();
  const decided = await decide(attributes, bookings, settings, undefined);
  const labels = decided.kind === 'labels' ? decided.labels : undefined;
  const instances = listed.flatMap(({ tags }) => tags['SOPInstanceUID'] ?? []);
  if (erasedReason(erasures, { attributes, labels, instances }) !== undefined) throw new FailureError(ERASED);
}

interface Copied {
  readonly kind: 'copied';
  readonly images: number;
  readonly fresh: number;
  readonly failure: Failure | undefined;
}

/** It need not hurry: project storage reads from Orthanc at the same time. */
const AT_ONCE = 2;

/** Carries one series' copy as far as it gets, and writes the outcome into the ledger. */
export async function copyStep(
  work: LegWork,
  layout: Layout,
  deps: CopyDeps,
  signal: AbortSignal,
): Promise<Copied | Unfinished> {
  try {
    return await copySeries(work, layout, deps, signal);
  } catch (error) {
    const failure = sourceFailure(failureOf(error));
    // the series has grown meanwhile, or another streamer has it: the leg was opened anew
    if (signal.aborted || failure.code === 'LEDGER_LEASE_LOST') return { kind: 'interrupted' };
    const outcome = await putOff(work, failure, work.attempts + 1, deps);
    return outcome.kind === 'failed' ? { kind: 'copied', images: 0, fresh: 0, failure } : outcome;
  }
}

async function copySeries(
  work: LegWork,
  layout: Layout,
  deps: CopyDeps,
  signal: AbortSignal,
): Promise<Copied> {
  const { orthanc, store, ledger, settings, clock } = deps;
  const { done = 0 } = work;
  const before = { ...work, increment: 0, stored: done };
  if (work.recheck === true && (await isStillWhole(before, work.copyPath, deps))) {
    await ledger.write(rechecked, work, clock.now());
    return { kind: 'copied', images: done, fresh: 0, failure: undefined };
  }
  const listed = await listInstances(work.series, orthanc, signal);
  const [first] = listed;
  if (first === undefined) throw new FailureError(work.recheck === true ? FILE_MISSING : GONE);
  const attributes = await byWhatIsThere(work.series, [first, ...listed.slice(1)], orthanc, signal, (there) =>
    attributesOf(work.series, there, deps, signal),
  );
  await requireNotErased(attributes, listed, deps);
  const folder = await claimCopy(work.series, attributes, layout, store);
  const pulling = {
    ...deps,
    settings: { ...settings, tar: false, limits: { ...settings.limits, count: AT_ONCE } },
  };
  const found = await pullMissing(
    { ...work, increment: 0 },
    { folder, layout, values: {} },
    listed,
    pulling,
    signal,
  );
  const pulled = { ...found, lost: lostOf(done, found, found.failures.length) };
  const origin = await originOf(pulled.images, work.series, orthanc, signal);
  const stillOurs = (): Promise<void> => ledger.write(renew, work, clock.now());
  const context = { store, tar: false, origin, system: deps.system?.(), stillOurs };
  const { record } = await writeRecord(folder, imagesIn(listed), pulled, context);
  const failure = pulled.failures[0]?.failure ?? missingIn(record);
  const images = record.counts.stored;
  await ledger.write(
    copied,
    work,
    { done: images, total: imagesIn(listed), failure, path: folder.below },
    clock.now(),
  );
  reached('series-copied');
  return { kind: 'copied', images, fresh: pulled.images.length, failure };
}

/** The attributes of the first image, so that a correction does not change the folder. If no other image can be read, those of a
 * correction. */
async function attributesOf(
  series: string,
  listed: readonly [InstanceListing, ...InstanceListing[]],
  deps: CopyDeps,
  signal: AbortSignal,
): Promise<Attributes> {
  const [first] = listed;
  const latest = tellingImages(listed).first;
  return readSeries(series, first, deps, signal).catch((error: unknown) => {
    if (latest === first || failureOf(error).code !== 'ORTHANC_ERROR') throw error;
    return readSeries(series, latest, deps, signal);
  });
}

/**
 * The series' own attributes give its folder, so the copy is found again: the ledger keeps only the folder in project storage.
 */
function claimCopy(
  series: string,
  attributes: Attributes,
  layout: Layout,
  store: Store,
): ReturnType<Store['claim']> {
  const names = folderNames(layout, (keyword) => attributes[keyword]);
  return store.claim(names, {
    version: 1,
    orthancSeries: series,
    seriesInstanceUid: attributes['SeriesInstanceUID'] ?? '',
    state: 'storing',
    attributes,
    routedBy: 'copy',
    counts: { inOrthanc: 0, stored: 0, untagged: 0, failed: 0 },
    failures: [],
    instances: [],
  });
}

/** Ends the claim: the copy has the whole series, except for images that `failure` names. */
export const copied = (tx: Tx, claim: Claim, done: CopyDone, now: Millis): Promise<void> =>
  ending(tx, claim, now, async () => {
    await writeCopied(tx, claim, done, now);
    if (done.done > 0) await verifyStored(tx, claim.series, COPY, now);
  });

async function writeCopied(
  tx: Tx,
  claim: Claim,
  { done, total, failure, path }: CopyDone,
  now: Millis,
): Promise<void> {
  await requireClaim(tx, claim);
  const { series, target } = claim;
  const through = sql('(SELECT s.increment FROM series s WHERE s.id = leg.series)');
  await endLeg(tx, claim, failure, now, { done, total, through });
  if (path !== undefined) await tx.run('UPDATE series SET copy_path = ? WHERE id = ?', [path, series]);
  await tx.run('DELETE FROM progress WHERE series = ? AND target = ?', [series, target]);
  await refresh(tx, series, now);
}
