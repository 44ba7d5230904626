/** One SQLite file: opened durably and by one process alone, and how damage shows. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { messageOf, type FailureError } from '@scanflow/failure';
import type { Database, Dialect, OnMigration, Statements } from './database.ts';

/** What the owner of a file says of it where it cannot be used. */
export interface FileFaults {
  readonly inUse: (path: string) => FailureError;
  /** `what` is what SQLite says. */
  readonly damaged: (path: string, what: string) => FailureError;
  /** A newer Scanflow wrote it: its version. */
  readonly tooNew: (version: number) => FailureError;
}

export interface SqliteOptions {
  readonly path: string;
  /** SQL that brings the tables one step forward, each; applied in order, and once. */
  readonly migrations: readonly string[];
  /** SQL that runs each time, after them. */
  readonly atOpening?: string;
  /** Tables that the check reads last. */
  readonly checkLast?: readonly string[];
  /** Called before tables of an older Scanflow are changed, which goes one way. */
  readonly onMigration?: OnMigration | undefined;
  readonly faults: FileFaults;
}

/** Opens (or makes) the file, brings its tables up to date. Throws a FailureError of `faults`. */
export function openSqlite({
  path,
  migrations,
  atOpening = '',
  checkLast = [],
  onMigration,
  faults,
}: SqliteOptions): Database {
  mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
  const lock = takeLock(path, faults);
  const db = new DatabaseSync(path, { timeout: 5000 });
  const judged = (error: unknown): unknown => {
    const what = damageIn(error);
    return what === undefined ? error : faults.damaged(path, what);
  };
  try {
    const trouble = quickCheck(db, CHECK_MS, checkLast);
    if (trouble !== undefined) throw faults.damaged(path, trouble);
    db.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;',
    );
    migrate(db, migrations, faults, onMigration);
    db.exec(atOpening);
  } catch (error) {
    db.close();
    lock.close();
    throw judged(error);
  }
  return databaseOn(db, lock, judged);
}

/** `judged`: an error that says that the file is damaged, as that; any other error as it is. */
function databaseOn(db: DatabaseSync, lock: DatabaseSync, judged: (error: unknown) => unknown): Database {
  const tx = statementsOf(db);
  const damage = Promise.withResolvers<never>();
  damage.promise.catch(() => undefined);
  // one connection: whoever comes while a transaction is open waits for its end
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work).catch((error: unknown) => {
      const fault = judged(error);
      if (fault !== error) damage.reject(fault);
      throw fault;
    });
    last = mine.catch(() => undefined);
    return mine;
  };
  return {
    broken: damage.promise,
    // an earlier Scanflow did not overwrite what it deleted
    scrub: () => inTurn(() => Promise.try(() => db.exec('VACUUM; PRAGMA wal_checkpoint(TRUNCATE)'))),
    transaction: (work) => inTurn(() => transaction(db, () => work(tx))),
    read: (work) => inTurn(() => work(tx)),
    close: () =>
      inTurn(() =>
        Promise.try(() => {
          if (db.isOpen) db.close();
          if (lock.isOpen) lock.close();
        }),
      ),
  };
}

/** Longest look at the file before work begins. */
const CHECK_MS = 10_000;

const DIALECT: Dialect = {
  lock: '',
  lockFree: () => '',
  jsonText: (column, key) => `${column} ->> '${key}'`,
  jsonValue: (text) => text,
  clock: "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
};

/** Statements are done when they return; the promises are there for the databases that take longer. */
function statementsOf(db: DatabaseSync): Statements {
  const statements = new Map<string, StatementSync>();
  const prepared = (sql: string): StatementSync => {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    const statement = db.prepare(sql);
    statements.set(sql, statement);
    return statement;
  };
  return {
    dialect: DIALECT,
    get: (sql, values = []) => Promise.try(() => prepared(sql).get(...values)),
    all: (sql, values = []) => Promise.try(() => prepared(sql).all(...values)),
    run: (sql, values = []) => Promise.try(() => Number(prepared(sql).run(...values).changes)),
  };
}

async function transaction<T>(db: DatabaseSync, work: () => Promise<T>): Promise<T> {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = await work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    rollBack(db);
    throw error;
  }
}

/** A full disk may have rolled back already. */
function rollBack(db: DatabaseSync): void {
  if (db.isTransaction) db.exec('ROLLBACK');
}

/**
 * Two processes on one file would both do all of the work. A write transaction held open on a file beside it is a lock
 * that the operating system takes back when its holder dies, however it dies.
 */
function takeLock(path: string, { inUse }: FileFaults): DatabaseSync {
  const lock = new DatabaseSync(`${path}.lock`, { timeout: 1000 });
  try {
    lock.exec('PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock.close();
    if (resultOf(error) === BUSY) throw Object.assign(inUse(path), { cause: error });
    // a full disk, most often
    const what = `${path}.lock cannot be written: ${messageOf(error)}.`;
    throw new Error(`${what} Check space and permissions of its folder.`, { cause: error });
  }
}

function migrate(
  db: DatabaseSync,
  migrations: readonly string[],
  { tooNew }: FileFaults,
  onMigration: OnMigration | undefined,
): void {
  const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
  if (version > migrations.length) throw tooNew(version);
  if (version > 0 && version < migrations.length) onMigration?.(version, migrations.length);
  migrations.slice(version).forEach((sql, index) => {
    db.exec('BEGIN IMMEDIATE');
    try {
      db.exec(`${sql}; PRAGMA user_version = ${version + index + 1}; COMMIT`);
    } catch (error) {
      rollBack(db);
      throw error;
    }
  });
}

/** SQLITE_BUSY */
const BUSY = 5;
/** SQLITE_CORRUPT and SQLITE_NOTADB; the higher bits of a result say which kind. */
const DAMAGE: ReadonlySet<number> = new Set([11, 26]);

/** What SQLite says of a damaged file (SQLITE_CORRUPT, SQLITE_NOTADB); undefined for an error of another kind. */
export function damageIn(error: unknown): string | undefined {
  const result = resultOf(error);
  return result !== undefined && DAMAGE.has(result) ? messageOf(error) : undefined;
}

/** SQLite's result, without its higher bits; undefined for an error of another kind. */
const resultOf = (error: unknown): number | undefined =>
  error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : undefined;

/**
 * Reads the tables and looks whether they hold together; what SQLite says of the first that does not. A file too large for
 * `limitMs` is looked at in part: damage in the rest shows with the statement that meets it. Tables of `last` come last.
 */
export function quickCheck(
  db: DatabaseSync,
  limitMs: number,
  last: readonly string[] = [],
  clock = (): number => performance.now(),
): string | undefined {
  const until = clock() + limitMs;
  const tables = db
    .prepare(`SELECT name FROM sqlite_schema WHERE type = 'table'`)
    .all()
    .map((row) => String(row['name']))
    .toSorted((a, b) => Number(last.includes(a)) - Number(last.includes(b)));
  for (const table of tables) {
    if (clock() > until) return undefined;
    const said = db.prepare(`PRAGMA quick_check('${table.replaceAll("'", "''")}')`).get()?.['quick_check'];
    if (said !== 'ok') return String(said);
  }
  return undefined;
}
