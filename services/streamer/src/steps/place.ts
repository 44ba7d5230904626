/** Where a series goes: read from its first image, decided by its booking or the patterns, claimed on disk. */
import type { BookingRecord, Labels } from '@scanflow/booking';
import { failureOf } from '../domain/failure.ts';
import { imageFacts, SERIES_KEYWORDS } from '../domain/image.ts';
import { homeOf } from '../domain/home.ts';
import { folderNames, keywordsOf, type Layout } from '../domain/layout.ts';
import { route, ROUTE_KEYWORDS, type Attributes, type Reason, type Route } from '../domain/route.ts';
import { tagRecord, type TagRecord } from '../domain/tag.ts';
import type {
  Folder,
  InstanceListing,
  Orthanc,
  RecordedBooking,
  SeriesRecord,
  Store,
  StoreWork,
} from '../ports.ts';
import type { Settings } from './settings.ts';

export interface Bookings {
  readonly byAccession: (accession: string) => Promise<BookingRecord | undefined>;
  readonly byStudy: (studyInstanceUid: string) => Promise<BookingRecord | undefined>;
}

export interface PlaceDeps {
  readonly orthanc: Orthanc;
  readonly store: Store;
  readonly bookings: Bookings;
  readonly settings: Settings;
}

export interface Target {
  readonly kind: 'target';
  readonly folder: Folder;
  readonly layout: Layout;
  readonly attributes: Attributes;
  readonly labels: Labels | undefined;
  /** Labels and attributes, for the file's name. */
  readonly values: Attributes;
}

export type Place =
  Target | { readonly kind: 'quarantine'; readonly attributes: Attributes; readonly reason: Reason };

/** A series that has its folder keeps it: late images go where the first ones went, unless a person gave other labels. */
export async function findPlace(
  work: StoreWork,
  first: InstanceListing,
  deps: PlaceDeps,
  signal: AbortSignal,
): Promise<Place> {
  const known = work.path === undefined ? undefined : await deps.store.reopen(work.path, work.series);
  if (known !== undefined && sameLabels(work.labels, known.record.labels))
    return target(known, known.record.attributes, known.record.labels, deps.settings);
  const attributes = await readSeries(work.series, first, deps, signal);
  const kept = work.path !== undefined && known === undefined;
  const decided: Route =
    work.labels === undefined
      ? await decide(attributes, deps.bookings, deps.settings)
      : { kind: 'labels', labels: work.labels, by: kept ? 'kept' : 'person' };
  if (decided.kind === 'quarantine') return { kind: 'quarantine', attributes, reason: decided.reason };
  const labels = decided.kind === 'labels' ? decided.labels : undefined;
  const { root, layout } = homeFor(labels, deps.settings);
  const values: Attributes = { ...attributes, ...labels };
  const names = folderNames(layout, (keyword) => values[keyword]);
  const tag = await tagOf(attributes, deps);
  const fresh = freshRecord(work.series, attributes, labels, decided, tag);
  const folder = await deps.store.claim(names, fresh, root);
  return target(folder, attributes, labels, deps.settings);
}

/** Also where the ledger knows none: then those of the record are all there are. */
const sameLabels = (given: Labels | undefined, recorded: Labels | undefined): boolean =>
  given === undefined ||
  (given.project === recorded?.project &&
    given.subject === recorded.subject &&
    given.session === recorded.session);

/** The decision alone, from attributes that are known: also for quarantined series when bookings change. */
export async function decide(
  attributes: Attributes,
  bookings: Bookings,
  { patterns, unmatched }: Pick<Settings, 'patterns' | 'unmatched'>,
): Promise<Route> {
  const byAccession = await bookings.byAccession((attributes['AccessionNumber'] ?? '').trim());
  const byStudy =
    byAccession === undefined ? await bookings.byStudy(attributes['StudyInstanceUID'] ?? '') : undefined;
  const decided = route({ attributes, byAccession, byStudy, patterns });
  if (decided.kind !== 'quarantine' || unmatched === undefined) return decided;
  return { kind: 'unmatched', reason: decided.reason };
}

/** The accession number is the booking's where there is one: the console's may be missing or mistyped. */
async function tagOf(
  attributes: Attributes,
  { bookings, settings }: PlaceDeps,
): Promise<TagRecord | undefined> {
  const { tag } = settings;
  const now = Temporal.Now.instant();
  if (tag.accession === undefined) return tagRecord(tag, { now });
  const own = attributes['AccessionNumber'] ?? '';
  const booking =
    (await bookings.byAccession(own.trim())) ??
    (await bookings.byStudy(attributes['StudyInstanceUID'] ?? ''));
  return tagRecord(tag, { accession: booking?.accessionNumber ?? own, now });
}

/** Without a root: the main one. */
function homeFor(
  labels: Labels | undefined,
  { layout, unmatched, homes = [] }: Settings,
): { readonly root?: string; readonly layout: Layout } {
  if (labels === undefined) return { layout: unmatched ?? layout };
  return homeOf(labels.project, homes) ?? { layout };
}

function target(
  folder: Folder,
  attributes: Attributes,
  labels: Labels | undefined,
  settings: Settings,
): Target {
  // the file's own attributes come before the series': only what no image has of its own is taken from here
  const values: Attributes = { ...labels };
  const { layout } = homeFor(labels, settings);
  return { kind: 'target', folder, layout, attributes, labels, values };
}

/** Keywords that have to be read of the first image. */
export function seriesKeywords({ patterns, layout, unmatched, homes = [], copy }: Settings): string[] {
  const labels = new Set(['project', 'subject', 'session']);
  const all = [
    ...SERIES_KEYWORDS,
    ...ROUTE_KEYWORDS,
    ...Object.keys(patterns),
    ...keywordsOf(layout),
    ...(unmatched === undefined ? [] : keywordsOf(unmatched)),
    ...homes.flatMap((home) => keywordsOf(home.layout)),
    ...(copy === undefined ? [] : keywordsOf(copy)),
  ];
  return [...new Set(all.filter((keyword) => !labels.has(keyword)))];
}

/** From the first image's own bytes: Orthanc's database loses characters. Only where they tell nothing, from it. */
export async function readSeries(
  series: string,
  first: InstanceListing,
  { orthanc, settings }: Pick<PlaceDeps, 'orthanc' | 'settings'>,
  signal: AbortSignal,
): Promise<Attributes> {
  const keywords = seriesKeywords(settings);
  const body = await orthanc.open(first.id, signal);
  const parts: Uint8Array[] = [];
  let held = 0;
  let wanted = 0;
  try {
    for await (const chunk of body.chunks) {
      parts.push(chunk);
      held += chunk.length;
      if (held < wanted) continue;
      const read = imageFacts(
        { bytes: Buffer.concat(parts), complete: held >= body.bytes, fileSize: body.bytes },
        keywords,
      );
      if ('needMore' in read) wanted = Math.max(read.needMore, 2 * held);
      else if (read.facts !== undefined) return read.facts.attributes;
      else break;
    }
  } catch (error) {
    // a file that cannot be read to its end shows again when it is pulled; a series is known by its database too
    if (signal.aborted || failureOf(error).code !== 'ORTHANC_TRUNCATED') throw error;
  }
  return { ...(await orthanc.seriesTags(series, signal)), ...first.tags };
}

function freshRecord(
  series: string,
  attributes: Attributes,
  labels: Labels | undefined,
  decided: Route,
  tag: TagRecord | undefined,
): SeriesRecord {
  return {
    version: 1,
    orthancSeries: series,
    seriesInstanceUid: attributes['SeriesInstanceUID'] ?? '',
    state: 'storing',
    attributes,
    ...(labels === undefined ? {} : { labels }),
    routedBy: decided.kind === 'labels' ? decided.by : 'unmatched',
    ...(decided.kind === 'labels' && decided.booking !== undefined
      ? { booking: recordedBooking(decided.booking) }
      : {}),
    ...(tag === undefined ? {} : { tag }),
    counts: { inOrthanc: 0, stored: 0, untagged: 0, failed: 0 },
    failures: [],
    instances: [],
  };
}

const recordedBooking = ({
  accessionNumber,
  studyInstanceUid,
  status,
  scanner,
  start,
  end,
  source,
  operator,
}: BookingRecord): RecordedBooking => ({
  accessionNumber,
  studyInstanceUid,
  status,
  scanner,
  start,
  end,
  calendar: source.calendar,
  event: source.uid,
  ...(operator === undefined ? {} : { operator }),
});
