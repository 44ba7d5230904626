/** Images of a series that came with different bytes under one SOP Instance UID, as people see them. */
import { newest } from '../store/record.ts';
import type { Ledger, SeriesRecord, SeriesView, Store } from '../ports.ts';
import { ofUid } from '../ledger/people.ts';

/** All stored versions of one image. */
export interface ImageVersions {
  readonly sopInstanceUid: string;
  /** The latest version is last. */
  readonly files: readonly StoredVersion[];
}

export interface StoredVersion {
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly increment: number;
  readonly differsFrom?: string;
  /** The latest version; destinations get this one. */
  readonly newest: boolean;
}

/** The same series under another patient or study, which Orthanc counts as another series. */
export type AnotherSeries = Pick<SeriesView, 'id' | 'state' | 'labels'>;

/** The images of one series that were sent again, as the API shows them. */
export async function sentAgain(
  view: SeriesView,
  { ledger, store }: { readonly ledger: Ledger; readonly store: Pick<Store, 'record'> },
): Promise<{ readonly versions: readonly ImageVersions[]; readonly sameUid: readonly AnotherSeries[] }> {
  const uid = view.attributes['SeriesInstanceUID'] ?? '';
  const others = uid === '' ? [] : (await ledger.read(ofUid, uid)).filter(({ id }) => id !== view.id);
  return {
    versions: await versionsIn(view, store),
    sameUid: others.map(({ id, state, labels }) => ({ id, state, labels })),
  };
}

/** Nothing if project storage does not answer now. */
async function versionsIn(
  { id, path, differing }: Pick<SeriesView, 'id' | 'path' | 'differing'>,
  store: Pick<Store, 'record'>,
): Promise<readonly ImageVersions[]> {
  if (path === undefined || differing === 0) return [];
  const record = await store.record(path).catch(() => undefined);
  return record?.orthancSeries === id ? versionsOf(record) : [];
}

/** Pure. */
export function versionsOf({ instances }: Pick<SeriesRecord, 'instances'>): ImageVersions[] {
  const latest = newest(instances);
  return [...Map.groupBy(instances, ({ sopInstanceUid }) => sopInstanceUid)]
    .filter(([uid, files]) => uid !== '' && files.length > 1)
    .map(([sopInstanceUid, files]) => ({
      sopInstanceUid,
      files: files
        .toSorted((a, b) => a.increment - b.increment || (a.version ?? 0) - (b.version ?? 0))
        .map((one) => ({
          file: one.file,
          sha256: one.sha256,
          bytes: one.bytes,
          increment: one.increment,
          ...(one.differsFrom === undefined ? {} : { differsFrom: one.differsFrom }),
          newest: latest.has(one),
        })),
    }));
}
