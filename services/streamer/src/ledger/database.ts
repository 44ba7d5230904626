/**
 * Opens the ledger that the configuration names: a SQLite file for one streamer, or PostgreSQL for several. Its tables, its
 * faults in words, and how a damaged file is kept.
 */
import { rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { readdirSync, readFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import {
  openSqlite as openFile,
  type Database,
  type FileFaults,
  type OnMigration,
  openPostgres as openServer,
  type PostgresOptions,
  type Statements,
} from '@scanflow/database';
import { FailureError, permanent } from '@scanflow/failure';
import {
  absent,
  fsyncFolder,
  askRebuild,
  readRebuild,
  readSecret,
  readAuthority,
  type Log,
} from '@scanflow/runtime';
import { defined, given } from '@scanflow/failure/defined';
import { serversIn, type Config } from '@scanflow/config';
import { failureOf } from '../model/failure.ts';
import type { Consequences, Ledger, Tx } from './tx.ts';
import { leave } from './claims.ts';

type Options = Parameters<typeof openLedger>[1];

/**
 * A SQLite file for one streamer, or a PostgreSQL server, which need not answer yet. Throws an Error that names the file
 * where the certificate of its authority cannot be read; FailureError LEDGER_CORRUPT, LEDGER_IN_USE, LEDGER_TOO_NEW.
 */
export async function openConfiguredLedger(
  { data, ledger: { url, passwordFile, tls, lease } }: Pick<Config, 'data' | 'ledger'>,
  log: Log,
  consequences: Consequences,
): Promise<Ledger> {
  const onMigration = (from: number, to: number): void =>
    log.warn(
      `the ledger is updated (version ${from} to ${to}), which goes one way: an older Scanflow then refuses it (LEDGER_TOO_NEW). To go back, restore the backup of before the update: docs/releases.md`,
      { from, to },
    );
  const options = { leaseMs: lease, consequences, onMigration };
  if (url === undefined) return openOwn(data, options, log);
  const ca = tls === undefined ? undefined : await readAuthority(tls.ca, 'ledger.tls.ca');
  return openSharedLedger({
    ...options,
    url: serversIn(url),
    ...defined({ password: given(passwordFile, (passwordFile) => () => readSecret(passwordFile)), ca }),
  });
}

/** If a person requested it, puts a damaged file aside and makes a new one. */
async function openOwn(data: string, options: Options, log: Log): Promise<Ledger> {
  const path = join(data, 'streamer', 'ledger.sqlite');
  const open = (): Ledger => openLedger(path, options);
  const asked = await readRebuild(data);
  if (asked === undefined) return open();
  if (!asked.anew) {
    try {
      return open();
    } catch (error) {
      if (failureOf(error).code !== 'LEDGER_CORRUPT') throw error;
    }
  }
  // written down first: a new ledger does not know that there was another
  await askRebuild(data, { ...asked, lost: true });
  const aside = await putAside(path, Temporal.Now.instant());
  await askRebuild(data, { ...asked, lost: true, anew: false });
  log.warn('the ledger was put aside', { code: 'LEDGER_ASIDE', file: aside });
  return open();
}

/** A claim holds so long without being renewed, where the configuration says nothing. */
const DEFAULT_LEASE_MS = 60_000;

/** No hooks. */
const NOBODY: Consequences = { hooksFor: () => [], sessionQuietMs: 0 };

/** The ledger of one streamer on this database. */
export function ledgerOn(
  database: Database,
  leaseMs: number = DEFAULT_LEASE_MS,
  consequences: Consequences = NOBODY,
): Ledger {
  const owner = randomUUID();
  const txOf = (statements: Statements): Tx => ({ ...statements, leaseMs, owner, consequences });
  const write: Ledger['write'] = (work, ...given) =>
    database.transaction((statements) => work(txOf(statements), ...given));
  return {
    write,
    read: (work, ...given) => database.read((statements) => work(txOf(statements), ...given)),
    leaseMs,
    ...defined({ broken: database.broken }),
    scrub: () => database.scrub?.() ?? Promise.resolve(),
    close: async () => {
      // where the database is out of reach, the lease ends by itself
      await write(leave).catch(() => undefined);
      await database.close();
    },
  };
}

/** Opens (or makes) the ledger. Throws FailureError LEDGER_IN_USE, LEDGER_TOO_NEW. */
export function openLedger(
  path: string,
  options: {
    readonly leaseMs?: number;
    readonly consequences?: Consequences;
    readonly onMigration?: OnMigration;
  } = {},
): Ledger {
  return ledgerOn(
    openSqlite(path, MIGRATIONS, VOID_CLAIMS, options.onMigration),
    options.leaseMs,
    options.consequences,
  );
}

/** The server need not answer yet. Every method throws FailureError LEDGER_UNREACHABLE, LEDGER_TLS, LEDGER_DENIED, LEDGER_TOO_NEW. */
export function openSharedLedger(
  options: PostgresOptions & { readonly leaseMs?: number; readonly consequences?: Consequences },
): Ledger {
  return ledgerOn(openPostgres(options), options.leaseMs, options.consequences);
}

/** A ledger of a version that this Scanflow does not know is left alone. */
export const tooNew = (version: number): FailureError =>
  new FailureError({
    kind: 'permanent',
    code: 'LEDGER_TOO_NEW',
    message: `The ledger was written by a newer Scanflow (version ${version}). Run that one, or restore a backup.`,
  });

const FOLDER = join(import.meta.dirname, 'schema');

/** Files are only ever added; the database keeps the number of those that were applied. */
export const MIGRATIONS: readonly string[] = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.sql'))
  .sort()
  .map((name) => readFileSync(join(FOLDER, name), 'utf8'));

/**
 * Opens (or makes) the file, brings its tables up to date. The claims in it are those of processes that are gone,
 * as only one has it at a time: they are void. Throws FailureError LEDGER_IN_USE, LEDGER_CORRUPT, LEDGER_TOO_NEW.
 */
export const openSqlite = (
  path: string,
  migrations: readonly string[] = MIGRATIONS,
  atOpening: string = VOID_CLAIMS,
  onMigration?: OnMigration,
): Database => openFile({ path, migrations, atOpening, checkLast: LAST, onMigration, faults: FAULTS });

const VOID_CLAIMS = `DELETE FROM lease; UPDATE leg SET claim = NULL, next_try = updated WHERE claim IS NOT NULL;
  UPDATE delivery SET claim = NULL, next_try = updated WHERE claim IS NOT NULL;
  UPDATE notice_message SET claim = NULL, unsure = 1, next_try = updated WHERE claim IS NOT NULL;
  UPDATE verification SET claim = NULL, due = stored WHERE claim IS NOT NULL;
  UPDATE verify_item SET claim = NULL, next_try = 0 WHERE claim IS NOT NULL`;

/** Where each series stands comes first, lists of single images last. */
const LAST = ['progress', 'delivery', 'commitment'];

const FAULTS: FileFaults = {
  inUse: (path) =>
    new FailureError(
      permanent(
        'LEDGER_IN_USE',
        `Another streamer works with the ledger ${path}. Stop it, or give this one its own data folder.`,
      ),
    ),
  damaged: (path, what) =>
    new FailureError(
      permanent(
        'LEDGER_CORRUPT',
        `The ledger ${path} is damaged (${what}). Nothing is lost: the images are in Orthanc and in project storage. ` +
          'Check the disk, then: scanflow ledger rebuild. It keeps the damaged file aside and makes a new ledger.',
      ),
    ),
  tooNew,
};

/**
 * Gives the ledger another name, with what SQLite keeps beside it, and gives that name. Nothing is deleted: what can still
 * be read in it may be wanted.
 */
export async function putAside(path: string, now: Temporal.Instant): Promise<string> {
  const stamp = now.toString({ smallestUnit: 'second' }).replaceAll(/[-:]/g, '');
  const aside = `${path}.aside-${stamp}`;
  // the file itself last: while it is there, it is found damaged again, and all of it goes
  for (const suffix of ['-wal', '-shm', ''])
    await rename(`${path}${suffix}`, `${aside}${suffix}`).catch(absent);
  await fsyncFolder(dirname(path));
  return join(dirname(path), basename(aside));
}

/**
 * Opens the database; its tables are made or brought up to date at the first use that reaches the server. Every
 * method throws FailureError LEDGER_UNREACHABLE, LEDGER_TLS, LEDGER_DENIED, LEDGER_TOO_NEW,
 * LEDGER_FAILED.
 */
export const openPostgres = (
  options: PostgresOptions,
  migrations: readonly string[] = MIGRATIONS,
): Database =>
  openServer(options, {
    holds: 'the ledger',
    user: 'the streamer',
    section: 'ledger',
    application: 'scanflow-streamer',
    migrations,
    versionTable: 'ledger_version',
    migrationLock: 5_283_001,
    tooNew,
  });
