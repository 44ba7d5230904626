/** The store step: a series whose quiet timer ended goes to project storage, or says why it does not. Its rounds: the next series, and quarantine. */
import { defined } from '@scanflow/failure/defined';
import type { Erasures } from '@scanflow/runtime';
import { type Failure, FailureError } from '@scanflow/failure';
import type { InstanceListing, Origin, SystemInfo } from '@scanflow/orthanc';
import { aboutSeries, named, STORAGE, COPY } from '../model/series.ts';
import { failureOf } from '../model/failure.ts';
import { digestOf, digestOfFiles, imagesIn, attributesOf, differingIn, targetsOf } from './record.ts';
import { looksAtAet, SENT_BY } from '../model/rule.ts';
import type { Sender } from './place/route.ts';
import { partsOf } from '../joining/parts.ts';
import type { SeriesRecord } from './types.ts';
import type { Binding, StoreDone, StoreWork } from '../ledger/rows.ts';
import { reached } from '../work/trace.ts';
import { labelled, noteSender, noteSenderOf, quarantinedSeries } from '../ledger/views.ts';
import { byWhatIsThere, listInstances, tellingImages } from './versions.ts';
import { lookAt, lostOf, FILE_MISSING, missingIn, recordedImages, isStillWhole } from './look.ts';
import { anonymous, erasedReason } from '../model/erased.ts';
import type { MoveOrder } from '../model/decision.ts';
import { correctionOf } from './sent-again.ts';
import { findPlace, type Placement, type PlaceDeps, type Target, decide } from './place/place.ts';
import { GONE, pullMissing, sourceFailure, type Pulled, type PullDeps } from './pull-missing.ts';
import type { Clock, Settings } from '../model/settings.ts';
import { originOf, writeRecord, type RecordContext } from './write-record.ts';
import { progressCount, rechecked } from '../ledger/leg.ts';
import { bindFolder, quarantine, stored, releaseSeries } from './sql.ts';
import { renew, nextStore, nextTime, clampTimers } from '../ledger/claims.ts';
import type { LoopDeps } from '../work/deps.ts';
import { LEG_LEASE, nextOf, workOn, type WorkKind, putOff, type Unfinished } from '../work/worker.ts';
import { LONGEST_WAIT, Wake } from '../work/wake.ts';
import type { Bookings } from './place/bookings.ts';

export interface StoreDeps extends PullDeps {
  readonly bookings: Bookings;
  readonly clock: Clock;
  readonly erasures?: Erasures;
  /** What Orthanc is, as far as it is known. */
  readonly system?: () => SystemInfo | undefined;
}

type Stored =
  | {
      readonly kind: 'stored';
      readonly stored: number;
      readonly fresh: number;
      readonly bytes: number;
      readonly failure: Failure | undefined;
    }
  | { readonly kind: 'quarantined'; readonly code: string };

/** Carries one series as far as it gets, and writes the outcome into the ledger. */
export async function storeStep(
  work: StoreWork,
  deps: StoreDeps,
  signal: AbortSignal,
): Promise<Stored | Unfinished> {
  const { ledger } = deps;
  const before = await ledger.read(progressCount, work.series, STORAGE);
  try {
    return await storeSeries(work, deps, signal);
  } catch (error) {
    const failure = sourceFailure(failureOf(error));
    // laid down, or it is another streamer's by now
    if (signal.aborted || failure.code === 'LEDGER_LEASE_LOST') return { kind: 'interrupted' };
    const gained = (await ledger.read(progressCount, work.series, STORAGE)) > before;
    return putOff(work, failure, gained ? 1 : work.attempts + 1, deps);
  }
}

async function storeSeries(work: StoreWork, deps: StoreDeps, signal: AbortSignal): Promise<Stored> {
  const { orthanc, ledger, clock, settings } = deps;
  if (work.recheck === true && (await isStillWhole(work, work.path, deps))) {
    await ledger.write(rechecked, work, clock.now());
    return { kind: 'stored', stored: work.stored ?? 0, fresh: 0, bytes: 0, failure: undefined };
  }
  const all = await listInstances(work.series, orthanc, signal);
  const { listed, members, digests: parts } = await partsOf(work.series, all, ledger, clock.now());
  const first = listed[0];
  if (first === undefined) return salvage(work, deps);
  const place = await byWhatIsThere(work.series, [first, ...listed.slice(1)], deps.orthanc, signal, (there) =>
    placeOf(work, there, deps, signal),
  );
  const { attributes } = place;
  const inOrthanc = imagesIn(listed);
  const digest = digestOfFiles(listed);
  if (place.kind === 'quarantine') {
    const { reason } = place;
    await ledger.write(quarantine, work, { attributes, inOrthanc, digest, parts, reason }, clock.now());
    return { kind: 'quarantined', code: reason.code };
  }
  const binding = bindingOf(place, inOrthanc);
  await ledger.write(bindFolder, work, binding, clock.now());
  reached('folder-claimed', { series: work.series });
  const found = await pullMissing(work, place, listed, deps, signal);
  // under other labels it begins anew in another folder
  const before = work.path === place.folder.below ? (work.stored ?? 0) : 0;
  const pulled = { ...found, lost: lostOf(before, found, found.failures.length) };
  const needed = settings.destinations.some(({ when }) => looksAtAet(when));
  const origin = await originOf(pulled.images, work.series, orthanc, signal, needed);
  const written = await writeRecord(place.folder, inOrthanc, pulled, {
    ...contextOf(work, deps, origin),
    members,
  });
  const { record } = written;
  const failure =
    pulled.failures[0]?.failure ??
    missingIn(record) ??
    written.failure ??
    (await correctionOf(place.folder.below, record, deps));
  const done = { ...binding, attributes: attributesOf(record), digest, failure, parts };
  await ledger.write(stored, work, { ...done, ...countsOf(work, record, settings) }, clock.now());
  reached('series-stored');
  const bytes = pulled.images.reduce((sum, image) => sum + image.bytes, 0);
  return { kind: 'stored', stored: record.counts.stored, fresh: pulled.images.length, bytes, failure };
}

/** What the ledger keeps of the files that a record names. */
const countsOf = (
  work: Pick<StoreWork, 'increment'>,
  record: SeriesRecord,
  settings: Pick<Settings, 'destinations'>,
): Pick<StoreDone, 'increment' | 'stored' | 'untagged' | 'differing' | 'warnings' | 'targets'> => ({
  increment: Math.max(work.increment, ...record.instances.map((image) => image.increment)),
  stored: record.instances.length,
  untagged: record.counts.untagged,
  differing: differingIn(record),
  warnings: record.warnings,
  targets: targetsOf(settings, record),
});

const bindingOf = ({ attributes, labels, decision, folder }: Target, inOrthanc: number): Binding => ({
  attributes,
  labels,
  decision,
  doubts: folder.record.doubts,
  path: folder.below,
  inOrthanc,
});

async function seen(
  series: string,
  { aet, called = '', address = '' }: Sender,
  { ledger, clock }: StoreDeps,
): Promise<void> {
  await ledger.write(noteSender, { aet, called, address }, clock.now());
  await ledger.write(noteSenderOf, series, aet);
}

/** What was erased on request is refused, whoever sends it again. */
async function erasedAmong(
  listed: readonly InstanceListing[],
  { erasures }: Pick<StoreDeps, 'erasures'>,
): Promise<Pick<PlaceDeps, 'refuse'>> {
  if (erasures === undefined) return {};
  await erasures.refresh();
  const instances = listed.flatMap(({ tags }) => tags['SOPInstanceUID'] ?? []);
  return {
    refuse: (attributes, labels, decided) =>
      erasedReason(erasures, { attributes, labels, instances, decided }),
  };
}

/** It may be erased while its place is looked for: then the folder goes again. */
async function placeOf(
  work: StoreWork,
  listed: readonly [InstanceListing, ...InstanceListing[]],
  deps: StoreDeps,
  signal: AbortSignal,
): Promise<Placement> {
  const place = await findPlace(
    work,
    tellingImages(listed),
    {
      ...deps,
      ...(await erasedAmong(listed, deps)),
      senders: (sender) => seen(work.series, sender, deps),
      earlier: (labels, session) => deps.ledger.read(labelled, labels, session),
    },
    signal,
  );
  if (place.kind === 'quarantine') return place;
  const { refuse } = await erasedAmong(listed, deps);
  const { instances } = place.folder.record;
  const reason = refuse?.(
    place.attributes,
    place.labels,
    place.decision !== undefined || instances.length > 0,
  );
  if (reason === undefined) return place;
  // what was stored before goes with the erasure, if it is the subject's
  if (instances.length === 0) await deps.store.remove(place.folder.below, work.series);
  return { kind: 'quarantine', attributes: anonymous(place.attributes), reason };
}

/** The series was deleted before all of it was stored: what is stored is recorded and sent on, the loss shows. */
async function salvage(work: StoreWork, deps: StoreDeps): Promise<Stored> {
  const { store, ledger, settings, clock } = deps;
  const folder = work.path === undefined ? undefined : await store.reopen(work.path, work.series);
  if (folder === undefined) throw new FailureError((work.stored ?? 0) > 0 ? FILE_MISSING : GONE);
  const found = await lookAt(folder, await recordedImages(work, folder, ledger), store);
  const { kept, images, gone } = found;
  if (kept.length + images.length + gone.length === 0) throw new FailureError(GONE);
  // what we have deleted ourselves is no loss, and where nothing new came, nothing can have been lost on the way
  const nothingLost = work.recheck === true || (work.cleaned === true && images.length === 0);
  const failures = nothingLost ? [] : [{ orthancId: work.series, failure: GONE }];
  const pulled: Pulled = { ...found, failures, lost: lostOf(work.stored ?? 0, found) };
  const inOrthanc = nothingLost ? folder.record.counts.inOrthanc : 0;
  const { record } = await writeRecord(folder, inOrthanc, pulled, contextOf(work, deps, {}));
  const failure =
    failures[0]?.failure ?? missingIn(record) ?? (await correctionOf(folder.below, record, deps));
  const { labels } = record;
  const binding = { attributes: attributesOf(record), labels, path: folder.below, inOrthanc: 0 };
  const done = { ...binding, digest: digestOf([]), failure, ...countsOf(work, record, settings) };
  await ledger.write(stored, work, done, clock.now());
  return { kind: 'stored', stored: record.counts.stored, fresh: images.length, bytes: 0, failure };
}

const contextOf = (
  work: StoreWork,
  { store, settings, system, ledger, clock }: StoreDeps,
  origin: Origin,
): RecordContext => ({
  store,
  stillOurs: () => ledger.write(renew, work, clock.now()),
  tar: settings.tar ?? false,
  origin,
  system: system?.(),
});

/**
 * Stores the next series that is due, or waits for one.
 * @param move does so with one that a person wants moved
 */
export async function storeNext(
  deps: LoopDeps,
  move: (work: StoreWork & { readonly moving: MoveOrder }) => Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  const { ledger, clock, wakes, settings } = deps;
  const alongside = settings.copy === undefined ? [] : [COPY];
  const queue = {
    claim: () => ledger.write(nextStore, clock.now(), alongside),
    nextTime: () => ledger.read(nextTime, STORAGE),
    wake: wakes.store,
  };
  const work = async (due: StoreWork): Promise<void> => {
    if (alongside.length > 0) wakes.legs.notify();
    const { moving } = due;
    if (moving === undefined) await workOn(storingKind(deps), due, deps, signal);
    else await move({ ...due, moving });
  };
  await nextOf(queue, work, deps, signal);
}

function storingKind(deps: LoopDeps): WorkKind<StoreWork, Stored> {
  const { log, metrics, wakes, condition } = deps;
  return {
    name: 'store',
    lease: LEG_LEASE,
    about: aboutSeries,
    says: { later: 'storing is tried again', failed: 'storing failed', interrupted: 'storing interrupted' },
    step: (work, held) => storeStep(work, { ...deps, system: () => condition.system }, held),
    after: () => wakes.after.notify(),
    ended: (outcome, about, ms) => {
      if (outcome.kind === 'quarantined') {
        log.warn('series quarantined', { ...about, code: outcome.code });
        return;
      }
      const { stored: images, fresh, bytes, failure } = outcome;
      metrics.stored(fresh, bytes);
      const code = defined({ code: failure?.code });
      log.info('series stored', { ...about, images, fresh, bytes, ms, ...code });
      wakes.legs.notify();
    },
  };
}

/** Quarantined series whose booking appeared, or whom the patterns now match, are stored. */
export async function quarantineRound(deps: LoopDeps, signal: AbortSignal): Promise<void> {
  const { ledger, bookings, settings, clock, log, condition, wakes } = deps;
  if (!condition.leads) return new Wake().wait(Math.min(settings.recheckMs, LONGEST_WAIT), signal);
  const now = clock.now();
  await ledger.write(clampTimers, now + settings.quietMs, now + 1.2 * longestWait(settings));
  for (const { id, attributes } of await ledger.read(quarantinedSeries)) {
    if (signal.aborted) return;
    const aet = attributes[SENT_BY];
    const sender = aet === undefined ? undefined : { aet };
    const decided = await decide(attributes, bookings, settings, sender, (labels, session) =>
      ledger.read(labelled, labels, session),
    );
    if (decided.kind === 'quarantine') continue;
    await ledger.write(releaseSeries, id, undefined, clock.now());
    const accession = named(attributes['AccessionNumber']);
    log.info('released from quarantine', { series: id, ...accession, by: decided.kind });
    wakes.store.notify();
  }
  await new Wake().wait(settings.recheckMs, signal);
}

/** Before something is tried again, whatever it is. */
const longestWait = ({ retry, destinations }: Settings): number =>
  Math.max(retry.capMs, ...destinations.map((destination) => destination.retry?.capMs ?? 0));
