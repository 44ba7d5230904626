/** One SQLite file, opened durably and by one streamer alone. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { Fault } from '../../domain/failure.ts';
import { MIGRATIONS } from './schema.ts';

export type Row = Readonly<Record<string, unknown>>;

export interface Database {
  get(sql: string, ...values: SQLInputValue[]): Row | undefined;
  all(sql: string, ...values: SQLInputValue[]): Row[];
  /** Number of rows changed. */
  run(sql: string, ...values: SQLInputValue[]): number;
  /** All or nothing. */
  transaction<T>(work: () => T): T;
  close(): void;
}

/** Opens (or makes) the file, brings its tables up to date. Throws Fault when another streamer has it. */
export function openDatabase(path: string, migrations: readonly string[] = MIGRATIONS): Database {
  mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
  const lock = takeLock(`${path}.lock`);
  const db = new DatabaseSync(path, { timeout: 5000 });
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;');
  const statements = new Map<string, StatementSync>();
  const prepared = (sql: string): StatementSync => {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    const statement = db.prepare(sql);
    statements.set(sql, statement);
    return statement;
  };
  const transaction = <T>(work: () => T): T => {
    db.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      db.exec('COMMIT');
      return result;
    } catch (error) {
      // a full disk may have rolled back already
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  };
  try {
    migrate(db, transaction, migrations);
  } catch (error) {
    db.close();
    lock.close();
    throw error;
  }
  return {
    get: (sql, ...values) => prepared(sql).get(...values),
    all: (sql, ...values) => prepared(sql).all(...values),
    run: (sql, ...values) => Number(prepared(sql).run(...values).changes),
    transaction,
    close: () => {
      db.close();
      lock.close();
    },
  };
}

/**
 * Two streamers on one file would both do all of the work. A write transaction held open on a file beside the
 * ledger is a lock that the operating system takes back when its holder dies, however it dies.
 */
function takeLock(path: string): DatabaseSync {
  const lock = new DatabaseSync(path, { timeout: 1000 });
  try {
    lock.exec('PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock.close();
    throw new Fault(
      {
        kind: 'permanent',
        code: 'LEDGER_IN_USE',
        message: `Another streamer works with the ledger of ${path}. Stop it, or give this one its own data folder.`,
      },
      error,
    );
  }
}

function migrate(
  db: DatabaseSync,
  transaction: (work: () => void) => void,
  migrations: readonly string[],
): void {
  const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
  if (version > migrations.length)
    throw new Fault({
      kind: 'permanent',
      code: 'LEDGER_TOO_NEW',
      message: `The ledger was written by a newer Scanflow (version ${version}). Run that one, or restore a backup.`,
    });
  migrations.slice(version).forEach((sql, index) => {
    transaction(() => db.exec(`${sql}; PRAGMA user_version = ${version + index + 1};`));
  });
}
