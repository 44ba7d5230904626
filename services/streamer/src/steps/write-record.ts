/** What lies beside a series' images, written when they are all there: sums, archive, record. */
import { failureOf, type Failure } from '../domain/failure.ts';
import { grown } from '../domain/record.ts';
import type { Folder, Origin, SeriesRecord, StillOurs, Store, SystemInfo } from '../ports.ts';
import { reached } from '../trace.ts';
import { provenanceOf } from './provenance.ts';
import type { Pulled } from './pull-missing.ts';

export interface RecordContext {
  readonly store: Store;
  /** Each series also as one file. */
  readonly tar: boolean;
  readonly origin: Origin;
  readonly system: SystemInfo | undefined;
  readonly stillOurs: StillOurs;
}

/** The record of the series with what was pulled; `failure` is that of its archive. Throws what `stillOurs` throws. */
export async function writeRecord(
  folder: Folder,
  inOrthanc: number,
  pulled: Pulled,
  context: RecordContext,
): Promise<{ readonly record: SeriesRecord; readonly failure: Failure | undefined }> {
  const { store, tar, origin, system, stillOurs } = context;
  const record = recordOf(folder.record, inOrthanc, pulled, origin, system);
  // one that was written once is kept up to date, else it would lie there and miss images
  const archived = folder.record.archive !== undefined;
  const nothingNew = pulled.images.length + pulled.failures.length === 0 && folder.record.state === 'stored';
  if (nothingNew && (archived || !tar)) return { record, failure: undefined };
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
  { images, failures }: Pulled,
  origin: Origin,
  system: SystemInfo | undefined,
): SeriesRecord {
  const instances = grown(before.instances, images);
  const untagged = instances.filter((image) => image.untagged !== undefined).length;
  const now = Temporal.Now.instant().toString({ smallestUnit: 'millisecond' });
  return {
    ...before,
    state: 'stored',
    counts: { inOrthanc, stored: instances.length, untagged, failed: failures.length },
    failures: failures.map(({ orthancId, failure: { code, message } }) => ({ orthancId, code, message })),
    provenance: provenanceOf(before, images, origin, system, now),
    instances,
    updated: now,
  };
}
