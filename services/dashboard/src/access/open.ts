/** Where the board keeps its users and the links of consoles: SQLite files of its own, or PostgreSQL. */
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { serversIn, type Config } from '@scanflow/config';
import {
  openLeaseServer,
  openPostgres,
  openSqlite,
  type FileFaults,
  type PostgresOptions,
} from '@scanflow/database';
import { Leadership } from '@scanflow/database/leadership';
import { FailureError, permanent } from '@scanflow/failure';
import { defined } from '@scanflow/failure/defined';
import { readAuthority, readSecret, type Log } from '@scanflow/runtime';
import { CONSOLE_MIGRATIONS, ConsoleStore } from '../console/store.ts';
import { AccessStore, MIGRATIONS } from './store.ts';

const unusable = (message: string): FailureError => new FailureError(permanent('USERS_UNUSABLE', message));

const tooNew = (): FailureError =>
  unusable(
    'The users and consoles of the board are of a newer version of Scanflow. Start that version, or restore an older backup.',
  );

const FAULTS: FileFaults = {
  inUse: (path) =>
    unusable(`Another dashboard works with ${path}. Stop it, or give this one its own data folder.`),
  damaged: (path, what) =>
    unusable(
      `The board's file ${path} is damaged (${what}). Check the disk, then restore a backup; or move the file away, and invite people and make consoles' links anew.`,
    ),
  tooNew,
};

/** Opens (or makes) the file. Throws FailureError USERS_UNUSABLE. */
export const openUsersFile = (path: string): AccessStore =>
  new AccessStore(openSqlite({ path, migrations: MIGRATIONS, faults: FAULTS }));

/** The server need not answer yet. Its tables are in the schema that the server's user has. */
export const openUsersServer = (options: PostgresOptions): AccessStore =>
  new AccessStore(
    openPostgres(options, {
      holds: 'the users of the board',
      user: 'the dashboard',
      section: 'dashboard.database',
      application: 'scanflow-dashboard',
      migrations: MIGRATIONS,
      versionTable: 'board_version',
      migrationLock: 5_283_002,
      tooNew,
    }),
  );

/** The same for the links of consoles. */
export const openConsolesFile = (path: string): ConsoleStore =>
  new ConsoleStore(openSqlite({ path, migrations: CONSOLE_MIGRATIONS, faults: FAULTS }));

/** Beside the tables of the users, which they have nothing to do with. */
export const openConsolesServer = (options: PostgresOptions): ConsoleStore =>
  new ConsoleStore(
    openPostgres(options, {
      holds: 'the links of consoles',
      user: 'the dashboard',
      section: 'dashboard.database',
      application: 'scanflow-dashboard',
      migrations: CONSOLE_MIGRATIONS,
      versionTable: 'console_version',
      migrationLock: 5_283_003,
      tooNew,
    }),
  );

export interface Stores {
  readonly store: AccessStore;
  readonly consoles: ConsoleStore;
  /** Where several dashboards may run: one serves the pages. */
  readonly lead?: Lead;
}

export type Lead = Pick<Leadership, 'holds' | 'refusal'> & { close(): Promise<void> };

async function openLead(options: PostgresOptions, leaseMs: number, log: Log): Promise<Lead> {
  const database = openLeaseServer(options, {
    user: 'the dashboard',
    section: 'dashboard.database',
    leaseMs,
    migrationLock: 5_283_004,
  });
  const leadership = new Leadership({ database, name: 'dashboard', leaseMs });
  await leadership.look();
  const ending = new AbortController();
  const following = leadership.follow((leads) => {
    log.info(leads ? 'leads from now on' : 'stands by', { leader: leadership.standing().leader });
  }, ending.signal);
  return {
    holds: () => leadership.holds(),
    refusal: () => leadership.refusal(),
    close: async () => {
      ending.abort();
      await following;
      await leadership.leave();
      await database.close();
    },
  };
}

/** Nobody but the service reads who the users are. Throws an Error for a certificate that cannot be used. */
export async function openStores(
  { data, dashboard: { database }, ledger }: Config,
  log: Log,
): Promise<Stores> {
  if (database !== undefined) {
    const { url, passwordFile, tls } = database;
    const ca = tls === undefined ? undefined : await readAuthority(tls.ca, 'dashboard.database.tls.ca');
    const password = passwordFile === undefined ? undefined : () => readSecret(passwordFile);
    const options = { url: serversIn(url), ...defined({ password, ca }) };
    const lead = await openLead(options, ledger.lease, log);
    return { store: openUsersServer(options), consoles: openConsolesServer(options), lead };
  }
  const [users, consoles] = [await ownFile(data, 'users.sqlite'), await ownFile(data, 'consoles.sqlite')];
  return { store: openUsersFile(users), consoles: openConsolesFile(consoles) };
}

/** A file that nobody but the service reads. */
async function ownFile(data: string, name: string): Promise<string> {
  const folder = join(data, 'dashboard');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, name);
  await (await open(file, 'a', 0o600)).close();
  return file;
}
