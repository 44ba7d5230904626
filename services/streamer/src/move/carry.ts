/** Copies the images of a stored series to another place, byte for byte: from storage, else from Orthanc. */
import { createHash } from 'node:crypto';
import { pool } from '@scanflow/runtime';
import { FailureError, permanent } from '@scanflow/failure';
import type { InstanceBody, InstanceListing, Orthanc } from '@scanflow/orthanc';
import type { PullLimits } from '../model/settings.ts';
import { failureOf } from '../model/failure.ts';
import { fileName, keywordsOf, type Layout } from '../store/place/layout.ts';
import type { Attributes } from '../model/series.ts';
import type { Folder, SeriesRecord, Store, StoredInstance, TagRecord } from '../store/types.ts';
import { copyTagged } from '../store/pull.ts';
import { reached } from '../work/trace.ts';

export interface Carry {
  readonly store: Store;
  readonly orthanc: Pick<Orthanc, 'open'>;
  readonly from: Folder;
  readonly to: Folder;
  readonly layout: Layout;
  /** Labels for file names. */
  readonly values: Attributes;
  /** The images that Orthanc still has. */
  readonly listed: readonly InstanceListing[];
  readonly limits: PullLimits;
}

/** The entries of the record at the new place; `carried` has those that are there so far. Throws MOVE_SOURCE_CHANGED where nobody has the bytes that were stored. */
export async function carryAll(
  context: Carry,
  carried: Map<StoredInstance, StoredInstance>,
  signal: AbortSignal,
): Promise<readonly StoredInstance[]> {
  const { record } = context.from;
  await pool(record.instances, { ...context.limits, bytesOf: ({ bytes }) => bytes }, async (entry) => {
    signal.throwIfAborted();
    const { file } = await carryOne(entry, record, context, signal);
    carried.set(entry, { ...entry, file });
    reached('image-moved', { file });
  });
  const renamed = new Map([...carried].map(([before, after]) => [before.file, after.file]));
  return record.instances.map((entry) => {
    const { differsFrom, ...rest } = carried.get(entry) ?? entry;
    return differsFrom === undefined
      ? rest
      : { ...rest, differsFrom: renamed.get(differsFrom) ?? differsFrom };
  });
}

async function carryOne(
  entry: StoredInstance,
  record: SeriesRecord,
  context: Carry,
  signal: AbortSignal,
): Promise<{ readonly file: string }> {
  const { store, orthanc, from, listed } = context;
  const stored = await copyVerified(entry, () => store.open(from.below, entry), undefined, context);
  if (stored !== undefined) return stored;
  const source = listed.find(({ id, fileUuid }) => id === entry.orthancId && fileUuid === entry.fileUuid);
  const tag = entry.untagged === undefined ? record.tag : undefined;
  const anew =
    source === undefined
      ? undefined
      : await copyVerified(entry, () => orthanc.open(source, signal), tag, context);
  if (anew === undefined) throw new FailureError(CHANGED);
  return anew;
}

const CHANGED = permanent(
  'MOVE_SOURCE_CHANGED',
  'The series was not moved: a stored image is missing or changed, and Orthanc does not have it either. Put the file back, then move the series again.',
);

/** Renamed into place only if the bytes are those that were stored; undefined otherwise. */
async function copyVerified(
  entry: StoredInstance,
  source: () => InstanceBody | Promise<InstanceBody>,
  tag: TagRecord | undefined,
  { store, to, layout, values }: Carry,
): Promise<{ readonly file: string } | undefined> {
  const file = await store.create(to, entry.bytes);
  const hash = createHash('sha256');
  const keywords = keywordsOf({ folder: [], file: layout.file }).filter((keyword) => !(keyword in values));
  const hashed = {
    write: (chunk: Uint8Array): Promise<void> => {
      hash.update(chunk);
      return file.write(chunk);
    },
  };
  try {
    const copy = await copyTagged(await source(), hashed, tag, keywords);
    if (hash.digest('hex') !== entry.sha256) return undefined;
    const attributes = copy.facts?.attributes;
    const name =
      attributes === undefined
        ? entry.file
        : fileName(layout, (keyword) => attributes[keyword] ?? values[keyword]);
    const { file: published } = await file.publish(name);
    return { file: published };
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  } finally {
    await file.discard();
  }
}

const isAbsent = (error: unknown): boolean =>
  ABSENT.has(failureOf(error).code) || (error instanceof Error && 'code' in error && error.code === 'ENOENT');
const ABSENT: ReadonlySet<string> = new Set(['ORTHANC_GONE', 'ORTHANC_CORRUPT', 'ORTHANC_TRUNCATED']);
