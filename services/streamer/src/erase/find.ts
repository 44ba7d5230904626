/** Finds everything of a subject, wherever it is: before the erasure, and once more after. */
import type { Labels } from '@scanflow/booking';
import type { Bookings } from '../store/place/bookings.ts';
import type { ExamCounts } from '../intake/exam-counts.ts';
import { latest, type Decision } from '../model/decision.ts';
import { failureOf } from '../model/failure.ts';
import type { HeldSeries, Ledger, Orthanc, SeriesRecord, Store } from '../ports.ts';
import { decide } from '../store/place/place.ts';
import type { Settings } from '../model/settings.ts';
import type { Found, Intent } from './intent.ts';
import { isOf, names } from './mentions.ts';
import { erasableSeries } from './sql.ts';

export interface FindDeps {
  readonly ledger: Ledger;
  readonly orthanc: Orthanc;
  readonly store: Store;
  readonly copies?: Store | undefined;
  readonly bookings: Bookings;
  readonly exams: Pick<ExamCounts, 'about'>;
  readonly settings: Settings;
}

export type Subject = Pick<Intent, 'project' | 'subject' | 'session'>;

export interface Holdings {
  readonly series: readonly Found[];
  /** UIDs of images and bookings. */
  readonly accessions: readonly string[];
  readonly studies: readonly string[];
  readonly seriesUids: readonly string[];
  readonly instances: readonly string[];
  /** Counts by place. */
  readonly counts: Readonly<Record<string, number>>;
  /** Number of images that each destination holds or may hold. */
  readonly destinations: Readonly<Record<string, number>>;
  readonly hooks: readonly string[];
  /** For series that now belong to another subject: folders that their moves kept, and the records of those moves. */
  readonly others: Others;
  /** Series with a recorded decision that has to go. */
  readonly decisions: readonly string[];
}

export interface Others {
  readonly folders: readonly { readonly id: string; readonly path: string }[];
  readonly records: readonly { readonly id: string; readonly path: string }[];
  readonly rows: readonly HeldSeries[];
}

const PAGE = 500;

/** @param known earlier findings; they count although nothing names them any more */
export async function findAll(
  wanted: Subject,
  deps: FindDeps,
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
  const exams = await deps.exams.about(gathered.accessions, gathered.studies);
  gathered.count('exams', exams);
  for (const id of gathered.ids())
    gathered.count('images in Orthanc', await inOrthanc(id, gathered, deps.orthanc, signal));
  return gathered.result();
}

/** The series whose decision only project storage has. */
async function gatherLedger(
  wanted: Subject,
  gathered: Gathered,
  kept: ReadonlyMap<string, Decision>,
  deps: FindDeps,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const rest = new Set(kept.keys());
  for (let after = ''; ;) {
    signal.throwIfAborted();
    const page = await deps.ledger.read(erasableSeries, after, PAGE);
    for (const one of page) {
      rest.delete(one.id);
      if (gathered.has(one.id) || (await isMeant(wanted, one, kept.get(one.id), gathered, deps)))
        gathered.held(one);
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
  one: HeldSeries,
  kept: Decision | undefined,
  gathered: Gathered,
  { bookings, settings }: FindDeps,
): Promise<boolean> {
  const decision = one.moving?.decision ?? latest(one.decision, kept);
  const labels = decision?.labels ?? one.labels ?? (await labelsOf(one, bookings, settings));
  return labels === undefined ? mentions(wanted, one.attributes, gathered) : isOf(wanted, labels);
}

async function gatherStored(
  wanted: Subject,
  gathered: Gathered,
  { store }: FindDeps,
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
  attributes: HeldSeries['attributes'],
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
  { attributes }: HeldSeries,
  bookings: FindDeps['bookings'],
  settings: Settings,
): Promise<Labels | undefined> {
  const decided = await decide(attributes, bookings, settings, undefined);
  return decided.kind === 'labels' ? decided.labels : undefined;
}

async function inOrthanc(
  series: string,
  gathered: Gathered,
  orthanc: FindDeps['orthanc'],
  signal: AbortSignal,
): Promise<number> {
  const listed = await instancesOf(series, orthanc, signal);
  for (const { tags } of listed) gathered.instance(tags['SOPInstanceUID']);
  return listed.length;
}

/** None if Orthanc does not have the series. */
export async function instancesOf(
  series: string,
  orthanc: Pick<Orthanc, 'instances'>,
  signal: AbortSignal,
): ReturnType<Orthanc['instances']> {
  try {
    return await orthanc.instances(series, signal);
  } catch (error) {
    if (failureOf(error).code === 'ORTHANC_GONE') return [];
    throw error;
  }
}

interface Gathering {
  readonly paths: Set<string>;
  readonly copies: Set<string>;
  session: string | undefined;
}

class Gathered {
  readonly #series = new Map<string, Gathering>();
  readonly accessions = new Set<string>();
  readonly studies = new Set<string>();
  readonly #uids = new Set<string>();
  readonly #instances = new Set<string>();
  readonly #counts: Record<string, number> = {};
  readonly #destinations: Record<string, number> = {};
  readonly #hooks = new Set<string>();
  readonly #anothers = new Set<string>();
  readonly #underway = new Set<string>();
  readonly #decisions = new Set<string>();
  readonly #folders: { id: string; path: string }[] = [];
  readonly #records: { id: string; path: string }[] = [];
  readonly #rows: HeldSeries[] = [];

  constructor(known: readonly Found[]) {
    for (const { id, session, paths, copies } of known)
      this.#series.set(id, { session, paths: new Set(paths), copies: new Set(copies) });
  }

  has(id: string): boolean {
    return this.#series.has(id);
  }

  ids(): readonly string[] {
    return [...this.#series.keys()];
  }

  count(what: string, number: number): void {
    if (number > 0) this.#counts[what] = (this.#counts[what] ?? 0) + number;
  }

  held({ id, attributes, path, copyPath, session, legs, hooks }: HeldSeries): void {
    const one = this.#of(id);
    one.session = session ?? one.session;
    if (path !== undefined) one.paths.add(path);
    if (copyPath !== undefined) one.copies.add(copyPath);
    this.count('series in the ledger', 1);
    this.#study(attributes);
    for (const { target, done, through, total } of legs)
      if (through > 0 && !/^(?:storage$|copy$|commitment:)/.test(target))
        this.#destinations[target] = (this.#destinations[target] ?? 0) + Math.max(done, total);
    for (const hook of hooks) this.#hooks.add(hook);
  }

  /** A series in the ledger that belongs to another subject. */
  another(one: HeldSeries, wanted: Subject, kept: Decision | undefined): void {
    this.#anothers.add(one.id);
    if (kept !== undefined && isOf(wanted, kept.labels)) this.kept(one.id);
    const named = (one.moved ?? []).some((moved) => names(wanted, moved));
    if (isOf(wanted, one.moving?.was.labels)) {
      // its move still needs the old folder; afterwards there is something to remove
      this.#underway.add(one.id);
      this.count('moves to another subject under way', 1);
    } else if (named) {
      this.#rows.push(one);
      this.count('moves on record of other series', 1);
    }
  }

  isAnothers(id: string): boolean {
    return this.#anothers.has(id);
  }

  /** By a decision that only project storage has. */
  decided(id: string): void {
    this.#of(id);
  }

  kept(id: string): void {
    this.#decisions.add(id);
    this.count('decisions', 1);
  }

  leftBehind(below: string, { orthancSeries: id, instances }: SeriesRecord): void {
    if (this.#underway.has(id)) return;
    this.#folders.push({ id, path: below });
    this.count('images in project storage', instances.length);
    this.count('folders that moves left', 1);
  }

  recordNaming(below: string, { orthancSeries: id }: SeriesRecord): void {
    if (this.#underway.has(id)) return;
    this.#records.push({ id, path: below });
    this.count('records of moves', 1);
  }

  stored(below: string, record: SeriesRecord): void {
    if (record.instances.length === 0) this.count('folders without images', 1);
    this.#of(record.orthancSeries).paths.add(below);
    this.#record(record);
    this.count('images in project storage', record.instances.length);
  }

  copied(below: string, record: SeriesRecord): void {
    this.#of(record.orthancSeries).copies.add(below);
    this.#record(record);
    this.count('images in the copy', record.instances.length);
  }

  booked(accession: string, study: string): void {
    this.accessions.add(accession);
    this.studies.add(study);
    this.count('bookings', 1);
  }

  instance(uid: string | undefined): void {
    if (uid !== undefined && uid !== '') this.#instances.add(uid);
  }

  result(): Holdings {
    return {
      series: [...this.#series].map(([id, { session, paths, copies }]) => ({
        id,
        ...(session === undefined ? {} : { session }),
        paths: [...paths],
        copies: [...copies],
      })),
      accessions: [...this.accessions],
      studies: [...this.studies],
      seriesUids: [...this.#uids],
      instances: [...this.#instances],
      counts: this.#counts,
      destinations: this.#destinations,
      hooks: [...this.#hooks],
      others: { folders: this.#folders, records: this.#records, rows: this.#rows },
      decisions: [...this.#decisions],
    };
  }

  #of(id: string): Gathering {
    const known = this.#series.get(id);
    if (known !== undefined) return known;
    const fresh: Gathering = { paths: new Set(), copies: new Set(), session: undefined };
    this.#series.set(id, fresh);
    return fresh;
  }

  #record({ attributes, instances }: SeriesRecord): void {
    this.#study(attributes);
    for (const { sopInstanceUid } of instances) this.instance(sopInstanceUid);
  }

  #study(attributes: Readonly<Record<string, string | undefined>>): void {
    const study = attributes['StudyInstanceUID'] ?? '';
    const uid = attributes['SeriesInstanceUID'] ?? '';
    if (study !== '') this.studies.add(study);
    if (uid !== '') this.#uids.add(uid);
  }
}
