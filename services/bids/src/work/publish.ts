/**
 * Puts a converted session into the dataset: files of people join it, the older one goes out, the new one comes in, each step
 * by rename, written down in a journal first. A kill at any point leaves something that `finishAll` completes.
 */
import {
  copyFile,
  link,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  unlink,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf } from '@scanflow/failure';
import { fsyncFolder, removeLeftovers, writeFileAtomic } from '@scanflow/runtime';
import { newDataset } from './convert.ts';
import { exists, gone, hashOf, listFiles, stampOf, syncTree } from './files.ts';
import { provenancePath, STATE, unitOf } from './provenance.ts';
import { dropRows } from './tables.ts';
import { jsonText } from './sidecar.ts';
import type { KeptFile } from './types.ts';

export type Step = (name: string) => void | Promise<void>;

/** One session on its way into the dataset. */
interface Journal {
  /** Relative to the dataset, as all paths here. */
  readonly folder: string;
  readonly aside: string;
  readonly out: string;
  /** Files of the older session that go with it, with their stamps: ours, and those that are in the new one, too. */
  readonly disposable: Readonly<Record<string, string>>;
  /** The session leaves the dataset, and nothing comes in. */
  readonly removed?: Removal;
}

/** What goes with a session that leaves. */
export interface Removal {
  /** `sub-001`, where no other session of it stays; then its row in `participants.tsv` goes, too. */
  readonly participant?: string;
  /** On a withdrawal of consent: the row goes even where people wrote into it. */
  readonly erased: boolean;
}

const journals = (root: string): string => join(root, STATE, 'journal');

/** Files of a session in the dataset, judged. */
export interface Standing {
  /** Ours, as we wrote them. */
  readonly ours: readonly string[];
  readonly people: readonly { readonly path: string; readonly why: KeptFile['why'] }[];
}

/** @param hashes what we wrote, by path */
export async function judgeFolder(
  root: string,
  folder: string,
  hashes: ReadonlyMap<string, string>,
): Promise<Standing> {
  const ours: string[] = [];
  const people: { path: string; why: KeptFile['why'] }[] = [];
  for (const name of await listFiles(join(root, folder))) {
    const path = `${folder}/${name}`;
    const known = hashes.get(path);
    if (known === undefined) people.push({ path, why: 'not ours' });
    else if ((await hashOf(join(root, path))) === known) ours.push(path);
    else people.push({ path, why: 'changed' });
  }
  return { ours, people };
}

/**
 * Puts people's files into the new session, at their places; a file of ours that has such a place goes to `.scanflow/conflicts/`.
 * Repeatable.
 */
export async function joinPeople(
  root: string,
  aside: string,
  folder: string,
  { people }: Pick<Standing, 'people'>,
): Promise<KeptFile[]> {
  const conflicts = join(STATE, 'conflicts', unitOf(folder));
  await rm(join(root, conflicts), { recursive: true, force: true });
  const kept: KeptFile[] = [];
  for (const { path, why } of people) {
    const fresh = join(newDataset(aside), path);
    let ours: string | undefined;
    if (await exists(fresh)) {
      ours = join(conflicts, path.slice(folder.length + 1));
      await mkdir(dirname(join(root, ours)), { recursive: true });
      await rename(fresh, join(root, ours));
    }
    await mkdir(dirname(fresh), { recursive: true });
    await share(join(root, path), fresh);
    kept.push({ path, why, ours });
  }
  return kept;
}

/** Both names are of one file, so that a person who writes into it now loses nothing. A copy where the file system has no links. */
async function share(from: string, to: string): Promise<void> {
  if ((await lstat(from)).isSymbolicLink()) return symlink(await readlink(from), to);
  try {
    await link(from, to);
  } catch (error) {
    if (!NO_LINKS.has(codeOf(error) ?? '')) throw error;
    await copyFile(from, to);
  }
}

const NO_LINKS: ReadonlySet<string> = new Set([
  'EPERM',
  'ENOTSUP',
  'EOPNOTSUPP',
  'EMLINK',
  'ENOSYS',
  'EXDEV',
  'EACCES',
]);

export interface Publication {
  readonly root: string;
  /** Relative to the dataset, below `.scanflow`. */
  readonly aside: string;
  readonly folder: string;
  readonly standing: Standing;
  readonly provenance: string;
}

/** The caller holds the lock of the dataset. */
export async function publish(publication: Publication, step: Step): Promise<void> {
  const { root, aside, folder, standing, provenance } = publication;
  await writeFileAtomic(join(root, aside, 'provenance.json'), provenance);
  await syncTree(join(root, aside));
  const disposable: Record<string, string> = {};
  for (const path of [...standing.ours, ...standing.people.map((one) => one.path)]) {
    const stamp = await stampOf(join(root, path));
    if (stamp !== undefined) disposable[path] = stamp;
  }
  const journal: Journal = { folder, aside, out: `${aside}-out`, disposable };
  await step('journal');
  await mkdir(journals(root), { recursive: true });
  await writeFileAtomic(join(journals(root), `${unitOf(folder)}.json`), jsonText(journal));
  await finish(root, journal, step);
}

/** Takes a session out of the dataset: our files, its provenance, its rows. Files of people stay. The caller holds the lock of the dataset. */
export async function takeOut({ root, folder, ours, removal, aside }: Leaving, step: Step): Promise<void> {
  const disposable: Record<string, string> = {};
  for (const path of ours) {
    const stamp = await stampOf(join(root, path));
    if (stamp !== undefined) disposable[path] = stamp;
  }
  const journal: Journal = { folder, aside, out: `${aside}-out`, disposable, removed: removal };
  await step('journal');
  await mkdir(journals(root), { recursive: true });
  await writeFileAtomic(join(journals(root), `${unitOf(folder)}.json`), jsonText(journal));
  await finish(root, journal, step);
}

export interface Leaving {
  readonly root: string;
  readonly folder: string;
  /** A name below `.scanflow` that nobody has. */
  readonly aside: string;
  /** Our files in it, as we wrote them. */
  readonly ours: readonly string[];
  readonly removal: Removal;
}

/** Journals of sessions that are on their way, without those that a killed worker only began to write. */
export async function journalNames(root: string): Promise<string[]> {
  const names = (await readdir(journals(root)).catch(gone)) ?? [];
  return names.filter((name) => name.endsWith('.json') && !name.startsWith('.'));
}

/** Completes what killed workers began. The caller holds the lock of the dataset. */
export async function finishAll(root: string, step: Step): Promise<void> {
  for (const folder of [journals(root), join(root, STATE), root]) await removeLeftovers(folder);
  for (const name of await journalNames(root)) {
    const journal = JSON.parse(await readFile(join(journals(root), name), 'utf8')) as Journal;
    await finish(root, journal, step);
  }
}

async function finish(root: string, journal: Journal, step: Step): Promise<void> {
  const { folder, aside, out } = journal;
  const [target, fresh] = [join(root, folder), join(newDataset(join(root, aside)), folder)];
  if (journal.removed !== undefined || (await exists(fresh))) {
    await step('out');
    if (await exists(target)) await moveInto(target, await freeName(join(root, out)));
    await step('in');
    if (journal.removed === undefined) await moveInto(fresh, target);
    else await rm(provenancePath(root, folder), { force: true });
  } else if (!(await exists(target))) {
    // somebody took the new one away: the older one comes back
    const older = (await outsOf(root, out)).at(-1);
    if (older !== undefined) await moveInto(join(root, older), target);
  }
  await step('provenance');
  const record = join(root, aside, 'provenance.json');
  if (await exists(record)) {
    await rename(record, provenancePath(root, folder));
    await fsyncFolder(join(root, STATE));
  }
  await step('rescue');
  const outs = await outsOf(root, out);
  for (const name of outs) await rescue(root, name, journal);
  if (journal.removed !== undefined) {
    await step('rows');
    await dropRows(root, folder, { ...journal.removed, gone: Object.keys(journal.disposable) });
  }
  await step('remove');
  for (const name of outs) await rm(join(root, name), { recursive: true, force: true });
  await rm(join(root, aside), { recursive: true, force: true });
  await step('forget');
  await unlink(join(journals(root), `${unitOf(folder)}.json`)).catch(gone);
  await fsyncFolder(journals(root));
}

/** Older sessions that went out, relative to the dataset. */
const outsOf = async (root: string, out: string): Promise<string[]> =>
  (await readdir(join(root, STATE))).map((name) => join(STATE, name)).filter((name) => name.startsWith(out));

/** Both folders know of it before the next step. */
async function moveInto(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await rename(from, to);
  await fsyncFolder(dirname(to));
  await fsyncFolder(dirname(from));
  await fsyncFolder(dirname(dirname(to)));
}

async function freeName(path: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const name = `${path}-${number}`;
    if (!(await exists(name))) return name;
  }
}

/** What came into the older session after we looked, or changed, is not lost: it gets its place, or one in `.scanflow/kept/`. */
async function rescue(root: string, out: string, { folder, disposable }: Journal): Promise<void> {
  for (const name of await listFiles(join(root, out))) {
    const path = `${folder}/${name}`;
    const [from, to] = [join(root, out, name), join(root, path)];
    const stamp = await stampOf(from);
    if (stamp === undefined || disposable[path] === stamp) continue;
    const there = await lstat(to).catch(gone);
    if (there?.ino === (await lstat(from)).ino) continue;
    await moveInto(from, there === undefined ? to : await freeName(join(root, STATE, 'kept', path)));
  }
}
