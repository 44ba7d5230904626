/** The clean step: what is stored and verified goes from Orthanc, and nothing else does. */
import { failureOf, Fault, permanent, type Failure } from '../domain/failure.ts';
import type { InstanceListing, Ledger, Orthanc, SeriesView, Store } from '../ports.ts';
import { reached } from '../trace.ts';
import type { Chance } from './settings.ts';

export interface CleanDeps {
  readonly orthanc: Pick<Orthanc, 'instances' | 'instance' | 'remove'>;
  readonly ledger: Pick<Ledger, 'cleaning' | 'cleaned'>;
  readonly store: Pick<Store, 'record' | 'holds'>;
  readonly chance: Chance;
}

export type CleanOutcome =
  | { readonly kind: 'cleaned'; readonly images: number }
  /** Something came meanwhile: it is stored first. */
  | { readonly kind: 'grown' }
  | { readonly kind: 'refused'; readonly failure: Failure };

/** Throws where Orthanc or project storage does not answer: then it is tried again. */
export async function cleanStep(
  series: SeriesView,
  { orthanc, ledger, store, chance }: CleanDeps,
  signal: AbortSignal,
): Promise<CleanOutcome> {
  const listed = await listOf(series.id, orthanc, signal);
  const record = series.path === undefined ? undefined : await store.record(series.path);
  if (series.path === undefined || record?.orthancSeries !== series.id || record.state !== 'stored')
    return refused(NO_RECORD);
  if (listed.length > 0) {
    const stored = new Map(record.instances.map((image) => [keyOf(image.orthancId, image.fileUuid), image]));
    if (listed.some(({ id, fileUuid }) => !stored.has(keyOf(id, fileUuid)))) return refused(UNKNOWN_IMAGES);
    // all of them, before the first is deleted: also those that Orthanc had before and has no longer
    for (const image of record.instances) {
      signal.throwIfAborted();
      if (!(await store.holds(series.path, image))) return refused(CHANGED);
    }
  }
  // before the first deletion, so that whatever looks meanwhile does not take it for lost
  if (!(await ledger.cleaning(series.id, chance.now()))) return { kind: 'grown' };
  let images = 0;
  for (const { id, fileUuid } of listed) {
    signal.throwIfAborted();
    // other bytes may have taken its place a moment ago
    if ((await fileUuidOf(id, orthanc, signal)) !== fileUuid) continue;
    await removed(id, orthanc, signal);
    images += 1;
    reached('image-deleted', { instance: id });
  }
  const done = images === listed.length && (await ledger.cleaned(series.id, chance.now()));
  return done ? { kind: 'cleaned', images } : { kind: 'grown' };
}

const refused = (failure: Failure): CleanOutcome => ({ kind: 'refused', failure });
const keyOf = (id: string, fileUuid: string): string => `${id} ${fileUuid}`;

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
async function removed(id: string, orthanc: CleanDeps['orthanc'], signal: AbortSignal): Promise<void> {
  try {
    await orthanc.remove(id, signal);
  } catch (error) {
    if (failureOf(error).code !== 'ORTHANC_GONE') throw error;
  }
}

async function fileUuidOf(
  id: string,
  orthanc: CleanDeps['orthanc'],
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    return (await orthanc.instance(id, signal)).fileUuid;
  } catch (error) {
    if (error instanceof Fault && error.code === 'ORTHANC_GONE') return undefined;
    throw error;
  }
}
