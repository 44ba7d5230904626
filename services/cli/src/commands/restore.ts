/** `scanflow restore FOLDER`: puts a verified backup back where nothing runs. What it replaces is kept aside. */
import {
  access,
  chmod,
  chown,
  constants,
  copyFile,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  stat,
} from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import type { Config } from '@scanflow/config';
import { codeOf } from '@scanflow/failure';
import { askRebuild, clearUnfinishedRestore, fsyncFolder, markUnfinishedRestore } from '@scanflow/runtime';
import manifest from '../../package.json' with { type: 'json' };
import { addressOfService, askPage, CONFIG, requireConfig } from '../installation.ts';
import { ledgerIn, lockSqlite, usersIn } from '../backup/sources.ts';
import { findBackup, sumOf, verifyBackup, type Manifest, type ManifestFile } from '../backup/manifest.ts';
import { EXIT, UsageError, type Command, type ExitCode, type Io, readArgs } from '../command.ts';
import { user } from '../series/client.ts';

const help = `Usage: scanflow restore FOLDER [--with-secrets] [--with-config] [--config FILE]

Restores a backup: FOLDER itself, or the latest one in it. Stop cal2wl, worklist, streamer and dashboard before.
It reads the whole backup and compares the checksums before it changes anything. What it replaces is kept beside it,
in a folder .before-restore-TIME. At its next start the streamer compares the ledger with what was stored since:
nothing is stored twice, and images that may have been sent since show as SENT_UNKNOWN. Users of the day board
sign in anew, with their password of the backup. Each console needs a new link: scanflow console link SCANNER.

  --with-secrets   also restores passwords and keys, if they are in the backup
  --with-config    also restores the configuration: its files go into the folder of FILE
  --config FILE    the configuration that names the folders (default /etc/scanflow/scanflow.yaml)

Example:  scanflow restore /backup/scanflow-20261128T020000Z
          docker compose run --rm restore
Exit:     0 restored, 1 refused or failed, 2 not begun (usage, configuration)
`;

const OPTIONS = {
  ...CONFIG,
  'with-secrets': { type: 'boolean', default: false },
  'with-config': { type: 'boolean', default: false },
} as const;

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = readArgs(args, OPTIONS, 1);
  const [folder] = positionals;
  if (folder === undefined) throw new UsageError('restore takes the folder of a backup');
  const config = await requireConfig(values.config);
  const path = await findBackup(folder);
  const held = await verifyBackup(path, manifest.version, io.signal);
  const wanted = { secrets: values['with-secrets'], config: values['with-config'] };
  if (wanted.secrets && held.secrets.length === 0)
    throw new Error(`${path} holds no secrets; nothing was changed.`);
  const targets = targetsOf(held, {
    data: config.data,
    configFolder: dirname(resolve(values.config)),
    wanted,
    postgres: { ledger: config.ledger.url !== undefined, users: config.dashboard.database !== undefined },
  });
  await requireStopped(config, io.signal);
  await requireWritable(targets);
  await requireSameKey(targets);
  const release = await lockFiles(config.data, targets);
  try {
    const now = Temporal.Now.instant();
    const kept = await putBack(path, targets, { data: config.data, now, by: user(), signal: io.signal });
    for (const aside of kept) io.out.write(`what was there is kept in ${aside}\n`);
  } finally {
    release();
  }
  io.out.write(`${path} of ${held.created} is restored. Start everything: the streamer compares first.\n`);
  if (held.ledger === 'postgresql')
    io.out.write('The ledger is in PostgreSQL: restore its dump before you start (docs/backup.md).\n');
  if (targets.some(({ folder }) => folder === dirname(usersIn(config.data))))
    io.out.write('Consoles need new links: scanflow console link SCANNER makes one.\n');
  return EXIT.done;
}

const runs = (service: string): string =>
  `${service} runs; nothing was changed. Stop cal2wl, worklist, streamer and dashboard, then restore.`;

/** Neither the streamer nor the dashboard starts until it is released. Throws an Error for one that runs. */
async function lockFiles(data: string, targets: readonly Target[]): Promise<() => void> {
  const ledger = await lockSqlite(ledgerIn(data));
  if (ledger === undefined) throw new Error(runs('streamer'));
  if (!targets.some(({ folder }) => folder === dirname(usersIn(data)))) return ledger.release;
  const users = await lockSqlite(usersIn(data));
  if (users === undefined) {
    ledger.release();
    throw new Error(runs('dashboard'));
  }
  return () => {
    users.release();
    ledger.release();
  };
}

const ASK_MS = 2_000;
/** The services whose data are restored. */
const STOPPED = ['cal2wl', 'worklist', 'streamer', 'dashboard'] as const;

/** Asks on this machine, and by the names of the compose stack. */
async function requireStopped(config: Config, signal: AbortSignal): Promise<void> {
  for (const service of STOPPED) {
    const port = config.http.ports[service];
    if (port === 0) continue;
    for (const url of [`${addressOfService(config, service)}/healthz`, `http://${service}:${port}/healthz`]) {
      const page = await askPage(url, AbortSignal.any([signal, AbortSignal.timeout(ASK_MS)])).catch(
        () => undefined,
      );
      if (page !== undefined && 'status' in page) throw new Error(runs(service));
    }
  }
}

/** A folder that gets files of the backup. */
interface Target {
  readonly folder: string;
  readonly files: readonly { readonly file: ManifestFile; readonly below: string }[];
  /** What moves aside: everything, or what has the same name, or nothing. With nothing, only missing files are added. */
  readonly replaces: 'all' | 'named' | 'nothing';
}

/** An older backup does not know what was erased since, so what is there stays. */
const ERASURES = 'erasures';
const KEY = 'key';

/** What stays: the lock of this restore, and what earlier restores kept and requested. */
const STAYS =
  /^(?:(?:ledger|users)\.sqlite\.lock.*|rebuild\.json|\.before-restore-.*|\.restor(?:ing-|e-unfinished).*|ledger\.sqlite\.aside-.*)$/;

/** Where the files of a backup belong. */
function targetsOf(
  { files, secrets, ledger }: Manifest,
  {
    data,
    configFolder,
    wanted,
    postgres,
  }: {
    readonly data: string;
    readonly configFolder: string;
    readonly wanted: { readonly secrets: boolean; readonly config: boolean };
    /** What is not a file by the configuration. */
    readonly postgres: { readonly ledger: boolean; readonly users: boolean };
  },
): Target[] {
  const targets = new Map<
    string,
    { replaces: Target['replaces']; files: { file: ManifestFile; below: string }[] }
  >();
  const add = (folder: string, replaces: Target['replaces'], file: ManifestFile, below: string): void => {
    const target = targets.get(folder) ?? { replaces, files: [] };
    target.files.push({ file, below });
    targets.set(folder, target);
  };
  const homes = new Map<string, string>([
    ...(postgres.ledger || ledger !== 'sqlite' ? [] : [['ledger', dirname(ledgerIn(data))] as const]),
    ...(postgres.users ? [] : [['users', dirname(usersIn(data))] as const]),
  ]);
  for (const file of files) {
    const [top = '', name = '', ...rest] = file.path.split('/');
    const home = homes.get(top);
    if (home !== undefined) add(home, 'all', file, name);
    if (top === 'data') add(join(data, name), name === ERASURES ? 'nothing' : 'all', file, rest.join('/'));
    if (top === 'config' && wanted.config) add(configFolder, 'named', file, [name, ...rest].join('/'));
    const folder = top === 'secrets' ? secrets[Number(name)] : undefined;
    if (folder !== undefined && wanted.secrets) add(folder, 'named', file, rest.join('/'));
  }
  return [...targets].map(([folder, { replaces, files: own }]) => ({ folder, replaces, files: own }));
}

/** Throws an Error for the first folder that cannot be written, before anything changes. */
async function requireWritable(targets: readonly Target[]): Promise<void> {
  for (const { folder } of targets) {
    await mkdir(folder, { recursive: true, mode: 0o750 });
    await access(folder, constants.W_OK | constants.X_OK).catch((error: unknown) => {
      throw new Error(`${folder} may not be written; nothing was changed. Let this user write there.`, {
        cause: error,
      });
    });
  }
}

/** Throws an Error if there are erasures with another key: marks of two keys cannot share a folder. */
async function requireSameKey(targets: readonly Target[]): Promise<void> {
  for (const { folder, files, replaces } of targets) {
    const key = files.find(({ below }) => replaces === 'nothing' && below === KEY)?.file;
    if (key === undefined || !(await readdir(folder)).includes(KEY)) continue;
    if ((await sumOf(join(folder, KEY))).sha256 === key.sha256) continue;
    throw new Error(
      `${folder} has erasures of another key than the backup; nothing was changed. Move its files elsewhere, restore, and erase those subjects again.`,
    );
  }
}

/**
 * Copies everything aside first: until then, nothing changes. Then it makes the streamer compare the ledger with what is
 * stored, marks each folder, and moves the copies into place. While there is a mark, no service starts, and the restore can
 * be run again. Returns the folders with what was there before.
 */
async function putBack(
  backup: string,
  targets: readonly Target[],
  { data, now, by, signal }: { data: string; now: Temporal.Instant; by: string; signal: AbortSignal },
): Promise<string[]> {
  const asked = now.toString({ smallestUnit: 'second' });
  // a restore that was killed in the same second left folders of that name
  const stamp = now.toString({ smallestUnit: 'millisecond' }).replaceAll(/[-:]/g, '');
  const stagedIn = (folder: string): string => join(folder, `.restoring-${stamp}`);
  for (const { folder, files, replaces } of targets) {
    await dropLeftovers(folder);
    await mkdir(stagedIn(folder), { mode: 0o750 });
    const stays = new Set(replaces === 'nothing' ? await readdir(folder) : []);
    for (const { file, below } of files.filter((one) => !stays.has(one.below))) {
      signal.throwIfAborted();
      await copyIn(join(backup, file.path), join(stagedIn(folder), below), file);
    }
  }
  signal.throwIfAborted();
  await askRebuild(data, { anew: false, lost: true, asked, by });
  for (const { folder } of targets) if (isBelow(data, folder)) await markUnfinishedRestore(folder, asked);
  const kept: string[] = [];
  for (const target of targets) {
    const aside = join(target.folder, `.before-restore-${stamp}`);
    if (await moveAway(target, stagedIn(target.folder), aside)) kept.push(aside);
    await moveIn(stagedIn(target.folder), target.folder);
  }
  await clearUnfinishedRestore(data);
  return kept;
}

const isBelow = (parent: string, folder: string): boolean => !relative(parent, folder).startsWith('..');

/** Removes copies of an earlier restore that did not move them. */
async function dropLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder))
    if (name.startsWith('.restoring-')) await rm(join(folder, name), { recursive: true });
}

async function copyIn(from: string, to: string, { mode }: ManifestFile): Promise<void> {
  await mkdir(dirname(to), { recursive: true, mode: 0o750 });
  await copyFile(from, to, constants.COPYFILE_EXCL);
  await chmod(to, mode);
  const file = await open(to, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
  await fsyncFolder(dirname(to));
}

/** Returns whether anything was there. */
async function moveAway({ folder, replaces }: Target, staged: string, aside: string): Promise<boolean> {
  const coming = new Set(await readdir(staged));
  const names = (await readdir(folder)).filter(
    (name) => !STAYS.test(name) && (replaces === 'all' || coming.has(name)),
  );
  if (names.length === 0) return false;
  await mkdir(aside, { recursive: true, mode: 0o700 });
  for (const name of names) await rename(join(folder, name), join(aside, name));
  await fsyncFolder(aside);
  return true;
}

async function moveIn(staged: string, folder: string): Promise<void> {
  const { gid } = await stat(folder);
  for (const name of await readdir(staged)) {
    // the group of the folder may read the file: Orthanc reads secrets, too
    await chown(join(staged, name), -1, gid).catch((error: unknown) => {
      if (codeOf(error) !== 'EPERM') throw error;
    });
    await rename(join(staged, name), join(folder, name));
  }
  await rm(staged, { recursive: true });
  await fsyncFolder(folder);
}

export const restore: Command = { help, run };
