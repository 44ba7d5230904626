/** A stored session becomes part of a BIDS dataset: facts, plan, conversion aside, checks, validation, publishing. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, statfs, symlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Plan } from '@scanflow/bids';
import { convertSession, newDataset, sessionFolder, type SeriesConverted } from './convert.ts';
import { datasetFiles, writeDatasetFiles, type DatasetInput } from './dataset.ts';
import { dcm2niixVersion } from './dcm2niix.ts';
import type { SeriesRead } from './facts.ts';
import { look } from './look.ts';
import { gone, hashOf, writeFailure, writeNew } from './files.ts';
import { withLock } from './lock.ts';
import {
  hashesOf,
  provenancePath,
  readProvenance,
  requireFree,
  STATE,
  unitOf,
  type Provenance,
} from './provenance.ts';
import {
  finishAll,
  journalNames,
  joinPeople,
  judgeFolder,
  publish,
  type Standing,
  type Step,
} from './publish.ts';
import { scansPath, onlyParticipants, scansTable } from './tables.ts';
import { jsonText, SCRUBBED } from './sidecar.ts';
import { validateDataset } from './validate.ts';
import { outcomeOf, provenanceOf } from './outcome.ts';
import type { Outcome, SessionOptions, SessionRequest } from './types.ts';
import { writeFileAtomic } from '@scanflow/runtime';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const LOCK_MS = 600_000;
/** Series at a time: while one is compressed, dcm2niix reads the next. */
const AT_ONCE = 2;
/** With less room, one at a time: no series gives room back at the moment when another one lacked it. */
const SHORT_OF_ROOM = 4 * 1024 ** 3;

/**
 * Converts a session and puts it into the dataset. Rejects with FailureError (`BIDS_…`) where nothing could be done; a series
 * that fails stands in the outcome. Repeatable after a kill at any point.
 */
export async function bidsSession(
  request: SessionRequest,
  options: SessionOptions,
  signal: AbortSignal,
): Promise<Outcome> {
  const root = request.datasetRoot;
  try {
    const version = await dcm2niixVersion(options.dcm2niix, signal);
    await mkdir(join(root, STATE), { recursive: true });
    // a session that is away does not wait until another one is converted
    await recoverDataset(root, options, signal);
    // before the plan names the folder: of one registration only one worker works at a time
    const unit = lockOf(request);
    return await locked(root, sessionLock(request), options, signal, async () => {
      const aside = join(STATE, `aside-${unit}-${randomBytes(6).toString('hex')}`);
      await removeAsides(root, unit);
      await mkdir(join(root, aside), { recursive: true });
      try {
        return await work({ request, options, root, aside, version }, signal);
      } finally {
        // not what a journal names: that is on its way into the dataset, with files of people in it
        await removeAsides(root, unit).catch(() => undefined);
      }
    });
  } catch (error) {
    throw writeFailure(error, root);
  }
}

/**
 * Completes what killed workers began in a dataset, so that no session is away while nobody asks for it again. For the start of
 * the service. Does nothing where there is no dataset of ours.
 */
export async function recoverDataset(
  root: string,
  options: Pick<SessionOptions, 'lockTimeoutMs'>,
  signal: AbortSignal,
): Promise<void> {
  if ((await journalNames(root)).length > 0)
    await locked(root, 'dataset', options, signal, () => finishAll(root, () => undefined));
}

/** A name for the labels of a session, as a part of names of files. */
export const lockOf = ({ subject, session }: Pick<SessionRequest, 'subject' | 'session'>): string =>
  `${subject}_${session ?? ''}`.replaceAll(/[^\w-]/g, '_');

export const sessionLock = (labels: Pick<SessionRequest, 'subject' | 'session'>): string =>
  `session-${lockOf(labels)}`;

/** Where the lock `name` of a dataset lies. */
export const lockPath = (root: string, name: string): string => join(root, STATE, 'locks', name);

export const locked = <T>(
  root: string,
  name: string,
  { lockTimeoutMs = LOCK_MS }: Pick<SessionOptions, 'lockTimeoutMs'>,
  signal: AbortSignal,
  run: () => Promise<T>,
): Promise<T> =>
  withLock(
    lockPath(root, name),
    { timeoutMs: lockTimeoutMs, what: `the dataset ${root} (${name})` },
    signal,
    run,
  );

/** Of killed workers; those that a journal names are still to come in. The caller holds the lock of the session. */
export async function removeAsides(root: string, unit: string): Promise<void> {
  const state = join(root, STATE);
  const named: string[] = [];
  for (const name of await journalNames(root))
    named.push((await readFile(join(state, 'journal', name), 'utf8').catch(gone)) ?? '');
  const pattern = new RegExp(`^aside-${unit}-[0-9a-f]{12}$`);
  for (const name of await readdir(state))
    if (pattern.test(name) && !named.some((text) => text.includes(name)))
      await rm(join(state, name), { recursive: true, force: true });
}

interface Job {
  readonly request: SessionRequest;
  readonly options: SessionOptions;
  readonly root: string;
  /** Relative to the dataset. */
  readonly aside: string;
  readonly version: string;
}

async function work(job: Job, signal: AbortSignal): Promise<Outcome> {
  const { request, options, root, version } = job;
  const aside = join(root, job.aside);
  const looked = await look(request, options, aside, signal);
  const { plan, reads } = looked;
  const folder = sessionFolder(plan);
  await requireFree(root, folder, request);
  const { dcm2niix, scrub = SCRUBBED, onProgress } = options;
  const of = plan.series.filter(({ decision }) => decision === 'convert').length;
  const onSeries = (done: number): void => onProgress?.({ step: 'convert', done, of });
  const { bavail, bsize } = await statfs(aside);
  const atOnce = bavail * bsize < SHORT_OF_ROOM ? 1 : AT_ONCE;
  const common = { storageRoot: request.storageRoot, aside, dcm2niix, scrub, atOnce };
  const converted = await convertSession(plan, reads, { ...common, onSeries }, signal);
  await rm(join(aside, 'raw'), { recursive: true, force: true });
  const versions = { dcm2niix: version, scanflow: options.scanflowVersion };
  const told = { plan, reads, converted, folder, versions };
  if (converted.every(({ files }) => files.length === 0))
    return outcomeOf({ ...told, state: 'empty', kept: [], verdict: undefined });
  onProgress?.({ step: 'validate', done: 0, of: 1 });
  return locked(root, 'dataset', options, signal, () => bringIn(job, told, signal));
}

interface Told {
  readonly plan: Plan;
  readonly reads: ReadonlyMap<string, SeriesRead>;
  readonly converted: readonly SeriesConverted[];
  readonly folder: string;
  readonly versions: { readonly dcm2niix: string; readonly scanflow: string };
}

/** With the lock of the dataset. */
async function bringIn(job: Job, told: Told, signal: AbortSignal): Promise<Outcome> {
  const { request, options, root } = job;
  const { folder, converted } = told;
  const aside = join(root, job.aside);
  const step: Step = options.beforeStep ?? (() => undefined);
  await finishAll(root, step);
  await requireFree(root, folder, request);
  const before = await readProvenance(root, folder);
  const standing = await judgeFolder(root, folder, hashesOf(before));
  const scans = await writeScans(job, told, standing, hashesOf(before));
  const others = standing.people.filter(({ path }) => path !== scans.path);
  const kept = await joinPeople(root, aside, folder, { people: others });
  const top = await datasetFiles(root, datasetInput(job, told));
  await writeView(root, aside, folder, top);
  const verdict = await validateDataset(newDataset(aside), options.validator, signal);
  const provenance = provenanceOf({
    ...told,
    request,
    scans: { path: scans.path, sha256: scans.sha256 },
    kept,
    verdict,
  });
  const result = (state: Outcome['state']): Outcome => outcomeOf({ ...told, state, kept, verdict });
  signal.throwIfAborted();
  if (verdict.verdict === 'invalid' && options.publishInvalid !== true) {
    await keepInvalid(root, aside, folder);
    return result('kept aside');
  }
  options.onProgress?.({ step: 'publish', done: 0, of: converted.length });
  const text = jsonText(provenance);
  const isSame = await isPublished(root, provenance, standing, scans);
  if (isSame) await writeFileAtomic(provenancePath(root, folder), text);
  else await publish({ root, aside: job.aside, folder, standing, provenance: text }, step);
  await step('dataset');
  await writeDatasetFiles(root, top);
  await step('done');
  await rm(join(root, STATE, 'invalid', unitOf(folder)), { recursive: true, force: true });
  return result(isSame ? 'unchanged' : 'published');
}

interface ScansFile {
  readonly path: string;
  /** Of the table without people's part, so that a table with such a part counts as changed. */
  readonly sha256: string;
  /** Of the file. */
  readonly written: string;
}

/** `scans.tsv`, with what people wrote into the one that is there. */
async function writeScans(
  { root, aside, options }: Job,
  { reads, converted, folder }: Told,
  { people }: Standing,
  former: ReadonlyMap<string, string>,
): Promise<ScansFile> {
  const path = scansPath(folder);
  const inFolder = (name: string): string => name.slice(folder.length + 1);
  const scans = converted.flatMap(({ series, files }) =>
    files
      .filter((file) => file.path.endsWith('.nii.gz'))
      .map((file) => ({
        filename: inFolder(file.path),
        acquired: reads.get(series.id)?.facts.acquired.from ?? '',
      })),
  );
  const isTheirs = people.some((one) => one.path === path);
  const theirs = isTheirs ? await readFile(join(root, path), 'utf8') : undefined;
  const days = options.shiftDays ?? 0;
  const text = scansTable(scans, days, theirs, new Set([...former.keys()].map(inFolder)));
  await writeNew(join(newDataset(join(root, aside)), path), text);
  return { path, sha256: sha256(scansTable(scans, days)), written: sha256(text) };
}

const datasetInput = ({ request, options, root }: Job, { plan, versions }: Told): DatasetInput => ({
  project: request.project,
  participant: `sub-${plan.subject}`,
  versions,
  description: options.description ?? {},
  source: `file:${encodeURI(relative(root, request.storageRoot) || '.')}`,
  today: Temporal.Now.plainDateISO('UTC').toString(),
});

/** A dataset of this session alone, with the files that the top will have. */
async function writeView(
  root: string,
  aside: string,
  folder: string,
  top: ReadonlyMap<string, string>,
): Promise<void> {
  const [subject = ''] = folder.split('/');
  const view = newDataset(aside);
  const texts = new Map(top);
  const participants = 'participants.tsv';
  const known = texts.get(participants) ?? (await readFile(join(root, participants), 'utf8'));
  texts.set(
    participants,
    onlyParticipants(known, (one) => one === subject),
  );
  for (const [name, text] of texts) await writeNew(join(view, name), text);
  for (const entry of await readdir(root, { withFileTypes: true })) {
    const isPart = entry.isFile() && !entry.name.startsWith('.') && !texts.has(entry.name);
    if (isPart || (entry.name === '.bidsignore' && !texts.has(entry.name)))
      await symlink(join(root, entry.name), join(view, entry.name));
  }
}

/** Where people look at it: `.scanflow/invalid/sub-001_ses-mr01`. The dataset does not change. */
async function keepInvalid(root: string, aside: string, folder: string): Promise<void> {
  const to = join(root, STATE, 'invalid', unitOf(folder));
  await rm(to, { recursive: true, force: true });
  await mkdir(join(root, STATE, 'invalid'), { recursive: true });
  await rename(join(newDataset(aside), folder), to);
}

/** The dataset has these bytes already: ours and nothing else that would have to go. */
async function isPublished(
  root: string,
  provenance: Provenance,
  { ours, people }: Standing,
  scans: ScansFile,
): Promise<boolean> {
  const wanted = new Map([...hashesOf(provenance), [scans.path, scans.written]]);
  const places = new Set(people.map(({ path }) => path).filter((path) => path !== scans.path));
  for (const [path, hash] of wanted) {
    if (places.has(path)) continue;
    const isThere = ours.includes(path) || path === scans.path;
    if (!isThere || (await hashOf(join(root, path)).catch(gone)) !== hash) return false;
  }
  return ours.every((path) => wanted.has(path));
}
