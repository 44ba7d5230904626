/** The clean step: what is stored and verified goes from Orthanc, and nothing else does. */
import { failureOf, permanent, type Failure } from '../model/failure.ts';
import { keyOf, keysOf } from '../store/record.ts';
import type { InstanceListing, Ledger, Orthanc, SeriesView, Store } from '../ports.ts';
import { reached } from '../work/trace.ts';
import type { Clock } from '../model/settings.ts';

export interface CleanDeps {
  readonly orthanc: Pick<Orthanc, 'instances' | 'instance' | 'versions' | 'remove' | 'noteLeaving'>;
  readonly ledger: Pick<Ledger, 'cleaning' | 'cleaned'>;
  readonly store: Pick<Store, 'record' | 'holds'>;
  readonly clock: Clock;
}

export type CleanOutcome =
  | { readonly kind: 'cleaned'; readonly images: number }
  /** Something came meanwhile: it is stored first. */
  | { readonly kind: 'grown' }
  | { readonly kind: 'refused'; readonly failure: Failure };

/** Throws where Orthanc or project storage does not answer: then it is tried again. */
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
      // left by a deletion that was ended: nothing is deleted now, so what is sent again may come
      await unlessGone(() => orthanc.noteLeaving(series.id, undefined, signal));
      return refused(UNKNOWN_IMAGES);
    }
    // all of them, before the first is deleted: also those that Orthanc had before and has no longer
    for (const image of record.instances) {
      signal.throwIfAborted();
      if (!(await store.holds(series.path, image))) return refused(CHANGED);
    }
  }
  // before the first deletion, so that whatever looks meanwhile does not take it for lost
  if (!(await ledger.cleaning(series.id, clock.now()))) return { kind: 'grown' };
  const wanted = [...Map.groupBy(listed, ({ id }) => id).values()];
  const images = await deleteAll(series.id, wanted, { orthanc, clock }, signal);
  const done = images === wanted.length && (await ledger.cleaned(series.id, clock.now()));
  return done ? { kind: 'cleaned', images } : { kind: 'grown' };
}

/** The receiver believes such a note for 15 minutes: who was ended in between holds nothing up for longer. */
const NOTE_EVERY_MS = 5 * 60_000;

/** What was kept beside an image since all were listed is not stored yet: such an image stays. How many went. */
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
      // what is sent again from here on is not acknowledged, unless it is seen below
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
  'Nothing is deleted from Orthanc: a stored image of this series is missing or is not what was stored. Compare the folder with its manifest; a retry of the series pulls what is missing.',
);

/** Nothing where an earlier attempt was ended between its last deletion and the ledger. */
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

/** Where it is gone, that is what was wanted: our own word may have come through, and the answer to it not. */
async function unlessGone<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (failureOf(error).code !== 'ORTHANC_GONE') throw error;
    return undefined;
  }
}

/** Neither has other bytes taken its place a moment ago, nor is a version there that was not listed. */
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
