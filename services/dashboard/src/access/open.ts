/** Where the board keeps its users and the links of consoles: SQLite files of its own, or PostgreSQL. */
import { openPostgres, openSqlite, type FileFaults, type PostgresOptions } from '@scanflow/database';
import { FailureError, permanent } from '@scanflow/failure';
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
