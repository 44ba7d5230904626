/** Finds everything of a subject, wherever it is: before the erasure, and once more after. */
import type { Labels } from '@scanflow/booking';
import type { InstanceListing } from '@scanflow/orthanc';
import { latest, type Decision } from '../model/decision.ts';
import { unlessGone } from '../model/failure.ts';
import { type ErasableSeries, erasableSeries } from './sql.ts';
import { decide } from '../store/place/place.ts';
import type { Settings } from '../model/settings.ts';
import { Gathered, type Holdings, type Subject, isOf, names } from './holdings.ts';
import type { Found } from './intent.ts';
import { withdraw } from '../hooks/bids.ts';
import { membersOf } from '../ledger/joined.ts';
import type { LoopDeps } from '../work/deps.ts';

const PAGE = 500;

/** @param known earlier findings; they count although nothing names them any more */
export async function findAll(
  wanted: Subject,
  deps: LoopDeps,
  signal: AbortSignal,
  known: readonly Found[] = [],
): Promise<Holdings> {
  const gathered = new Gathered(known);
  const booked = await deps.bookings.labelled((labels) => isOf(wanted, labels));
  for (const { accessionNumber, studyInstanceUid } of booked)
    gathered.booked(accessionNumber, studyInstanceUid);
  const kept = await deps.store.decisions();
  const rest = await gatherLedger(wanted, gathered, kept, deps, signal);
  for (const [id, { labels }] of kept) if (rest.has(id) && isOf(wanted, labels)) gathered.decided(id);
  await gatherStored(wanted, gathered, deps, signal);
  for (const id of kept.keys()) if (gathered.has(id)) gathered.kept(id);
  for await (const { below, record } of deps.copies?.recorded(signal) ?? [])
    if (gathered.has(record.orthancSeries)) gathered.copied(below, record);
  for (const id of gathered.ids()) gathered.joined(id, await deps.ledger.read(membersOf, id));
  const exams = await deps.exams.about(gathered.accessions, gathered.studies);
  gathered.count('exams', exams);
  for (const id of gathered.ids())
    gathered.count('images in Orthanc', await inOrthanc(id, gathered, deps.orthanc, signal));
  for (const one of await withdraw({ ...wanted, series: gathered.series() }, { preview: true }, deps, signal))
    gathered.converted(one);
  return gathered.result();
}

/** The series whose decision only project storage has. */
async function gatherLedger(
  wanted: Subject,
  gathered: Gathered,
  kept: ReadonlyMap<string, Decision>,
  deps: LoopDeps,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const rest = new Set(kept.keys());
  for (let after = ''; ;) {
    signal.throwIfAborted();
    const page = await deps.ledger.read(erasableSeries, after, PAGE);
    for (const one of page) {
      rest.delete(one.id);
      if (gathered.has(one.id) || (await isMeant(wanted, one, kept.get(one.id), gathered, deps)))
        gathered.inLedger(one);
      else gathered.another(one, wanted, kept.get(one.id));
    }
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return rest;
    after = last.id;
  }
}

/** The last decision of a person says whose it is, even before it is carried out. */
async function isMeant(
  wanted: Subject,
  one: ErasableSeries,
  kept: Decision | undefined,
  gathered: Gathered,
  { bookings, settings }: LoopDeps,
): Promise<boolean> {
  const decision = one.moving?.decision ?? latest(one.decision, kept);
  const labels = decision?.labels ?? one.labels ?? (await labelsOf(one, bookings, settings));
  return labels === undefined ? mentions(wanted, one.attributes, gathered) : isOf(wanted, labels);
}

async function gatherStored(
  wanted: Subject,
  gathered: Gathered,
  { store }: LoopDeps,
  signal: AbortSignal,
): Promise<void> {
  for await (const { below, record } of store.recorded(signal)) {
    const { orthancSeries: id, labels, movedTo, moved = [] } = record;
    if (gathered.has(id)) gathered.stored(below, record);
    else if (isOf(wanted, labels))
      if (movedTo !== undefined || gathered.isAnothers(id)) gathered.leftBehind(below, record);
      else gathered.stored(below, record);
    else if (moved.some((one) => names(wanted, one))) gathered.recordNaming(below, record);
  }
}

/**
 * What is in quarantine belongs to nobody yet: it is the subject's where it carries a number of its bookings, or where the
 * patient's name or number holds both codes. Pure.
 */
export function mentions(
  { project, subject, session }: Subject,
  attributes: ErasableSeries['attributes'],
  { accessions, studies }: Pick<Gathered, 'accessions' | 'studies'>,
): boolean {
  if (accessions.has((attributes['AccessionNumber'] ?? '').trim())) return true;
  if (studies.has((attributes['StudyInstanceUID'] ?? '').trim())) return true;
  const said = [attributes['PatientID'], attributes['PatientName']].map((text) => (text ?? '').toLowerCase());
  const named = said.some((text) => holds(text, project) && holds(text, subject));
  return named && (session === undefined || holds((attributes['StudyID'] ?? '').toLowerCase(), session));
}

/** As a whole word: `sub-1` is not in `sub-12`. */
function holds(text: string, code: string): boolean {
  const wanted = code.toLowerCase();
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1))
    if (!isWord(text[at - 1]) && !isWord(text[at + wanted.length])) return true;
  return false;
}

const isWord = (character: string | undefined): boolean =>
  character !== undefined && /[\p{L}\p{N}]/u.test(character);

/** For series that wait or are in quarantine: the labels that they would get. */
async function labelsOf(
  { attributes }: ErasableSeries,
  bookings: LoopDeps['bookings'],
  settings: Settings,
): Promise<Labels | undefined> {
  const decided = await decide(attributes, bookings, settings, undefined);
  return decided.kind === 'labels' ? decided.labels : undefined;
}

async function inOrthanc(
  series: string,
  gathered: Gathered,
  orthanc: LoopDeps['orthanc'],
  signal: AbortSignal,
): Promise<number> {
  const listed = await imagesOf(series, gathered.partsOf(series), orthanc, signal);
  for (const { tags } of listed.values()) gathered.instance(tags['SOPInstanceUID']);
  return listed.size;
}

/** By Orthanc's id, of the series and of all that were joined with it, whether or not the ledger still knows of the join. */
export async function imagesOf(
  series: string,
  parts: readonly string[],
  orthanc: LoopDeps['orthanc'],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, InstanceListing>> {
  const found = new Map<string, InstanceListing>();
  for (const one of new Set([series, ...parts]))
    for (const listing of (await unlessGone(orthanc.instances(one, signal))) ?? [])
      found.set(listing.id, listing);
  return found;
}
