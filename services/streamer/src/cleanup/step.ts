/** Clean-up: deletes from Orthanc what is stored and verified, and nothing else. */
import { type Failure, permanent } from '@scanflow/failure';
import type { InstanceListing, Orthanc } from '@scanflow/orthanc';
import { failureOf } from '../model/failure.ts';
import { keyOf, keysOf } from '../store/record.ts';
import type { Ledger } from '../ledger/tx.ts';
import type { Store } from '../store/types.ts';
import type { SeriesView } from '../ledger/rows.ts';
import { reached } from '../work/trace.ts';
import type { Clock } from '../model/settings.ts';
import { markCleaned, markCleaning } from './sql.ts';
import type { LoopDeps } from '../work/deps.ts';
import { Wake } from '../work/wake.ts';
import { cleanable, keptSeries } from './sql.ts';
import { keptBecause, keptSummary } from './kept.ts';

export interface CleanDeps {
  readonly orthanc: Pick<Orthanc, 'instances' | 'instance' | 'versions' | 'remove' | 'noteLeaving'>;
  readonly ledger: Ledger;
  readonly store: Pick<Store, 'record' | 'holds'>;
  readonly clock: Clock;
}

export type CleanOutcome =
  | { readonly kind: 'cleaned'; readonly images: number }
  /** Images arrived meanwhile; they are stored first. */
  | { readonly kind: 'grown' }
  | { readonly kind: 'refused'; readonly failure: Failure };

/** Throws if Orthanc or project storage does not answer; the worker then tries again. */
export async function cleanStep(
  series: SeriesView,
  { orthanc, ledger, store, clock }: CleanDeps,
  signal: AbortSignal,
): Promise<CleanOutcome> {
  const listed = await listOf(series.id, orthanc, signal);
  const record = series.path === undefined ? undefined : await store.record(series.path);
  if (series.path === undefined || record?.orthancSeries !== series.id || record.state !== 'stored')
    return refused(NO_RECORD);
  if (listed.length > 0) {
    const stored = new Set(record.instances.flatMap(keysOf));
    if (listed.some((file) => !stored.has(keyOf(file)))) {
      // a deletion that was killed left this note; nothing is deleted now, so re-sends may come
      await unlessGone(() => orthanc.noteLeaving(series.id, undefined, signal));
      return refused(UNKNOWN_IMAGES);
    }
    // check all of them before the first is deleted, also those that Orthanc no longer has
    for (const image of record.instances) {
      signal.throwIfAborted();
      if (!(await store.holds(series.path, image))) return refused(CHANGED);
    }
  }
  // before the first deletion, so that nobody takes the images for lost meanwhile
  if (!(await ledger.write(markCleaning, series.id, clock.now()))) return { kind: 'grown' };
  const wanted = [...Map.groupBy(listed, ({ id }) => id).values()];
  const images = await deleteAll(series.id, wanted, { orthanc, clock }, signal);
  const done = images === wanted.length && (await ledger.write(markCleaned, series.id, clock.now()));
  return done ? { kind: 'cleaned', images } : { kind: 'grown' };
}

/** The receiver believes such a note for 15 minutes, so that a killed clean-up blocks nothing for longer. */
const NOTE_EVERY_MS = 5 * 60_000;

/** Deletes the images; returns how many. An image stays if another version came since all were listed. */
async function deleteAll(
  series: string,
  wanted: readonly (readonly InstanceListing[])[],
  { orthanc, clock }: Pick<CleanDeps, 'orthanc' | 'clock'>,
  signal: AbortSignal,
): Promise<number> {
  let images = 0;
  let noted = -Infinity;
  try {
    for (const files of wanted) {
      signal.throwIfAborted();
      // a re-send from here on is not acknowledged, unless the check below sees it
      if (clock.now() - noted > NOTE_EVERY_MS) {
        noted = clock.now();
        const since = Temporal.Instant.fromEpochMilliseconds(noted).toString();
        await unlessGone(() => orthanc.noteLeaving(series, since, signal));
        reached('series-leaving');
      }
      const [{ id } = { id: '' }] = files;
      if (!(await isAsListed(files, orthanc, signal))) continue;
      await unlessGone(() => orthanc.remove(id, signal));
      images += 1;
      reached('image-deleted', { instance: id });
    }
  } finally {
    if (images < wanted.length) await unlessGone(() => orthanc.noteLeaving(series, undefined, signal));
  }
  return images;
}

const refused = (failure: Failure): CleanOutcome => ({ kind: 'refused', failure });

const NO_RECORD = permanent(
  'CLEANUP_NO_RECORD',
  'Nothing is deleted from Orthanc: the folder of this series or its series.json is no longer in project storage. Put it back, or retry the series.',
);
const UNKNOWN_IMAGES = permanent(
  'CLEANUP_UNKNOWN_IMAGES',
  'Nothing is deleted from Orthanc: it has images of this series that series.json does not have. Retry the series; it stores what is missing.',
);
const CHANGED = permanent(
  'CLEANUP_FILE_CHANGED',
  'Nothing is deleted from Orthanc: a stored image of this series is missing or changed. Compare the folder with its manifest; a retry of the series pulls what is missing.',
);

/** Nothing if an earlier attempt was killed between its last deletion and the ledger. */
async function listOf(
  series: string,
  orthanc: CleanDeps['orthanc'],
  signal: AbortSignal,
): Promise<readonly InstanceListing[]> {
  try {
    return await orthanc.instances(series, signal);
  } catch (error) {
    if (failureOf(error).code === 'ORTHANC_GONE') return [];
    throw error;
  }
}

/** Success also if it is gone already: an earlier request may have got through without its answer. */
async function unlessGone<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (failureOf(error).code !== 'ORTHANC_GONE') throw error;
    return undefined;
  }
}

/** Whether the bytes are the listed ones, and no version is there that was not listed. */
async function isAsListed(
  files: readonly InstanceListing[],
  orthanc: CleanDeps['orthanc'],
  signal: AbortSignal,
): Promise<boolean> {
  const own = files.find(({ version }) => version === undefined);
  if (own === undefined) return false;
  const now = await unlessGone(() => orthanc.instance(own.id, signal));
  const versions = await unlessGone(() => orthanc.versions(own.id, signal));
  return now?.fileUuid === own.fileUuid && versions?.length === files.length - 1;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const MANY = 500;
/** Series that stay in Orthanc are reported one by one up to this number. */
const MOST_KEPT = 10_000;

/** Cleans up all series that are due. */
export async function cleanRound(afterMs: number, deps: LoopDeps, signal: AbortSignal): Promise<void> {
  const { ledger, clock, notCleaned } = deps;
  const ready = await ledger.read(cleanable, clock.now() - afterMs, MANY + notCleaned.size);
  for (const series of ready) {
    if (signal.aborted) return;
    if ((notCleaned.get(series.id)?.again ?? 0) <= clock.now()) await cleanOne(series, deps, signal);
  }
  await lookAtKept(afterMs, deps);
  await new Wake().wait(Math.min(Math.max(afterMs / 2, 200), MINUTE_MS), signal);
}

/** What stays in Orthanc fills its disk: it shows, with the reason. */
async function lookAtKept(
  afterMs: number,
  { ledger, clock, kept, notCleaned, condition }: LoopDeps,
): Promise<void> {
  const found = await ledger.read(keptSeries, clock.now() - afterMs, MOST_KEPT);
  kept.clear();
  for (const series of found) kept.set(series.id, keptBecause(series));
  condition.kept = keptSummary([...kept.values(), ...notCleaned.values()]);
}

async function cleanOne(series: SeriesView, deps: LoopDeps, signal: AbortSignal): Promise<void> {
  const { clock, log, metrics, notCleaned } = deps;
  const outcome = await cleanStep(series, deps, signal).catch((error: unknown) => {
    if (signal.aborted) throw error;
    return { kind: 'refused', failure: failureOf(error) } as const;
  });
  if (outcome.kind !== 'refused') {
    notCleaned.delete(series.id);
    if (outcome.kind === 'cleaned')
      log.info('deleted from Orthanc', { series: series.id, images: outcome.images });
    return;
  }
  const { failure } = outcome;
  metrics.failed('cleanup', failure.code);
  if (notCleaned.get(series.id)?.code !== failure.code)
    log.error('not deleted from Orthanc', { series: series.id, ...failure });
  // what is wrong with the files is for a person; what was wrong with Orthanc may be over
  const wait = failure.kind === 'permanent' ? HOUR_MS : MINUTE_MS;
  notCleaned.set(series.id, { ...failure, again: clock.now() + wait });
}
