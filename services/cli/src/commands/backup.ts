/**
 * `scanflow backup FOLDER`: what a facility has of its own, while everything runs.
 * The backup is written aside, file by file with its sum, and gets its name once it is complete.
 */
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Config } from '@scanflow/config';
import {
  absent,
  asideName,
  fsyncFolder,
  namesIn,
  requireFinishedRestore,
  writeFileAtomic,
} from '@scanflow/runtime';
import manifest from '../../package.json' with { type: 'json' };
import {
  copyLedger,
  copyUsers,
  ledgerIn,
  usersIn,
  configSources,
  dataFolders,
  filesOf,
  secretSources,
  type Source,
} from '../backup/sources.ts';
import { MANIFEST, sumIn, sumOf, type Manifest, type ManifestFile } from '../backup/manifest.ts';
import { CONFIG, requireConfig } from '../installation.ts';
import { EXIT, UsageError, type Command, type ExitCode, type Io, readArgs } from '../command.ts';

const help = `Usage: scanflow backup FOLDER [--with-secrets] [--json] [--config FILE]

Writes a backup while everything runs, into a new folder below FOLDER, such as scanflow-20261128T020000Z. It holds the
ledger, bookings, exams, users and audit log of the day board, the rest of the data folder, and the configuration. The folder gets its name once it is whole.
Back up Orthanc, PostgreSQL and project storage with their own tools: docs/backup.md.

  --with-secrets   also saves passwords and keys: keep the backup where nobody else can read it
  --json           prints what was written as JSON
  --config FILE    the configuration (default /etc/scanflow/scanflow.yaml)

Example:  scanflow backup /backup
          docker compose run --rm backup
Exit:     0 written, 1 failed, 2 not begun (usage, configuration)
`;

const OPTIONS = {
  ...CONFIG,
  'with-secrets': { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const;

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = readArgs(args, OPTIONS, 1);
  const [folder] = positionals;
  if (folder === undefined) throw new UsageError('backup takes the folder to write into');
  const configFile = values.config;
  const { path, manifest: written } = await writeBackup({
    folder,
    config: await requireConfig(configFile),
    configFile,
    withSecrets: values['with-secrets'],
    now: Temporal.Now.instant(),
    version: manifest.version,
    signal: io.signal,
  });
  const bytes = written.files.reduce((sum, file) => sum + file.bytes, 0);
  if (values.json) {
    const { ledger, files } = written;
    io.out.write(`${JSON.stringify({ path, ledger, files: files.length, bytes }, null, 2)}\n`);
    return EXIT.done;
  }
  io.out.write(`${path}: ${written.files.length} files, ${(bytes / 1e6).toFixed(1)} MB\n`);
  if (written.ledger === 'postgresql')
    io.out.write('The ledger is in PostgreSQL, and not in this backup: docs/backup.md has the command.\n');
  if (written.users === 'postgresql') io.out.write('The users of the board are in PostgreSQL, too.\n');
  if (!values['with-secrets']) io.out.write('Passwords and keys are not in it (--with-secrets).\n');
  return EXIT.done;
}

interface BackupOptions {
  /** Folder of backups; made if it does not exist. */
  readonly folder: string;
  readonly config: Config;
  readonly configFile: string;
  readonly withSecrets: boolean;
  readonly now: Temporal.Instant;
  /** Of Scanflow. */
  readonly version: string;
  readonly signal: AbortSignal;
}

interface Backup {
  readonly path: string;
  readonly manifest: Manifest;
}

/** Records have names of people: only their owner reads them. */
const FOLDER_MODE = 0o700;
const LEDGER = 'ledger/ledger.sqlite';
const USERS = 'users/users.sqlite';

/** Leaves no backup if anything ends it early. Throws FailureError RESTORE_UNFINISHED if the data are of no one moment. */
async function writeBackup(options: BackupOptions): Promise<Backup> {
  const { folder, now, config } = options;
  await requireFinishedRestore(config.data);
  await removeAbandoned(folder, now);
  const stamp = now.toString({ smallestUnit: 'second' }).replaceAll(/[-:]/g, '');
  const path = join(folder, `scanflow-${stamp}`);
  const aside = asideName(path);
  await mkdir(aside, { recursive: true, mode: FOLDER_MODE });
  try {
    const manifest = await fill(aside, options);
    await writeFileAtomic(join(aside, MANIFEST), `${JSON.stringify(manifest, null, 1)}\n`, { mode: 0o600 });
    await rename(aside, path);
    await fsyncFolder(folder);
    return { path, manifest };
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    throw error;
  }
}

/** The name of an unfinished backup, by `asideName`. */
const ABANDONED = /^\.scanflow-(\d{8}T\d{6}Z)\.\d+\.[0-9a-f]{12}\.tmp$/;
/** No backup takes so long; a younger one may still be running. */
const ABANDONED_HOURS = 24;

/** Removes what killed backups left. */
async function removeAbandoned(folder: string, now: Temporal.Instant): Promise<void> {
  for (const name of await namesIn(folder)) {
    const begun = ABANDONED.exec(name)?.[1];
    if (begun !== undefined && now.since(Temporal.Instant.from(begun)).total('hours') > ABANDONED_HOURS)
      await rm(join(folder, name), { recursive: true, force: true });
  }
}

async function fill(aside: string, options: BackupOptions): Promise<Manifest> {
  const { config, configFile, withSecrets, now, version, signal } = options;
  const { data } = config;
  const files: ManifestFile[] = [];
  const take = async (sources: readonly Source[]): Promise<void> => {
    for (const source of sources) {
      signal.throwIfAborted();
      const file = await copy(source, aside);
      if (file !== undefined) files.push(file);
    }
  };
  // first, because it names bookings and exams
  const ledger =
    config.ledger.url !== undefined
      ? 'postgresql'
      : await copied(aside, LEDGER, 0o640, files, (to) => copyLedger(ledgerIn(data), to));
  const users =
    config.dashboard.database !== undefined
      ? 'postgresql'
      : await copied(aside, USERS, 0o600, files, (to) => copyUsers(usersIn(data), to));
  for (const name of await dataFolders(data)) await take(await filesOf(data, name));
  await take(await configSources(configFile, config));
  const { folders, sources } = withSecrets ? await secretSources(config) : { folders: [], sources: [] };
  await take(sources);
  return {
    version: 1,
    scanflow: version,
    created: now.toString({ smallestUnit: 'second' }),
    ledger,
    users,
    secrets: [...folders],
    files,
  };
}

/** A SQLite file, as `write` copies it to the backup. */
async function copied(
  aside: string,
  path: string,
  mode: number,
  files: ManifestFile[],
  write: (to: string) => Promise<boolean>,
): Promise<'sqlite' | 'none'> {
  const to = join(aside, path);
  if (!(await write(to))) return 'none';
  const summed = await sumOf(to);
  files.push({ path, ...summed, mode });
  await fsyncFolder(dirname(to));
  return 'sqlite';
}

/** Undefined if the file is gone meanwhile: then nobody needs it. */
async function copy({ from, path }: Source, aside: string): Promise<ManifestFile | undefined> {
  const to = join(aside, path);
  const source = await open(from, 'r').catch(absent);
  if (source === undefined) return undefined;
  try {
    await mkdir(dirname(to), { recursive: true, mode: FOLDER_MODE });
    const target = await open(to, 'wx', 0o600);
    const summed = await sumIn(source, (part) => target.writeFile(part))
      .then(async (sum) => {
        await target.sync();
        return sum;
      })
      .finally(() => target.close());
    return { path, ...summed, mode: (await source.stat()).mode & 0o777 };
  } finally {
    await source.close();
  }
}

export const backup: Command = { help, run };
