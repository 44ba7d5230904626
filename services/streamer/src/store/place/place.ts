/** Where a series goes: read from its first image, decided by its booking or the patterns, claimed on disk. */
import { defined } from '@scanflow/failure/defined';
import type { Labels } from '@scanflow/booking';
import type { InstanceListing, Orthanc } from '@scanflow/orthanc';
import { recall, remember } from '../decisions.ts';
import { type Decision, sameLabels } from '../../model/decision.ts';
import { anonymous } from '../../model/erased.ts';
import type { EarlierStudy } from './reading.ts';
import { homeOf, folderNames, type Layout } from './layout.ts';
import { isUnmatched, PASSING_KEYWORDS, route, type Route, type Sender } from './route.ts';
import type { Attributes, Reason } from '../../model/series.ts';
import { SENT_BY } from '../../model/rule.ts';
import { sessionOf } from '../../sessions/plan.ts';
import { tagRecord } from '../record.ts';
import type { Folder, SeriesRecord, Store, TagRecord } from '../types.ts';
import type { StoreWork } from '../../ledger/rows.ts';
import { recordedBooking, type Bookings } from './bookings.ts';
import type { TellingImages } from '../versions.ts';
import { readSeries, seriesKeywords } from '../image.ts';
import type { Settings } from '../../model/settings.ts';
import { unlessGone } from '../../model/failure.ts';

/** Why a series must not be stored, from what is known of it before it has a folder. */
type Refusal = (attributes: Attributes, labels: Labels | undefined, decided: boolean) => Reason | undefined;

/** Other studies that are stored under these labels. */
type Earlier = (labels: Labels, session: string | undefined) => Promise<readonly EarlierStudy[]>;

export interface PlaceDeps {
  readonly earlier?: Earlier;
  readonly orthanc: Orthanc;
  readonly store: Store;
  readonly bookings: Bookings;
  readonly settings: Settings;
  /** Hears of everybody who sends. */
  readonly senders?: (sender: Sender) => Promise<void>;
  readonly refuse?: Refusal;
}

export interface Target {
  readonly kind: 'target';
  readonly folder: Folder;
  readonly layout: Layout;
  readonly attributes: Attributes;
  readonly labels: Labels | undefined;
  /** Labels and attributes, for the file's name. */
  readonly values: Attributes;
  /** By which a person gave it its labels. */
  readonly decision?: Decision | undefined;
}

export type Placement =
  Target | { readonly kind: 'quarantine'; readonly attributes: Attributes; readonly reason: Reason };

/**
 * What a person decided comes first. A series that has its folder keeps it: late images go where the first ones went, and
 * are not judged again.
 */
export async function findPlace(
  work: StoreWork,
  { first, uncorrected }: TellingImages,
  deps: PlaceDeps,
  signal: AbortSignal,
): Promise<Placement> {
  const { store, settings } = deps;
  const known = work.path === undefined ? undefined : await store.reopen(work.path, work.series);
  const notes = (await unlessGone(deps.orthanc.notes(work.series, signal))) ?? {};
  const decision = (await recall(work.series, work.decision, notes, deps)) ?? decisionBefore(known?.record);
  if (decision !== undefined) await remember(work.series, decision, deps, signal);
  const wanted = decision?.labels ?? work.labels;
  // where nobody gave any, those of the record are all there are
  if (known !== undefined && (wanted === undefined || sameLabels(wanted, known.record.labels)))
    return target(known, known.record.attributes, known.record.labels, settings, decision);
  const attributes = await readSeries(work.series, first, deps, signal, PASSING_KEYWORDS);
  const kept = work.path !== undefined && known === undefined && decision === undefined;
  const sender = await senderOf(first, work.series, deps, signal);
  const asImagesSay = async (): Promise<Route> => {
    const said = await decide(attributes, deps.bookings, settings, sender, deps.earlier);
    const all = await unlessInPart(work.series, said, uncorrected, sender, deps, signal);
    return unlessStored(work.series, attributes, all, deps);
  };
  const decided: Route =
    wanted === undefined
      ? await asImagesSay()
      : { kind: 'labels', labels: wanted, by: kept ? 'kept' : 'person' };
  return placeOrWait(work.series, attributes, decided, { decision, sender }, deps);
}

/** A correction counts for a series once all of its images say the same: until then a person decides. */
async function unlessInPart(
  series: string,
  said: Route,
  uncorrected: InstanceListing | undefined,
  sender: Sender,
  deps: PlaceDeps,
  signal: AbortSignal,
): Promise<Route> {
  if (uncorrected === undefined || said.kind !== 'labels') return said;
  const attributes = await readSeries(series, uncorrected, deps, signal, PASSING_KEYWORDS);
  const rest = await decide(attributes, deps.bookings, deps.settings, sender);
  if (rest.kind === 'labels' && sameLabels(rest.labels, said.labels)) return said;
  return { kind: 'quarantine', reason: CORRECTED_IN_PART };
}

const CORRECTED_IN_PART: Reason = {
  code: 'ROUTE_CORRECTED_IN_PART',
  message:
    'Some images of this series were sent again with other identifiers, and the others say something else. Send the rest again, too; or release the series with the right labels.',
};

/** Its folder, or why it gets none. */
function placeOrWait(
  series: string,
  attributes: Attributes,
  decided: Route,
  { decision, sender }: { readonly decision: Decision | undefined; readonly sender: Sender },
  deps: PlaceDeps,
): Promise<Placement> | Placement {
  const labels = decided.kind === 'labels' ? decided.labels : undefined;
  const erased = deps.refuse?.(attributes, labels, decision !== undefined);
  if (erased !== undefined) return { kind: 'quarantine', attributes: anonymous(attributes), reason: erased };
  if (decided.kind === 'quarantine')
    return { kind: 'quarantine', attributes: { ...attributes, ...noted(sender) }, reason: decided.reason };
  return claimPlace(series, withoutPassing(attributes, deps.settings), decided, decision, deps);
}

async function claimPlace(
  series: string,
  attributes: Attributes,
  decided: Exclude<Route, { kind: 'quarantine' }>,
  decision: Decision | undefined,
  deps: PlaceDeps,
): Promise<Target> {
  const labels = decided.kind === 'labels' ? decided.labels : undefined;
  const { names, root } = await standingPlace(series, attributes, labels, deps);
  const tag = await tagOf(attributes, deps);
  const fresh = freshRecord(series, attributes, labels, decided, tag, decision);
  const folder = await deps.store.claim(names, fresh, root);
  return target(folder, attributes, labels, deps.settings, decision);
}

/** Where a series with these attributes and labels belongs. Without a root: below the main one. */
export function placeFor(
  attributes: Attributes,
  labels: Labels | undefined,
  settings: Settings,
): { readonly names: readonly string[]; readonly root?: string; readonly layout: Layout } {
  return placeBy(described(attributes), labels, settings);
}

function placeBy(
  attributes: Attributes,
  labels: Labels | undefined,
  settings: Settings,
): ReturnType<typeof placeFor> {
  const { layout, root } = homeFor(labels, settings);
  const values: Attributes = { ...attributes, ...labels };
  const names = folderNames(layout, (keyword) => values[keyword]);
  return { names, layout, ...defined({ root }) };
}

/** The protocol names a series that has no description. */
function described(attributes: Attributes): Attributes {
  const { SeriesDescription = '', ProtocolName = '' } = attributes;
  if (SeriesDescription.trim() !== '' || ProtocolName.trim() === '') return attributes;
  return { ...attributes, SeriesDescription: ProtocolName };
}

/** As placeFor. A folder that 0.1.0 gave a series without a description stays its folder, also for a ledger made anew. */
async function standingPlace(
  series: string,
  attributes: Attributes,
  labels: Labels | undefined,
  { settings, store }: Pick<PlaceDeps, 'settings' | 'store'>,
): Promise<Pick<ReturnType<typeof placeFor>, 'names' | 'root'>> {
  const place = placeFor(attributes, labels, settings);
  if (described(attributes) === attributes) return place;
  const former = placeBy(attributes, labels, settings);
  return (await store.isAt(former.names, series, former.root)) ? former : place;
}

/** Of its first image. Throws where Orthanc cannot tell. */
async function senderOf(
  first: InstanceListing,
  series: string,
  { orthanc, senders }: PlaceDeps,
  signal: AbortSignal,
): Promise<Sender> {
  const { from: aet = '', called, address, uploaded } = await orthanc.origin(first.id, series, signal);
  const sender: Sender = {
    aet,
    ...defined({ called, address }),
    ...(uploaded === true ? { uploaded } : {}),
  };
  if (sender.uploaded !== true) await senders?.(sender);
  return sender;
}

/** As the ledger keeps it, to look at it again. */
const noted = ({ aet, uploaded }: Sender): Attributes => (uploaded === true ? {} : { [SENT_BY]: aet });

/** What was stored before a rule stood against it stays where it is, also when the ledger no longer knows of it. */
async function unlessStored(
  series: string,
  attributes: Attributes,
  decided: Route,
  { store, settings }: PlaceDeps,
): Promise<Route> {
  if (decided.kind !== 'quarantine' || decided.instead === undefined) return decided;
  const { labels, booking } = decided.instead;
  const { names, root } = await standingPlace(series, attributes, labels, { store, settings });
  if (!(await store.isAt(names, series, root))) return decided;
  return { kind: 'labels', labels, by: 'kept', ...defined({ booking }) };
}

/** Of a Scanflow that kept no decisions: its record says that a person gave the labels, not who and when. */
function decisionBefore(record: SeriesRecord | undefined): Decision | undefined {
  const { routedBy, labels, updated } = record ?? {};
  if (routedBy !== 'person' || labels === undefined || updated === undefined) return undefined;
  return { version: 1, kind: 'release', labels, at: updated, by: 'unknown', from: 'unknown' };
}

/**
 * The decision alone, from attributes that are known: also for quarantined series when bookings change. Without a sender
 * nobody asks who it was.
 */
export async function decide(
  attributes: Attributes,
  bookings: Bookings,
  { route: rules, unmatched }: Pick<Settings, 'route' | 'unmatched'>,
  sender: Sender | undefined,
  earlier?: Earlier,
): Promise<Route> {
  const byAccession = await bookings.byAccession((attributes['AccessionNumber'] ?? '').trim());
  const byStudy =
    byAccession === undefined ? await bookings.byStudy(attributes['StudyInstanceUID'] ?? '') : undefined;
  const known = await bookings.known();
  const input = { attributes, sender, byAccession, byStudy, known, rules };
  const first = route(input);
  const labels = first.kind === 'labels' ? first.labels : undefined;
  // what stands under these labels already is a sign like the others
  const others = labels === undefined ? [] : ((await earlier?.(labels, sessionOf(attributes))) ?? []);
  const decided = others.length === 0 ? first : route({ ...input, earlier: others });
  // its own layout is for images without labels, not for images with contradicting ones
  if (decided.kind !== 'quarantine' || unmatched === undefined || !isUnmatched(decided)) return decided;
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
  claimed: Folder,
  attributes: Attributes,
  labels: Labels | undefined,
  settings: Settings,
  decision: Decision | undefined,
): Target {
  // the file's own attributes come before the series': only attributes that no image has come from here
  const values: Attributes = { ...labels };
  const { layout } = homeFor(labels, settings);
  const folder =
    decision === undefined || claimed.record.decision !== undefined
      ? claimed
      : { ...claimed, record: { ...claimed.record, decision } };
  return { kind: 'target', folder, layout, attributes, labels, values, decision };
}

/** Without what was read for routing alone. */
function withoutPassing(attributes: Attributes, settings: Settings): Attributes {
  const wanted = new Set(seriesKeywords(settings));
  const passing = PASSING_KEYWORDS.filter((keyword) => !wanted.has(keyword));
  return Object.fromEntries(
    Object.entries(attributes).filter(([keyword]) => !passing.some((one) => one === keyword)),
  );
}

function freshRecord(
  series: string,
  attributes: Attributes,
  labels: Labels | undefined,
  decided: Route,
  tag: TagRecord | undefined,
  decision: Decision | undefined,
): SeriesRecord {
  const doubts = decided.kind === 'labels' ? (decided.doubts ?? []) : [];
  return {
    version: 1,
    orthancSeries: series,
    seriesInstanceUid: attributes['SeriesInstanceUID'] ?? '',
    state: 'storing',
    attributes,
    ...defined({ labels }),
    routedBy: decided.kind === 'labels' ? decided.by : 'unmatched',
    ...(decided.kind === 'labels' && decided.booking !== undefined
      ? { booking: recordedBooking(decided.booking) }
      : {}),
    ...(doubts.length === 0 ? {} : { doubts }),
    ...defined({ decision, tag }),
    counts: { inOrthanc: 0, stored: 0, untagged: 0, failed: 0 },
    failures: [],
    instances: [],
  };
}
