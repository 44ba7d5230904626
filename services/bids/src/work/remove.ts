/** Takes sessions out of a dataset: after a withdrawal of consent, or once a session got other labels. Files of people stay, and are named. */
import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { bidsLabel } from '@scanflow/bids';
import { codeOf } from '@scanflow/failure';
import { fsyncFolder } from '@scanflow/runtime';
import { exists, gone, listFiles, writeFailure } from './files.ts';
import { hashesOf, readProvenance, STATE, unitOf, type Provenance } from './provenance.ts';
import { finishAll, judgeFolder, takeOut, type Standing } from './publish.ts';
import { dropRows, scansPath, withoutParticipant } from './tables.ts';
import { locked, lockOf, lockPath, removeAsides, sessionLock } from './session.ts';

export interface RemoveRequest {
  readonly project: string;
  /** Scanflow's labels. */
  readonly subject: string;
  /** Undefined: all sessions of the subject. */
  readonly session: string | undefined;
  /** Only what came of this registration; undefined: of any. */
  readonly accessionNumber: string | undefined;
  /** Only sessions that have one of these series; undefined: any. */
  readonly series?: readonly string[];
  /** Consent was withdrawn: the row in `participants.tsv` goes even where people wrote into it, and so does every other trace of ours. */
  readonly erased: boolean;
  readonly datasetRoot: string;
}

export interface Removed {
  /** Sessions, relative to the dataset. */
  readonly folders: readonly string[];
  /** Files and rows of ours. */
  readonly files: number;
  /** Files of people, or that people changed, relative to the dataset. They stay. */
  readonly kept: readonly string[];
}

interface RemoveOptions {
  /** Looks, and changes nothing. */
  readonly preview?: boolean;
  readonly lockTimeoutMs?: number;
  /** For tests: called before each step. */
  readonly beforeStep?: (step: string) => void | Promise<void>;
}

/** Repeatable, also after a kill at any point. Rejects with FailureError; the dataset then has the whole session, or the journal completes it. */
export async function removeSessions(
  request: RemoveRequest,
  options: RemoveOptions,
  signal: AbortSignal,
): Promise<Removed> {
  const root = request.datasetRoot;
  const subject = `sub-${bidsLabel(request.subject, 'sub')}`;
  if (!(await exists(join(root, STATE)))) return { folders: [], files: 0, kept: [] };
  try {
    const inDataset = <T>(run: () => Promise<T>): Promise<T> => locked(root, 'dataset', options, signal, run);
    const step = options.beforeStep ?? (() => undefined);
    if (options.preview !== true) await inDataset(() => finishAll(root, step));
    const found = await holdings(request);
    if (options.preview === true) return found.removed;
    for (const { subject: of, session, folder } of found.records)
      await locked(root, sessionLock({ subject: of, session }), options, signal, () =>
        inDataset(() => takeSession(request, folder, step)),
      );
    for (const unit of found.asides)
      await locked(root, `session-${unit}`, options, signal, () => removeAsides(root, unit));
    await inDataset(async () => {
      await step('traces');
      await removeTraces(request, subject, found);
    });
    return { ...found.removed, kept: (await holdings(request)).removed.kept };
  } catch (error) {
    throw writeFailure(error, root);
  }
}

/** With both locks. */
async function takeSession(
  request: RemoveRequest,
  folder: string,
  step: (name: string) => void | Promise<void>,
): Promise<void> {
  const root = request.datasetRoot;
  // a conversion that ended midway while we waited has a journal, and files of people with it
  await finishAll(root, step);
  const record = await readProvenance(root, folder);
  if (record === undefined || !isOf(request, record)) return;
  const { ours } = await judgeFolder(root, folder, hashesOf(record));
  const [participant = ''] = folder.split('/');
  const others = (await recordsOf(root, participant)).filter((one) => one.folder !== folder);
  const removal = {
    erased: request.erased,
    ...(others.length === 0 && { participant }),
  };
  const aside = join(STATE, `leaving-${randomBytes(6).toString('hex')}`);
  await takeOut({ root, folder, ours, removal, aside }, step);
}

interface Holdings {
  readonly records: readonly Provenance[];
  /** Folders below `.scanflow`, of sessions that never came into the dataset, or beside it. */
  readonly beside: readonly string[];
  /** Units of which a killed conversion left what it had made; only where all traces go. */
  readonly asides: readonly string[];
  readonly removed: Removed;
}

async function holdings(request: RemoveRequest): Promise<Holdings> {
  const root = request.datasetRoot;
  const participant = `sub-${bidsLabel(request.subject, 'sub')}`;
  const all = await recordsOf(root, participant);
  const records = all.filter((one) => isOf(request, one));
  const isAnothers = (unit: string): boolean =>
    all.some((one) => unitOf(one.folder) === unit && !records.includes(one));
  const beside: string[] = [];
  for (const place of ['invalid', 'conflicts'])
    for (const unit of (await readdir(join(root, STATE, place)).catch(gone)) ?? [])
      if (isUnit(request, unit) && !isAnothers(unit)) beside.push(join(STATE, place, unit));
  const standing = await judgeFolder(root, participant, new Map(all.flatMap((one) => [...hashesOf(one)])));
  const paths = new Set(records.flatMap((one) => [...hashesOf(one).keys()]));
  let files = records.length + standing.ours.filter((path) => paths.has(path)).length;
  const asides = request.erased ? await asidesOf(request) : [];
  for (const folder of [...beside, ...asides.map((name) => join(STATE, name))])
    files += (await listFiles(join(root, folder))).length;
  if (all.length === records.length) files += await rowsOf(root, participant, request);
  const kept = await peoples(root, request, standing);
  const units = new Set(asides.map((name) => name.replace(ASIDE, '$1')));
  return {
    records,
    beside,
    asides: [...units],
    removed: { folders: records.map(({ folder }) => folder), files, kept },
  };
}

const ASIDE = /^aside-(.*)-[0-9a-f]{12}$/;

/** Where the sessions are, or were, converted. Where labels begin alike it may be another's, whose lock we then wait for. */
async function asidesOf(request: RemoveRequest): Promise<string[]> {
  const start = `aside-${lockOf(request)}`;
  const names = (await readdir(join(request.datasetRoot, STATE)).catch(gone)) ?? [];
  return names.filter(
    (name) =>
      ASIDE.test(name) &&
      (request.session === undefined ? name.startsWith(start) : name.replace(/-[^-]*$/, '') === start),
  );
}

/** What Scanflow keeps of this subject. Rejects with BIDS_PROVENANCE where somebody changed it. */
async function recordsOf(root: string, participant: string): Promise<Provenance[]> {
  const names = (await readdir(join(root, STATE)).catch(gone)) ?? [];
  const found: Provenance[] = [];
  for (const name of names.sort()) {
    if (name !== `${participant}.json` && !(name.startsWith(`${participant}_`) && name.endsWith('.json')))
      continue;
    const record = await readProvenance(root, name.slice(0, -'.json'.length));
    if (record !== undefined) found.push(record);
  }
  return found;
}

const isOf = (
  { project, subject, session, accessionNumber, series }: RemoveRequest,
  record: Provenance,
): boolean =>
  record.project === project &&
  record.subject === subject &&
  (session === undefined || (record.session ?? '') === session) &&
  (accessionNumber === undefined || record.accessionNumber === accessionNumber) &&
  (series === undefined || record.series.some(({ id }) => series.includes(id)));

/** Whether a name such as `sub-001_ses-mr01` is of these labels. */
function isUnit({ subject, session }: RemoveRequest, unit: string): boolean {
  const participant = `sub-${bidsLabel(subject, 'sub')}`;
  if (session === undefined) return unit === participant || unit.startsWith(`${participant}_`);
  return unit === (session === '' ? participant : `${participant}_ses-${bidsLabel(session, 'ses')}`);
}

/** Files of people in the sessions' folders, and those that were kept for them. */
async function peoples(
  root: string,
  request: RemoveRequest,
  { people }: Pick<Standing, 'people'>,
): Promise<string[]> {
  const saved = join(STATE, 'kept');
  const others = await listFiles(join(root, saved));
  // a table that loses our rows does not stay as it is
  const isTheirs = (path: string): boolean =>
    isUnit(request, unitIn(path)) && path !== scansPath(unitIn(path).replace('_', '/'));
  return [
    ...people.map(({ path }) => path).filter(isTheirs),
    ...others.filter(isTheirs).map((path) => join(saved, path)),
  ];
}

/** `sub-001/ses-mr01/anat/x.nii` → `sub-001_ses-mr01`. */
function unitIn(path: string): string {
  const [participant = '', session = ''] = path.split('/');
  return session.startsWith('ses-') ? `${participant}_${session}` : participant;
}

async function rowsOf(root: string, participant: string, { erased }: RemoveRequest): Promise<number> {
  const text = await readFile(join(root, 'participants.tsv'), 'utf8').catch(gone);
  if (text === undefined || !erased) return 0;
  return withoutParticipant(text, participant, true) === text ? 0 : 1;
}

async function removeTraces(
  request: RemoveRequest,
  participant: string,
  { beside, records }: Holdings,
): Promise<void> {
  const root = request.datasetRoot;
  for (const folder of beside) await rm(join(root, folder), { recursive: true, force: true });
  const session = bidsLabel(request.session ?? '', 'ses');
  const own = session === '' ? participant : join(participant, `ses-${session}`);
  for (const folder of [own, ...records.map((one) => one.folder)]) await dropEmpty(join(root, folder), root);
  if (!request.erased) return;
  if ((await recordsOf(root, participant)).length === 0)
    await dropRows(root, participant, { participant, erased: true, gone: [] });
  // names of locks hold labels
  const start = sessionLock(request);
  for (const name of (await readdir(join(root, STATE, 'locks')).catch(gone)) ?? [])
    if (name === start || (request.session === undefined && name.startsWith(start)))
      await rm(lockPath(root, name), { force: true });
}

/** The folders, the deepest first, up to one that is not empty. */
async function dropEmpty(folder: string, root: string): Promise<void> {
  for (let one = folder; one !== root && (await removeIfEmpty(one)); one = dirname(one));
  await fsyncFolder(root);
}

const removeIfEmpty = (folder: string): Promise<boolean> =>
  rmdir(folder).then(
    () => true,
    (error: unknown) => {
      if (codeOf(error) === 'ENOTEMPTY' || codeOf(error) === 'EEXIST') return false;
      gone(error);
      return true;
    },
  );
