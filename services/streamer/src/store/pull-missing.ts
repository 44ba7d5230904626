/** Every image of a series whose file is not there: pulled, recorded, or given up one by one. */
import { pool } from '@scanflow/runtime';
import { type Failure, FailureError, permanent, transient } from '@scanflow/failure';
import type { InstanceListing, Orthanc } from '@scanflow/orthanc';
import { failureOf } from '../model/failure.ts';
import { digestOfFiles, keyOf, keysOf, missing } from './record.ts';
import type { Ledger } from '../ledger/tx.ts';
import type { Folder, Store, StoredInstance } from './types.ts';
import type { Progress, StoreWork } from '../ledger/rows.ts';
import { reached } from '../work/trace.ts';
import { Batch } from '../work/worker.ts';
import { lookAt, type Found, recordedImages } from './look.ts';
import { mended, newestFirst } from './versions.ts';
import type { Target } from './place/place.ts';
import { pullImage } from './pull.ts';
import type { Settings } from '../model/settings.ts';
import { recordProgress } from '../ledger/leg.ts';

export interface PullDeps {
  readonly orthanc: Orthanc;
  readonly ledger: Ledger;
  readonly store: Store;
  readonly settings: Settings;
}

/** On storage, or on its copy. */
type PullWork = Pick<StoreWork, 'series' | 'target' | 'token' | 'attempts' | 'increment' | 'digest'>;

/** A file of Orthanc's that could not be pulled. */
interface Refused {
  readonly listing: InstanceListing;
  readonly failure: Failure;
}

interface GivenUp {
  readonly orthancId: string;
  readonly failure: Failure;
}

/** What a series has once nothing more can be pulled. Each of its files was looked at. */
export interface Pulled extends Found {
  /** How many were stored before, and have left neither file nor entry. */
  readonly lost?: number;
  readonly failures: readonly GivenUp[];
}

/** Attempts in a row after which a file that Orthanc serves wrongly is given up, and the rest goes on. */
const CORRUPT_ATTEMPTS = 4;

const BATCH = 16;

/** How often one step pulls files that vanish again, or that are damaged. */
const ROUNDS = 6;

/** In vain in one step: what was only a broken connection is not taken for a damage that a later version mends. */
const DAMAGED_AFTER = 3;

/**
 * Pulls every image that Orthanc has and whose file is not there, and records it. What the ledger or the record says of an
 * image counts only where its file is there: each pull ends with a look at all files. Throws STORE_FILES_VANISH.
 */
export async function pullMissing(
  work: PullWork,
  target: Pick<Target, 'folder' | 'layout' | 'values'>,
  listed: readonly InstanceListing[],
  deps: PullDeps,
  signal: AbortSignal,
): Promise<Pulled> {
  const { folder } = target;
  const refusals = new Refusals();
  const incrementOf = increments(work, folder, listed);
  let known: Found = await lookAt(folder, await recordedImages(work, folder, deps.ledger), deps.store);
  for (let round = 0; round < ROUNDS; round += 1) {
    const lacking = missing(listed, [...known.kept, ...known.images]);
    const fresh = lacking.filter((listing) => !refusals.has(listing));
    if (fresh.length === 0) {
      // not those that were refused once and came the next time
      const still = new Set(lacking);
      const refused = refusals.given.filter(({ listing }) => still.has(listing));
      const damaged = refused.filter((one) => one.damaged);
      const { found, open } = mended(withoutListed(known, listed), damaged);
      const others = refused.filter((one) => !one.damaged);
      return { ...found, failures: finalOf([...others, ...open], work.attempts + 1) };
    }
    const pulled = await pullAll(fresh, listed, { work, target, refusals, incrementOf }, deps, signal);
    const gone = withoutListed(known, listed).gone;
    const now = await lookAt(folder, [...known.images, ...pulled], deps.store, known.kept);
    known = { ...now, gone: [...gone, ...now.gone] };
  }
  throw new FailureError(VANISHING);
}

/** What Orthanc has is pulled, or given up with its own reason. */
const withoutListed = (found: Found, listed: readonly InstanceListing[]): Found => {
  const inOrthanc = new Set(listed.map(keyOf));
  return { ...found, gone: found.gone.filter((image) => !keysOf(image).some((key) => inOrthanc.has(key))) };
};

interface Pulling {
  readonly work: PullWork;
  readonly target: Pick<Target, 'folder' | 'layout' | 'values'>;
  readonly refusals: Refusals;
  readonly incrementOf: (listing: InstanceListing) => number;
}

async function pullAll(
  fresh: readonly InstanceListing[],
  listed: readonly InstanceListing[],
  { work, target, refusals, incrementOf }: Pulling,
  { orthanc, ledger, store, settings }: PullDeps,
  signal: AbortSignal,
): Promise<StoredInstance[]> {
  const { folder, layout, values } = target;
  const images: StoredInstance[] = [];
  const batch = new Batch<StoredInstance>(BATCH, async (rows) => {
    await store.flush(folder);
    await ledger.write(recordProgress, work, rows.map(rowOf));
    reached('images-recorded');
  });
  const pullOne = async (listing: InstanceListing, mendable: boolean): Promise<void> => {
    signal.throwIfAborted();
    try {
      const context = { orthanc, store, folder, layout, values, increment: incrementOf(listing) };
      const image = await pullImage(listing, context, signal);
      images.push(image);
      await batch.add(image);
    } catch (error) {
      if (signal.aborted || !refusals.take(listing, failureOf(error), mendable)) throw error;
    }
  };
  const newer = new Set(listed.filter(({ version }) => version !== undefined).map(({ id }) => id));
  const pullFiles = async (files: readonly InstanceListing[]): Promise<void> => {
    // the version that came last gets the plain name
    for (const listing of files) await pullOne(listing, newer.has(listing.id));
  };
  await store.requireSpace(folder, bytesOf(fresh) + (settings.tar === true ? bytesOf(listed) : 0));
  try {
    await pool(newestFirst(fresh), { ...settings.limits, bytesOf: largestOf }, pullFiles);
  } finally {
    await batch.end();
  }
  return images;
}

/**
 * An image that is pulled again keeps its increment, so that nobody gets it twice. Where no record is left and Orthanc has
 * the very images of the last time, nothing is new either.
 */
function increments(
  work: PullWork,
  { record }: Folder,
  listed: readonly InstanceListing[],
): (listing: InstanceListing) => number {
  const known = [...record.instances, ...(record.missing ?? [])];
  const before = new Map(known.flatMap((image) => keysOf(image).map((key) => [key, image.increment])));
  const same = known.length === 0 && work.increment > 0 && work.digest === digestOfFiles(listed);
  const next = same ? work.increment : 1 + Math.max(work.increment, ...before.values());
  return (listing) => before.get(keyOf(listing)) ?? next;
}

const largestOf = (files: readonly InstanceListing[]): number => Math.max(...files.map(({ bytes }) => bytes));

const bytesOf = (listed: readonly InstanceListing[]): number =>
  listed.reduce((sum, { bytes }) => sum + bytes, 0);

const rowOf = (image: StoredInstance): Progress => ({
  instance: image.version === undefined ? image.orthancId : keyOf(image),
  outcome: 'done',
  detail: JSON.stringify(image),
});

/** Failures of single files, which do not keep the others from being stored. */
class Refusals {
  readonly #given = new Map<string, Refused & { readonly damaged: boolean; readonly times: number }>();

  /** False for a failure that concerns more than this file. `mendable`: Orthanc has further versions of the image. */
  take(listing: InstanceListing, failure: Failure, mendable: boolean): boolean {
    const damaged = mendable && DAMAGE.has(failure.code);
    if (!damaged && failure.kind !== 'permanent' && !CORRUPT.has(failure.code)) return false;
    const times = (this.#given.get(keyOf(listing))?.times ?? 0) + 1;
    this.#given.set(keyOf(listing), { listing, failure, damaged, times });
    return true;
  }

  /** Whether it is no longer requested. */
  has(listing: InstanceListing): boolean {
    const { damaged, times } = this.#given.get(keyOf(listing)) ?? { damaged: true, times: 0 };
    return !damaged || times >= DAMAGED_AFTER;
  }

  /** `damaged`: another version of the image may be stored in its place. */
  get given(): readonly (Refused & { readonly damaged: boolean })[] {
    return [...this.#given.values()];
  }
}

/** Requests a file that Orthanc serves wrongly some times more: throws its failure until then. */
function finalOf(refused: readonly Refused[], attempt: number): GivenUp[] {
  const again = refused.find(({ failure }) => failure.kind !== 'permanent');
  if (again !== undefined && (attempt < CORRUPT_ATTEMPTS || !CORRUPT.has(again.failure.code)))
    throw new FailureError(again.failure);
  return refused.map(({ listing, failure }) => ({
    orthancId: listing.id,
    failure: failure.kind === 'permanent' ? sourceFailure(failure) : permanent(failure.code, failure.message),
  }));
}

const CORRUPT: ReadonlySet<string> = new Set(['ORTHANC_CORRUPT', 'ORTHANC_TRUNCATED']);

/** What Orthanc answers where its file is not what it received, or is not there. */
const DAMAGE: ReadonlySet<string> = new Set([...CORRUPT, 'ORTHANC_ERROR', 'ORTHANC_GONE']);

/** What Orthanc no longer has cannot be stored, and somebody has to know. */
export function sourceFailure(failure: Failure): Failure {
  return failure.code === 'ORTHANC_GONE' ? GONE : failure;
}

export const GONE = permanent(
  'SOURCE_GONE',
  'The series, or images of it, were deleted from Orthanc before they were stored. Send them again from the scanner.',
);

const VANISHING = transient(
  'STORE_FILES_VANISH',
  'Files of this series vanish from project storage while it is stored. Look who moves or deletes them; storing goes on by itself.',
);
