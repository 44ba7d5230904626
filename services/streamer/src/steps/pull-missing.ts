/** Every image of a series that project storage has not got yet: pulled, recorded, or given up one by one. */
import { failureOf, Fault, permanent, type Failure } from '../domain/failure.ts';
import { missing } from '../domain/record.ts';
import type {
  Folder,
  InstanceListing,
  Ledger,
  Orthanc,
  Progress,
  Store,
  StoredInstance,
  StoreWork,
} from '../ports.ts';
import { reached } from '../trace.ts';
import { Batch } from './batch.ts';
import type { Target } from './place.ts';
import { pool } from './pool.ts';
import { pullImage } from './pull.ts';
import type { Settings } from './settings.ts';

export interface PullDeps {
  readonly orthanc: Orthanc;
  readonly ledger: Ledger;
  readonly store: Store;
  readonly settings: Settings;
}

/** On storage, or on its copy. */
export type PullWork = Pick<StoreWork, 'series' | 'target' | 'token' | 'attempts' | 'increment'>;

export interface GivenUp {
  readonly orthancId: string;
  readonly failure: Failure;
}

export interface Pulled {
  /** Those of this pull and those which an interrupted one had recorded. */
  readonly images: readonly StoredInstance[];
  readonly failures: readonly GivenUp[];
}

/** Attempts in a row after which a file that Orthanc serves wrongly is given up, and the rest goes on. */
const CORRUPT_ATTEMPTS = 4;
const BATCH = 16;

/** Pulls what the record does not account for, and records it image by image. */
export async function pullMissing(
  work: PullWork,
  { folder, layout, values }: Pick<Target, 'folder' | 'layout' | 'values'>,
  listed: readonly InstanceListing[],
  { orthanc, ledger, store, settings }: PullDeps,
  signal: AbortSignal,
): Promise<Pulled> {
  const recorded = await recordedImages(work, folder, ledger);
  const increment = 1 + Math.max(work.increment, ...folder.record.instances.map((image) => image.increment));
  const context = { orthanc, store, folder, layout, values, increment };
  const images = [...recorded];
  const refusals = new Refusals();
  const batch = new Batch<StoredInstance>(BATCH, async (rows) => {
    await store.flush(folder);
    await ledger.record(work, rows.map(progressOf));
    reached('images-recorded');
  });
  const pullOne = async (listing: InstanceListing): Promise<void> => {
    signal.throwIfAborted();
    try {
      const image = await pullImage(listing, context, signal);
      images.push(image);
      await batch.add(image);
    } catch (error) {
      if (signal.aborted || !refusals.take(listing.id, failureOf(error))) throw error;
    }
  };
  const fresh = missing(listed, [...folder.record.instances, ...recorded]);
  if (fresh.length > 0)
    await store.requireSpace(folder, bytesOf(fresh) + (settings.tar ? bytesOf(listed) : 0));
  try {
    await pool(fresh, ({ bytes }) => bytes, settings.limits, pullOne);
  } finally {
    await batch.end();
  }
  return { images, failures: refusals.final(work.attempts + 1) };
}

const bytesOf = (listed: readonly InstanceListing[]): number =>
  listed.reduce((sum, { bytes }) => sum + bytes, 0);

const progressOf = (image: StoredInstance): Progress => ({
  instance: image.orthancId,
  outcome: 'done',
  detail: JSON.stringify(image),
});

/** Failures of single images, which do not keep the others from being stored. */
class Refusals {
  readonly #given: GivenUp[] = [];
  readonly #corrupt: GivenUp[] = [];

  /** False for a failure that concerns more than this image. */
  take(orthancId: string, failure: Failure): boolean {
    if (failure.kind === 'permanent') this.#given.push({ orthancId, failure: sourceFailure(failure) });
    else if (CORRUPT.has(failure.code)) this.#corrupt.push({ orthancId, failure });
    else return false;
    return true;
  }

  /** A file that Orthanc serves wrongly is asked for some times more: throws its failure until then. */
  final(attempt: number): GivenUp[] {
    const [first] = this.#corrupt;
    if (first !== undefined && attempt < CORRUPT_ATTEMPTS) throw new Fault(first.failure);
    const hopeless = this.#corrupt.map(({ orthancId, failure }) => ({
      orthancId,
      failure: permanent(failure.code, failure.message),
    }));
    return [...this.#given, ...hopeless];
  }
}

const CORRUPT: ReadonlySet<string> = new Set(['ORTHANC_CORRUPT', 'ORTHANC_TRUNCATED']);

/** Images that an earlier, interrupted attempt stored and that no `series.json` names yet. */
export async function recordedImages(
  work: Pick<PullWork, 'series' | 'target'>,
  folder: Folder,
  ledger: Ledger,
): Promise<StoredInstance[]> {
  const rows = await ledger.progress(work.series, work.target);
  const images = rows
    .filter(({ outcome }) => outcome === 'done')
    .map(({ detail }) => JSON.parse(detail) as StoredInstance);
  const known = new Set(folder.record.instances.map(({ orthancId, fileUuid }) => `${orthancId} ${fileUuid}`));
  return images.filter(({ orthancId, fileUuid }) => !known.has(`${orthancId} ${fileUuid}`));
}

/** What Orthanc no longer has cannot be stored, and somebody has to know. */
export function sourceFailure(failure: Failure): Failure {
  return failure.code === 'ORTHANC_GONE' ? GONE : failure;
}

export const GONE = permanent(
  'SOURCE_GONE',
  'The series, or images of it, were deleted from Orthanc before they were stored. Send them again from the scanner.',
);
