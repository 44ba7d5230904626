/** One SQLite file: opened durably and by one streamer alone; how damage shows, and how a damaged file is kept. */
import { mkdirSync } from 'node:fs';
import { dirname, basename, join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { rename } from 'node:fs/promises';
import { FailureError } from '@scanflow/failure';
import { fsyncFolder, absent } from '@scanflow/runtime';
import type { Database, Statements } from './tx.ts';
import { MIGRATIONS, tooNew } from './schema.ts';

/**
 * Opens (or makes) the file, brings its tables up to date. The claims in it are those of processes that are gone,
 * as only one has it at a time: they are void. Throws FailureError LEDGER_IN_USE, LEDGER_CORRUPT, LEDGER_TOO_NEW.
 */
export function openSqlite(
  path: string,
  migrations: readonly string[] = MIGRATIONS,
  atOpening: string = VOID_CLAIMS,
): Database {
  mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
  const lock = takeLock(`${path}.lock`);
  const db = new DatabaseSync(path, { timeout: 5000 });
  try {
    const trouble = quickCheck(db, CHECK_MS);
    if (trouble !== undefined) throw damaged(path, trouble);
    db.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;',
    );
    migrate(db, migrations);
    db.exec(atOpening);
  } catch (error) {
    db.close();
    lock.close();
    throw judged(path, error);
  }
  return databaseOn(path, db, lock);
}

function databaseOn(path: string, db: DatabaseSync, lock: DatabaseSync): Database {
  const tx = statementsOf(db);
  const damage = Promise.withResolvers<never>();
  damage.promise.catch(() => undefined);
  // one connection: whoever comes while a transaction is open waits for its end
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work).catch((error: unknown) => {
      const fault = judged(path, error);
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
          db.close();
          lock.close();
        }),
      ),
  };
}

/** Longest look at the file before work begins. */
const CHECK_MS = 10_000;

/** What says that the file is damaged, as that; any other error as it is. */
function judged(path: string, error: unknown): unknown {
  const what = damageIn(error);
  return what === undefined ? error : damaged(path, what);
}

const VOID_CLAIMS = `DELETE FROM lease; UPDATE leg SET claim = NULL, next_try = updated WHERE claim IS NOT NULL;
  UPDATE delivery SET claim = NULL, next_try = updated WHERE claim IS NOT NULL;
  UPDATE verification SET claim = NULL, due = stored WHERE claim IS NOT NULL;
  UPDATE verify_item SET claim = NULL, next_try = 0 WHERE claim IS NOT NULL`;

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
    dialect: { lock: '', lockFree: () => '' },
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
    throw new FailureError(
      {
        kind: 'permanent',
        code: 'LEDGER_IN_USE',
        message: `Another streamer works with the ledger of ${path}. Stop it, or give this one its own data folder.`,
      },
      error,
    );
  }
}

function migrate(db: DatabaseSync, migrations: readonly string[]): void {
  const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
  if (version > migrations.length) throw tooNew(version);
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

/** SQLITE_CORRUPT and SQLITE_NOTADB; the higher bits of a result say which kind. */
const DAMAGE: ReadonlySet<number> = new Set([11, 26]);

/** Undefined for an error that says nothing about the file. */
export function damageIn(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return DAMAGE.has(Number(error.errcode) & 0xff) ? error.message : undefined;
}

/** The ledger cannot be trusted any more. `what` is what SQLite says. */
const damaged = (path: string, what: string): FailureError =>
  new FailureError({
    kind: 'permanent',
    code: 'LEDGER_CORRUPT',
    message:
      `The ledger ${path} is damaged (${what}). Nothing is lost: the images are in Orthanc and in project storage. ` +
      'Check the disk, then: scanflow ledger rebuild. It keeps the damaged file aside and makes a new ledger.',
  });

/** Where each series stands comes first, lists of single images last. */
const LAST: ReadonlySet<string> = new Set(['progress', 'delivery', 'commitment']);

/**
 * Reads the tables and looks whether they hold together; what SQLite says of the first that does not. A ledger too large for
 * `limitMs` is looked at in part: damage in the rest shows with the statement that meets it.
 */
export function quickCheck(
  db: DatabaseSync,
  limitMs: number,
  clock = (): number => performance.now(),
): string | undefined {
  const until = clock() + limitMs;
  const tables = db
    .prepare(`SELECT name FROM sqlite_schema WHERE type = 'table'`)
    .all()
    .map((row) => String(row['name']))
    .toSorted((a, b) => Number(LAST.has(a)) - Number(LAST.has(b)));
  for (const table of tables) {
    if (clock() > until) return undefined;
    const said = db.prepare(`PRAGMA quick_check('${table.replaceAll("'", "''")}')`).get()?.['quick_check'];
    if (said !== 'ok') return String(said);
  }
  return undefined;
}

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
