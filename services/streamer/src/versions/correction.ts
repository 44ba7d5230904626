/**
 * A stored series whose images were sent again with other identifiers: it stays where it is, and shows until a person says
 * where it belongs (docs/storage.md, Sent again after a correction).
 */
import { type Failure, permanent } from '@scanflow/failure';
import { newest } from '../store/record.ts';
import { PASSING_KEYWORDS, type Attributes, type Route } from '../store/place/route.ts';
import type { SeriesRecord, Store, StoredInstance } from '../ports.ts';
import { decide, sameLabels, type Bookings } from '../store/place/place.ts';
import { attributesOf, seriesKeywords } from '../store/place/read-series.ts';
import type { Settings } from '../model/settings.ts';

export interface CorrectionDeps {
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
