/**
 * Moves a stored series to the labels that a person gave: stored anew and verified, written down, then the old folder is
 * left. Whoever is ended in between goes on: the old place counts until the ledger has the new one.
 */
import { defined } from '@scanflow/failure/defined';
import { FailureError, permanent } from '@scanflow/failure';
import { aboutSeries } from '../model/series.ts';
import { remember } from '../store/decisions.ts';
import { ERASED_LABELS } from '../model/erased.ts';
import type { MoveOrder, Moved } from '../model/decision.ts';
import { failureOf } from '../model/failure.ts';
import { targetsOf } from '../store/record.ts';
import { reportName } from '../sessions/plan.ts';
import type { Folder, SeriesRecord, StoredInstance } from '../store/types.ts';
import type { StoreWork } from '../ledger/rows.ts';
import { listInstances } from '../store/versions.ts';
import { placeFor } from '../store/place/place.ts';
import { reached } from '../work/trace.ts';
import { carryAll, type Carry } from './carry.ts';
import { moveDone, moveFailed, storedAnew } from './sql.ts';
import { renew } from '../ledger/claims.ts';
import { matching } from '../ledger/views.ts';
import type { LoopDeps } from '../work/deps.ts';
import { LEG_LEASE, type WorkKind, putOff, type Unfinished } from '../work/worker.ts';

interface MoveDone {
  readonly kind: 'moved';
  readonly images: number;
  readonly left: readonly string[];
}

export type MovingWork = StoreWork & { readonly moving: MoveOrder };

/** Carries out the move as far as possible, and writes the outcome into the ledger. */
async function moveStep(
  work: MovingWork,
  deps: LoopDeps,
  signal: AbortSignal,
): Promise<MoveDone | Unfinished> {
  const { ledger, clock } = deps;
  try {
    const images = work.moving.stored === undefined ? await storeAnew(work, deps, signal) : 0;
    const left = await leave(work, deps);
    await ledger.write(moveDone, work, left, clock.now());
    reached('series-left');
    return { kind: 'moved', images, left };
  } catch (error) {
    const failure = failureOf(error);
    if (signal.aborted || failure.code === 'LEDGER_LEASE_LOST') return { kind: 'interrupted' };
    return putOff(work, failure, work.attempts + 1, deps, moveFailed);
  }
}

/** Number of images at the new place that the ledger has, too. */
async function storeAnew(work: MovingWork, deps: LoopDeps, signal: AbortSignal): Promise<number> {
  const { store, ledger, clock, settings } = deps;
  const { decision, was, send } = work.moving;
  const from = await store.reopen(was.path, work.series);
  if (from === undefined) throw new FailureError(GONE);
  await requireNotErased(deps, decision);
  const { names, root, layout } = placeFor(from.record.attributes, decision.labels, settings);
  const to = await store.claim(names, emptied(from.record, work), root);
  reached('folder-claimed', { series: work.series });
  const here = to.path === from.path;
  if (!here) await store.requireSpace(to, bytesOf(from.record) * (from.record.archive === undefined ? 1 : 2));
  const listed = await listInstances(work.series, deps.orthanc, signal).catch((error: unknown) => {
    // stored images do not need Orthanc; missing ones show when they are copied
    if (signal.aborted) throw error;
    return [];
  });
  const context = {
    ...deps,
    from,
    to,
    layout,
    values: { ...decision.labels },
    listed,
    limits: settings.limits,
  };
  const instances = here ? from.record.instances : await carryOrClear(work, context, deps, signal);
  const moved = movedOf(work, from, to);
  const record = await writeAll(work, from, to, movedRecord(from.record, instances, moved, work), deps);
  await remember(work.series, decision, deps, signal);
  const targets = send ? targetsOf(settings, record) : [];
  const renamed = instances.some(({ file }, index) => file !== from.record.instances[index]?.file);
  const images = record.counts.stored;
  await ledger.write(storedAnew, work, { path: to.below, images, renamed, moved, targets }, clock.now());
  reached('series-moved', { series: work.series });
  return images;
}

/** The subject may have been erased since the order. */
async function requireNotErased(
  { erasures }: LoopDeps,
  { labels }: Pick<MoveOrder['decision'], 'labels'>,
): Promise<void> {
  await erasures.refresh();
  if (erasures.hasLabels(labels)) throw new FailureError(ERASED_LABELS);
}

/** If the move fails, nothing of it stays at the new place. */
async function carryOrClear(
  work: MovingWork,
  context: Carry,
  { store, ledger, clock }: LoopDeps,
  signal: AbortSignal,
): Promise<readonly StoredInstance[]> {
  const carried = new Map<StoredInstance, StoredInstance>();
  try {
    return await carryAll(context, carried, signal);
  } catch (error) {
    const { to } = context;
    if (failureOf(error).kind === 'permanent' && to.record.state === 'storing') {
      const stillOurs = (): Promise<void> => ledger.write(renew, work, clock.now());
      await store.writeRecord(to, { ...to.record, instances: [...carried.values()] }, stillOurs);
      await store.leave(to.below, work.series, stillOurs);
    }
    throw error;
  }
}

/** Writes sums, archive and record at the new place. Everything that a `stored` record names is there. */
async function writeAll(
  work: MovingWork,
  from: Folder,
  to: Folder,
  record: SeriesRecord,
  { store, ledger, clock }: LoopDeps,
): Promise<SeriesRecord> {
  const stillOurs = (): Promise<void> => ledger.write(renew, work, clock.now());
  await store.flush(to);
  const packed =
    from.record.archive === undefined
      ? record
      : {
          ...record,
          archive: await store.archive(to, { ...record, ...archiveOf(to.record) }, stillOurs),
        };
  await store.writeManifest(to, packed, stillOurs);
  await store.writeRecord(to, packed, stillOurs);
  reached('moved-record-written', { series: work.series });
  return packed;
}

/** Overwrites the file of an earlier try. */
const archiveOf = ({ archive }: SeriesRecord): Pick<SeriesRecord, 'archive'> => defined({ archive });

/** Removes the old folder, or leaves a note of the new place there; the same for the session's report above it. */
async function leave(work: MovingWork, deps: LoopDeps): Promise<readonly string[]> {
  const { store, ledger, clock } = deps;
  const { was, keep, decision } = work.moving;
  const [view] = await ledger.read(matching, work.series);
  const reports = view?.moving?.stored?.reports;
  if (reports !== undefined && view?.session !== undefined) {
    const name = reportName(view.session, view.attributes['AccessionNumber'] ?? '');
    for (const file of [`${name}.json`, `${name}.csv`]) await store.removeReport(reports, file);
  }
  if (view?.path === was.path) return [];
  const stillOurs = (): Promise<void> => ledger.write(renew, work, clock.now());
  if (!keep) return store.leave(was.path, work.series, stillOurs);
  const old = await store.reopen(was.path, work.series);
  const to = view?.path;
  if (old !== undefined && to !== undefined)
    await store.writeRecord(old, { ...old.record, movedTo: to, updated: decision.at }, stillOurs);
  return [];
}

const GONE = permanent(
  'MOVE_FOLDER_GONE',
  'The series was not moved: its folder, or its series.json, is no longer in project storage. Put it back; or retry the series, which stores it anew while Orthanc has it, then move it.',
);

/** Holds the folder at the new place, until all of it is there. */
const emptied = (from: SeriesRecord, work: MovingWork): SeriesRecord => ({
  ...stripped(from),
  state: 'storing',
  labels: work.moving.decision.labels,
  routedBy: 'person',
  decision: work.moving.decision,
  instances: [],
});

/** Without what was true of the old place alone. */
const stripped = ({
  booking: _booking,
  doubts: _doubts,
  archive: _archive,
  movedTo: _movedTo,
  ...record
}: SeriesRecord): SeriesRecord => record;

const movedRecord = (
  from: SeriesRecord,
  instances: readonly StoredInstance[],
  moved: Moved,
  work: MovingWork,
): SeriesRecord => ({
  ...emptied(from, work),
  state: 'stored',
  moved: [...(from.moved ?? []), moved],
  instances,
  updated: work.moving.decision.at,
});

function movedOf({ moving }: MovingWork, { record, below }: Folder, to: Folder): Moved {
  const { decision, keep } = moving;
  const { labels, routedBy, booking } = record;
  return {
    at: decision.at,
    by: decision.by,
    reason: decision.reason ?? '',
    from: {
      path: below,
      ...defined({ labels, routedBy }),
      ...defined({ accessionNumber: booking?.accessionNumber }),
    },
    to: { path: to.below, labels: decision.labels },
    ...(keep ? { kept: true } : {}),
  };
}

const bytesOf = ({ instances }: SeriesRecord): number => instances.reduce((sum, { bytes }) => sum + bytes, 0);

export function movingKind(deps: LoopDeps): WorkKind<MovingWork, MoveDone> {
  const { log, wakes } = deps;
  return {
    name: 'move',
    lease: LEG_LEASE,
    about: aboutSeries,
    says: { later: 'moving is tried again', failed: 'moving failed', interrupted: 'moving interrupted' },
    step: (work, held) => moveStep(work, deps, held),
    after: () => wakes.after.notify(),
    ended: ({ images, left }, about) => {
      log.info('series moved', { ...about, images, left: left.length });
      wakes.legs.notify();
    },
  };
}
