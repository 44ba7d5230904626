/** The store step: a series whose quiet timer ended goes to project storage, or says why it does not. */
import { failureOf, Fault, permanent, type Failure } from '../domain/failure.ts';
import { digestOf, grown, missing } from '../domain/record.ts';
import { retryAfter } from '../domain/retry.ts';
import { wanted, type Attributes } from '../domain/route.ts';
import { STORAGE } from '../domain/series.ts';
import type {
  Folder,
  InstanceListing,
  Ledger,
  Orthanc,
  Progress,
  SeriesRecord,
  Store,
  StoredInstance,
  StoreWork,
} from '../ports.ts';
import { reached } from '../trace.ts';
import { Batch } from './batch.ts';
import type { Bookings, Target } from './place.ts';
import { findPlace } from './place.ts';
import { pool } from './pool.ts';
import { pullImage } from './pull.ts';
import type { Chance, Settings } from './settings.ts';

export interface StoreDeps {
  readonly orthanc: Orthanc;
  readonly ledger: Ledger;
  readonly store: Store;
  readonly bookings: Bookings;
  readonly settings: Settings;
  readonly chance: Chance;
}

export type StoreOutcome =
  | {
      readonly kind: 'stored';
      readonly stored: number;
      readonly fresh: number;
      readonly bytes: number;
      readonly failure: Failure | undefined;
    }
  | { readonly kind: 'quarantined'; readonly code: string }
  | { readonly kind: 'later'; readonly failure: Failure; readonly delayMs: number }
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'interrupted' };

/** Carries one series as far as it gets, and writes the outcome into the ledger. */
export async function storeStep(
  work: StoreWork,
  deps: StoreDeps,
  signal: AbortSignal,
): Promise<StoreOutcome> {
  const { ledger, settings, chance } = deps;
  const before = (await ledger.progress(work.series, STORAGE)).length;
  try {
    return await storeSeries(work, deps, signal);
  } catch (error) {
    if (signal.aborted) return { kind: 'interrupted' };
    const failure = sourceFailure(failureOf(error));
    const now = chance.now();
    const gained = (await ledger.progress(work.series, STORAGE)).length > before;
    const attempts = gained ? 1 : work.attempts + 1;
    const retry = retryAfter(failure, attempts, chance.jitter(), settings.retry);
    if (!retry.retry) {
      await ledger.storeFailed(work.series, failure, now);
      return { kind: 'failed', failure };
    }
    await ledger.storeLater(work.series, { attempts, nextTry: now + retry.delayMs, failure }, now);
    return { kind: 'later', failure, delayMs: retry.delayMs };
  }
}

/** What Orthanc no longer has cannot be stored, and somebody has to know. */
function sourceFailure(failure: Failure): Failure {
  return failure.code === 'ORTHANC_GONE' ? GONE : failure;
}

const GONE = permanent(
  'SOURCE_GONE',
  'The series, or images of it, were deleted from Orthanc before they were stored. Send them again from the scanner.',
);

async function storeSeries(work: StoreWork, deps: StoreDeps, signal: AbortSignal): Promise<StoreOutcome> {
  const { orthanc, ledger, chance } = deps;
  const listed = inOrder(await orthanc.instances(work.series, signal));
  const first = listed[0];
  if (first === undefined) throw new Fault(GONE);
  const place = await findPlace(work, first, deps, signal);
  const { attributes } = place;
  const inOrthanc = listed.length;
  const digest = digestOf(listed.map(({ id }) => id));
  if (place.kind === 'quarantine') {
    const { reason } = place;
    await ledger.quarantine(work.series, { attributes, inOrthanc, digest, reason }, chance.now());
    return { kind: 'quarantined', code: reason.code };
  }
  const binding = { attributes, labels: place.labels, path: place.folder.below, inOrthanc };
  await ledger.bind(work.series, binding, chance.now());
  reached('folder-claimed', { series: work.series });
  const pulled = await pullMissing(work, place, listed, deps, signal);
  const record = recordOf(place.folder.record, inOrthanc, pulled);
  await writeRecord(place.folder, record, pulled, deps.store);
  const { stored, untagged } = record.counts;
  const increment = Math.max(work.increment, ...record.instances.map((image) => image.increment));
  const failure = pulled.failures[0]?.failure;
  const targets = targetsOf(deps.settings, attributes);
  await ledger.stored(
    work.series,
    { ...binding, increment, stored, untagged, digest, failure, targets },
    chance.now(),
  );
  reached('series-stored');
  const bytes = pulled.images.reduce((sum, image) => sum + image.bytes, 0);
  return { kind: 'stored', stored, fresh: pulled.images.length, bytes, failure };
}

/** The manifest first: once the record says `stored`, everything that it names is there. */
async function writeRecord(
  folder: Folder,
  record: SeriesRecord,
  pulled: Pulled,
  store: Store,
): Promise<void> {
  const nothingNew = pulled.images.length + pulled.failures.length === 0 && folder.record.state === 'stored';
  if (nothingNew) return;
  await store.flush(folder);
  reached('manifest-due');
  await store.writeManifest(folder, record);
  reached('manifest-written');
  await store.writeRecord(folder, record);
  reached('record-written');
}

/** By InstanceNumber, so that a folder fills in an order that people expect. */
function inOrder(listed: readonly InstanceListing[]): InstanceListing[] {
  const numberOf = ({ tags }: InstanceListing): number => Number(tags['InstanceNumber'] ?? Number.NaN);
  const keyed = listed.map((listing) => ({ listing, number: numberOf(listing) }));
  keyed.sort((a, b) => {
    const difference =
      (Number.isNaN(a.number) ? Infinity : a.number) - (Number.isNaN(b.number) ? Infinity : b.number);
    return Number.isNaN(difference) || difference === 0 ? (a.listing.id < b.listing.id ? -1 : 1) : difference;
  });
  return keyed.map(({ listing }) => listing);
}

const targetsOf = ({ destinations }: Settings, attributes: Attributes): string[] =>
  destinations.filter(({ when }) => wanted(when, attributes['Modality'] ?? '')).map(({ name }) => name);

interface GivenUp {
  readonly orthancId: string;
  readonly failure: Failure;
}

interface Pulled {
  /** Those of this pull and those which an interrupted one had recorded. */
  readonly images: readonly StoredInstance[];
  readonly failures: readonly GivenUp[];
}

/** Attempts in a row after which a file that Orthanc serves wrongly is given up, and the rest goes on. */
const CORRUPT_ATTEMPTS = 4;
const BATCH = 16;

async function pullMissing(
  work: StoreWork,
  { folder, layout, values }: Target,
  listed: readonly InstanceListing[],
  { orthanc, ledger, store, settings }: StoreDeps,
  signal: AbortSignal,
): Promise<Pulled> {
  const recorded = await recordedImages(work, folder, ledger);
  const increment = 1 + Math.max(work.increment, ...folder.record.instances.map((image) => image.increment));
  const context = { orthanc, store, folder, layout, values, increment, tag: settings.tag };
  const images = [...recorded];
  const refusals = new Refusals();
  const batch = new Batch<StoredInstance>(BATCH, async (rows) => {
    await store.flush(folder);
    await ledger.record(work.series, STORAGE, rows.map(progressOf));
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
  try {
    await pool(fresh, ({ bytes }) => bytes, settings.limits, pullOne);
  } finally {
    await batch.end();
  }
  return { images, failures: refusals.final(work.attempts + 1) };
}

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
async function recordedImages(work: StoreWork, folder: Folder, ledger: Ledger): Promise<StoredInstance[]> {
  const rows = await ledger.progress(work.series, STORAGE);
  const images = rows
    .filter(({ outcome }) => outcome === 'done')
    .map(({ detail }) => JSON.parse(detail) as StoredInstance);
  const known = new Set(folder.record.instances.map(({ orthancId, fileUuid }) => `${orthancId} ${fileUuid}`));
  return images.filter(({ orthancId, fileUuid }) => !known.has(`${orthancId} ${fileUuid}`));
}

function recordOf(before: SeriesRecord, inOrthanc: number, { images, failures }: Pulled): SeriesRecord {
  const instances = grown(before.instances, images);
  const untagged = instances.filter(({ tagged }) => !tagged).length;
  return {
    ...before,
    state: 'stored',
    counts: { inOrthanc, stored: instances.length, untagged, failed: failures.length },
    failures: failures.map(({ orthancId, failure: { code, message } }) => ({ orthancId, code, message })),
    instances,
    updated: Temporal.Now.instant().toString(),
  };
}
