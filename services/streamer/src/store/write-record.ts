/** Writes what lies beside a series' images, once these are all there: sums, archive, record with its provenance. */
import { defined } from '@scanflow/failure/defined';
import type { Failure } from '@scanflow/failure';
import type { Origin, SystemInfo, Orthanc } from '@scanflow/orthanc';
import { warningsOf } from '../completeness/lacking.ts';
import { failureOf } from '../model/failure.ts';
import { grown } from './record.ts';
import { joinableBy, joinedOf } from '../joining/parts.ts';
import type { Member } from '../joining/rule.ts';
import type { Folder, SeriesRecord, StillOurs, Store, Provenance, StoredInstance } from './types.ts';
import { reached } from '../work/trace.ts';
import type { Pulled } from './pull-missing.ts';
import { isWhole, FILE_MISSING } from './look.ts';
import manifest from '../../package.json' with { type: 'json' };
import type { Reason } from '../model/series.ts';

/** Which Scanflow this is. */
export const VERSION: string = manifest.version;

export interface RecordContext {
  readonly store: Store;
  /** Each series also as one file. */
  readonly tar: boolean;
  readonly origin: Origin;
  readonly system: SystemInfo | undefined;
  readonly stillOurs: StillOurs;
  /** What it was joined from. */
  readonly members?: readonly Member[];
}

/** The record of the series with what was pulled; `failure` is that of its archive. Throws what `stillOurs` throws. */
export async function writeRecord(
  folder: Folder,
  inOrthanc: number,
  pulled: Pulled,
  context: RecordContext,
): Promise<{ readonly record: SeriesRecord; readonly failure: Failure | undefined }> {
  const { store, tar, origin, system, stillOurs, members = [] } = context;
  const record = withJoined(recordOf(folder.record, inOrthanc, pulled, origin, system), members);
  // one that was written once is kept up to date, else it would lie there and miss images
  const archived = folder.record.archive !== undefined;
  if (!isNews(folder.record, pulled) && (archived || !tar) && (await isWhole(folder, store)))
    return { record, failure: undefined };
  await store.flush(folder);
  reached('manifest-due');
  const finished = tar || archived ? await archive(folder, record, context) : { record, failure: undefined };
  await store.writeManifest(folder, finished.record, stillOurs);
  reached('manifest-written');
  // once the record says `stored`, everything that it names is there
  await store.writeRecord(folder, finished.record, stillOurs);
  reached('record-written');
  return finished;
}

function withJoined(record: SeriesRecord, members: readonly Member[]): SeriesRecord {
  const joined = joinedOf(record.orthancSeries, members, record.instances);
  const joinable = joinableBy(members);
  const { joinable: _before, ...rest } = record;
  return {
    ...(members.length === 0 ? record : rest),
    ...defined({ joined, joinable }),
  };
}

const isNews = ({ state, instances, missing = [] }: SeriesRecord, pulled: Pulled): boolean =>
  state !== 'stored' ||
  pulled.images.length + pulled.failures.length > 0 ||
  pulled.kept.length !== instances.length ||
  // another entry replaces one: it stands for a damaged file of Orthanc's, too
  pulled.kept.some((image, index) => image !== instances[index]) ||
  pulled.gone.length !== missing.length;

/** An archive that cannot be made shows, and keeps nothing else from being written. */
async function archive(
  folder: Folder,
  record: SeriesRecord,
  { store, stillOurs }: RecordContext,
): Promise<{ readonly record: SeriesRecord; readonly failure: Failure | undefined }> {
  try {
    return {
      record: { ...record, archive: await store.archive(folder, record, stillOurs) },
      failure: undefined,
    };
  } catch (error) {
    const failure = failureOf(error);
    if (failure.kind !== 'permanent') throw error;
    const { archive: _none, ...rest } = record;
    const { code, message } = failure;
    const failures = [...rest.failures, { orthancId: rest.orthancSeries, code, message }];
    return { record: { ...rest, failures }, failure };
  }
}

function recordOf(
  before: SeriesRecord,
  inOrthanc: number,
  { kept, images, gone, failures, lost = 0 }: Pulled,
  origin: Origin,
  system: SystemInfo | undefined,
): SeriesRecord {
  const instances = grown(kept, images);
  const lostSoFar = (before.counts.lost ?? 0) + lost;
  // other bytes of an image that is there are no further image
  const originals = instances.filter(({ differsFrom }) => differsFrom === undefined);
  const untagged = originals.filter((image) => image.untagged !== undefined).length;
  const now = Temporal.Now.instant().toString({ smallestUnit: 'millisecond' });
  const { missing: _before, warnings: _warned, ...rest } = before;
  const warnings = warningsOf(instances);
  return {
    ...rest,
    state: 'stored',
    counts: {
      inOrthanc,
      stored: originals.length,
      untagged,
      failed: failures.length + gone.length,
      ...(lostSoFar === 0 ? {} : { lost: lostSoFar }),
    },
    failures: [
      ...failures.map(({ orthancId, failure: { code, message } }) => ({ orthancId, code, message })),
      ...(lostSoFar === 0 ? [] : [{ orthancId: before.orthancSeries, ...reasonOf(FILE_MISSING) }]),
      ...gone.map(({ orthancId, file }) => ({ orthancId, file, ...reasonOf(FILE_MISSING) })),
    ],
    ...(gone.length === 0 ? {} : { missing: gone }),
    ...(warnings.length === 0 ? {} : { warnings }),
    provenance: provenanceOf(before, images, origin, system, now),
    instances,
    updated: now,
  };
}

const reasonOf = ({ code, message }: Failure): Reason => ({
  code,
  message,
});

/**
 * What Orthanc noted of the first of the images that were pulled; nothing where it is gone by now, or not told. The images
 * are there by then: nothing that is only good to know may hold them up. Where it is `needed`, as a destination's rule
 * asks for it, a failure of Orthanc is thrown, to be tried again.
 */
export async function originOf(
  images: readonly StoredInstance[],
  series: string,
  orthanc: Pick<Orthanc, 'origin'>,
  signal: AbortSignal,
  needed = false,
): Promise<Origin> {
  const [first] = images;
  if (first === undefined) return {};
  try {
    return await orthanc.origin(first.orthancId, series, signal);
  } catch (error) {
    if (signal.aborted || (needed && failureOf(error).code !== 'ORTHANC_GONE')) throw error;
    return {};
  }
}

/** The provenance with the increments that these images are. */
export function provenanceOf(
  { provenance: before, updated }: SeriesRecord,
  images: readonly StoredInstance[],
  origin: Origin,
  system: SystemInfo | undefined,
  now: string,
): Provenance {
  const known = before?.increments ?? [];
  const numbers = new Set(images.map(({ increment }) => increment));
  for (const { increment } of known) numbers.delete(increment);
  const fresh = [...numbers]
    .toSorted((a, b) => a - b)
    .map((increment) => {
      const own = images.filter((image) => image.increment === increment);
      const bytes = own.reduce((sum, image) => sum + image.bytes, 0);
      return { increment, images: own.length, bytes, ...origin, stored: now };
    });
  return {
    scanflow: VERSION,
    ...(system === undefined ? versionsOf(before) : { orthanc: system.version }),
    ...defined({ orthancDatabase: system?.database }),
    begun: before?.begun ?? updated ?? now,
    increments: [...known, ...fresh],
  };
}

/** Orthanc did not answer since the streamer began: what was known of it before. */
const versionsOf = (before: Provenance | undefined): Pick<Provenance, 'orthanc' | 'orthancDatabase'> => ({
  ...defined({
    orthanc: before?.orthanc,
    orthancDatabase: before?.orthancDatabase,
  }),
});
