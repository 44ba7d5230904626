/**
 * Images that were sent again. With other identifiers, the series stays where it is, and shows until a person says where it belongs
 * (docs/storage.md, Sent again after a correction). With other bytes, people see each version.
 */
import { defined } from '@scanflow/failure/defined';
import { type Failure, permanent } from '@scanflow/failure';
import { newest } from './record.ts';
import { PASSING_KEYWORDS, type Route } from './place/route.ts';
import type { Attributes } from '../model/series.ts';
import type { SeriesRecord, Store, StoredInstance } from './types.ts';
import { decide } from './place/place.ts';
import { attributesOf, seriesKeywords } from './image.ts';
import type { Settings } from '../model/settings.ts';
import type { Ledger } from '../ledger/tx.ts';
import type { SeriesView } from '../ledger/rows.ts';
import { ofUid } from '../ledger/views.ts';
import { sameLabels } from '../model/decision.ts';
import type { Bookings } from './place/bookings.ts';

interface CorrectionDeps {
  readonly store: Pick<Store, 'open'>;
  readonly bookings: Bookings;
  readonly settings: Settings;
}

/** Why a person has to decide; undefined if nothing was corrected, or a person has decided. */
export async function correctionOf(
  below: string,
  record: SeriesRecord,
  { store, bookings, settings }: CorrectionDeps,
): Promise<Failure | undefined> {
  const corrected = latestCorrection(record);
  if (corrected === undefined || isDecided(record, corrected)) return undefined;
  const keywords = seriesKeywords(settings);
  const said = await attributesOf(store.open(below, corrected), [...keywords, ...PASSING_KEYWORDS]).catch(
    // verification reports files that cannot be read
    () => undefined,
  );
  if (said === undefined) return undefined;
  const changed = changedIn(record.attributes, said, keywordsOfRoute(settings));
  if (changed.length === 0) return undefined;
  return undecided(changed, await decide(said, bookings, settings, undefined), record);
}

/** The latest image that came with other bytes than before. */
function latestCorrection({ instances }: SeriesRecord): StoredInstance | undefined {
  const files = Map.groupBy(instances, ({ sopInstanceUid }) => sopInstanceUid);
  return [...newest(instances)]
    .filter(({ sopInstanceUid }) => sopInstanceUid !== '' && (files.get(sopInstanceUid)?.length ?? 0) > 1)
    .toSorted((a, b) => b.increment - a.increment || (b.version ?? 0) - (a.version ?? 0))
    .at(0);
}

/** A person who decided after it came knew about it. */
function isDecided({ decision, provenance }: SeriesRecord, { increment }: StoredInstance): boolean {
  const stored = provenance?.increments.find((one) => one.increment === increment)?.stored;
  if (decision === undefined || stored === undefined) return false;
  return Temporal.Instant.compare(Temporal.Instant.from(decision.at), Temporal.Instant.from(stored)) >= 0;
}

const keywordsOfRoute = ({ route: { patterns } }: Settings): string[] => [
  ...new Set(['AccessionNumber', 'StudyInstanceUID', 'PatientID', 'StudyID', ...Object.keys(patterns)]),
];

const changedIn = (before: Attributes, now: Attributes, keywords: readonly string[]): string[] =>
  keywords.filter((keyword) => (before[keyword] ?? '').trim() !== (now[keyword] ?? '').trim());

function undecided(
  changed: readonly string[],
  decided: Route,
  { labels, orthancSeries }: SeriesRecord,
): Failure | undefined {
  if (decided.kind === 'labels' && labels !== undefined && sameLabels(decided.labels, labels))
    return undefined;
  const { project, subject, session } = decided.kind === 'labels' ? decided.labels : {};
  const would =
    decided.kind === 'labels'
      ? `by which it belongs to ${project} ${subject} ${session}`
      : `by which nobody can tell where it belongs (${decided.reason.code})`;
  const id = orthancSeries.slice(0, 8);
  return permanent(
    'ROUTE_CORRECTED',
    `Images of this series were sent again with another ${changed.join(', ')}, ${would}. It stays where it is; both are stored. Find out which is right. Then: scanflow series move ${id} with the right labels; or scanflow series release ${id} with those that it has.`,
  );
}

/** All stored versions of one image. */
interface ImageVersions {
  readonly sopInstanceUid: string;
  /** The latest version is last. */
  readonly files: readonly StoredVersion[];
}

interface StoredVersion {
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly increment: number;
  readonly differsFrom?: string;
  /** The latest version; destinations get this one. */
  readonly newest: boolean;
}

/** The same series under another patient or study, which Orthanc counts as another series. */
type AnotherSeries = Pick<SeriesView, 'id' | 'state' | 'labels'>;

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
          ...defined({ differsFrom: one.differsFrom }),
          newest: latest.has(one),
        })),
    }));
}
