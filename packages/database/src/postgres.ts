/** A PostgreSQL database that several processes share, and its errors as failures. */
import { defined, given } from '@scanflow/failure/defined';
import { Pool, TypeOverrides, types, type PoolClient, type PoolConfig } from 'pg';
import { type Failure, FailureError, codeOf, permanent, transient } from '@scanflow/failure';
import type { Database, Dialect, OnMigration, Row, Statements, Value } from './database.ts';

/** Whose data the server holds, for its tables and for the messages. */
export interface Server {
  /** Such as `the ledger`. */
  readonly holds: string;
  /** Such as `the streamer`. */
  readonly user: string;
  /** Section of the configuration that names the server. */
  readonly section: string;
  /** Name of the connections, for the server's own lists. */
  readonly application: string;
  /** SQL that brings the tables one step forward, each; applied in order, and once. */
  readonly migrations: readonly string[];
  /** Table that counts the migrations that were applied. */
  readonly versionTable: string;
  /** Number of the lock for the time that tables are made or changed. */
  readonly migrationLock: number;
  readonly tooNew: (version: number) => FailureError;
}

export interface PostgresOptions {
  /** postgresql://user@host:port/database */
  readonly url: string;
  /** Read at each new connection, so that a new password needs no restart. */
  readonly password?: () => Promise<string>;
  /** Certificate of the authority that signed the server's: then the connection is encrypted, and checked. */
  readonly ca?: string;
  /** Most connections at a time. */
  readonly connections?: number;
  /** Longest statement, in milliseconds. */
  readonly statementMs?: number;
  /** Called before tables of an older Scanflow are changed, which goes one way. */
  readonly onMigration?: OnMigration | undefined;
}

const CONNECTIONS = 6;
const CONNECT_MS = 10_000;
/** Longest statement by default; longest wait for a row that another transaction has. */
const STATEMENT_MS = 60_000;
const LOCK_MS = 20_000;
/** A process that was stopped in the middle of a transaction does not keep its rows from the others. */
const IDLE_IN_TRANSACTION_MS = 30_000;
/** How often a transaction runs again after the server broke it off in favour of another one. */
const CONFLICTS = 5;

/**
 * Opens the database; its tables are made or brought up to date at the first use that reaches the server. Every
 * method throws FailureError LEDGER_UNREACHABLE, LEDGER_TLS, LEDGER_DENIED, LEDGER_TOO_NEW,
 * LEDGER_FAILED.
 */
export function openPostgres(options: PostgresOptions, server: Server): Database {
  const pool = new Pool(poolConfig(options, server));
  const fault = (error: unknown): FailureError => faultOf(error, server);
  // an idle connection failed: the next user of one sees the error
  pool.on('error', () => undefined);
  let ready: Promise<void> | undefined;
  const prepare = (): Promise<void> => {
    ready ??= inTransaction(pool, 'BEGIN', (tx) => migrate(tx, server, options.onMigration), fault).catch(
      (error: unknown) => {
        ready = undefined;
        throw error;
      },
    );
    return ready;
  };
  const use = async <T>(begin: string, work: (tx: Statements) => Promise<T>): Promise<T> => {
    await prepare();
    return inTransaction(pool, begin, work, fault);
  };
  return {
    transaction: (work) => use('BEGIN', work),
    read: (work) => use('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', work),
    close: () => pool.end(),
  };
}

function poolConfig(
  { url, password, ca, connections = CONNECTIONS, statementMs = STATEMENT_MS }: PostgresOptions,
  { application }: Server,
): PoolConfig {
  const { username, hostname, port, pathname } = new URL(url);
  return {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? 5432 : Number(port),
    user: decodeURIComponent(username),
    database: decodeURIComponent(pathname.slice(1)),
    ...defined({ password }),
    // explicit, so that no variable of the environment turns the check off
    ...defined({ ssl: given(ca, (ca) => ({ ca, rejectUnauthorized: true })) }),
    max: connections,
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: statementMs,
    query_timeout: statementMs + CONNECT_MS,
    lock_timeout: LOCK_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    keepAlive: true,
    application_name: application,
    // what is committed is on the server's disk, whatever its default is
    options: '-c synchronous_commit=on',
    types: parsers,
  };
}

/** Milliseconds and counts stay far below 2^53. */
const parsers = new TypeOverrides();
parsers.setTypeParser(types.builtins.INT8, Number);

/** Runs all of it on one connection. If the server breaks it off in favour of another transaction, it runs again. */
async function inTransaction<T>(
  pool: Pool,
  begin: string,
  work: (tx: Statements) => Promise<T>,
  fault: (error: unknown) => FailureError,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await once(pool, begin, work);
    } catch (error) {
      if (!isConflict(error) || attempt >= CONFLICTS) throw fault(error);
    }
  }
}

async function once<T>(pool: Pool, begin: string, work: (tx: Statements) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken = false;
  // a connection may end while it is idle
  const lost = (): void => {
    broken = true;
  };
  client.on('error', lost);
  try {
    await client.query(begin);
    const result = await work(statementsOf(client));
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch(lost);
    throw error;
  } finally {
    client.off('error', lost);
    client.release(broken);
  }
}

/** Characters of a text in an index: PostgreSQL refuses a row whose key has more than 2,704 bytes. */
const LONGEST = 500;

const DIALECT: Dialect = {
  lock: 'FOR UPDATE',
  lockFree: (alias) => `FOR UPDATE OF ${alias} SKIP LOCKED`,
  // PostgreSQL refuses to read JSON with a NUL or half a surrogate in it, which an image may bring: the text as JSON writes it
  jsonText: (column, key) =>
    String.raw`left(substring(${column} from '"${key}":"((\\.|[^"\\])*)"'), ${LONGEST})`,
  jsonValue: (text) => JSON.stringify(text).slice(1, -1).slice(0, LONGEST),
};

function statementsOf(client: PoolClient): Statements {
  const ask = async (
    sql: string,
    values: readonly Value[] = [],
  ): Promise<{ rows: Row[]; changed: number }> => {
    const { rows, rowCount } = await client.query<Row>(numbered(sql), values.map(storable));
    return { rows, changed: rowCount ?? 0 };
  };
  return {
    dialect: DIALECT,
    get: async (sql, values) => (await ask(sql, values)).rows[0],
    all: async (sql, values) => (await ask(sql, values)).rows,
    run: async (sql, values) => (await ask(sql, values)).changed,
  };
}

/** PostgreSQL's texts hold no NUL. */
const storable = (value: Value): Value =>
  typeof value === 'string' ? value.replaceAll('\0', '\ufffd') : value;

const known = new Map<string, string>();

/** `?` as `$1`, `$2` … No statement of ours has a `?` of another meaning. */
function numbered(sql: string): string {
  let text = known.get(sql);
  if (text === undefined) {
    let number = 0;
    text = sql.replaceAll('?', () => `$${(number += 1)}`);
    known.set(sql, text);
  }
  return text;
}

/** The same tables: SQLite's INTEGER has 64 bits, and every table of PostgreSQL's is what SQLite calls strict. */
const forPostgres = (sql: string): string =>
  sql
    .replaceAll(
      /\bINTEGER PRIMARY KEY AUTOINCREMENT\b/g,
      'BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY',
    )
    .replaceAll(/\bINTEGER\b/g, 'BIGINT')
    .replaceAll(/(\w+) ->> '(\w+)'/g, (_, column: string, key: string) => DIALECT.jsonText(column, key))
    .replaceAll(/\) STRICT(, WITHOUT ROWID)?;/g, ');')
    .replaceAll(/\bjson_extract\((\w+), '\$\.(\w+)'\)/g, "($1::json ->> '$2')");

async function migrate(
  tx: Statements,
  { migrations, versionTable, migrationLock, tooNew }: Server,
  onMigration: OnMigration | undefined,
): Promise<void> {
  // one process at a time; the others find it done
  await tx.get(`SELECT pg_advisory_xact_lock(${migrationLock})`);
  await tx.run(`CREATE TABLE IF NOT EXISTS ${versionTable} (version BIGINT NOT NULL)`);
  const version = Number((await tx.get(`SELECT version FROM ${versionTable}`))?.['version'] ?? 0);
  if (version > migrations.length) throw tooNew(version);
  if (version === migrations.length) return;
  if (version > 0) onMigration?.(version, migrations.length);
  for (const sql of migrations.slice(version)) await tx.run(forPostgres(sql));
  await tx.run(`DELETE FROM ${versionTable}`);
  await tx.run(`INSERT INTO ${versionTable} (version) VALUES (?)`, [migrations.length]);
}

/** SQLSTATE classes and codes (PostgreSQL, appendix A). */
const CONFLICT = /^(40001|40P01|55P03)$/;
const AWAY = /^(08...|57P0[0-5]|53300|25P03)$/;
const DENIED = /^(28...|3D000|3F000|42501)$/;

/** The server broke this transaction off in favour of another one: a repetition succeeds. */
const isConflict = (error: unknown): boolean => CONFLICT.test(sqlState(error) ?? '');

/** Any error of a transaction as a FailureError. */
function faultOf(error: unknown, server: Server): FailureError {
  if (error instanceof FailureError) return error;
  return new FailureError(failureIn(error, server), error);
}

function failureIn(error: unknown, server: Server): Failure {
  const state = sqlState(error);
  if (state === undefined) return insecure(error, server) ?? unreachable(error, server);
  if (AWAY.test(state)) return unreachable(error, server);
  const { user, section } = server;
  if (DENIED.test(state))
    return permanent(
      'LEDGER_DENIED',
      `PostgreSQL refuses ${user} (${state}). Correct ${section}.url and ${section}.passwordFile; the database has to exist, and its user may make tables in it. Where it takes only connections with TLS, set ${section}.tls.`,
    );
  return transient('LEDGER_FAILED', `PostgreSQL refuses a statement (${state}). Look into its log.`);
}

/** Present in what the server itself says. Its message may hold values, so only the code is shown. */
function sqlState(error: unknown): string | undefined {
  const code = codeOf(error);
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && error instanceof Error && 'severity' in error
    ? code
    : undefined;
}

/** What keeps the connection from being secure (OpenSSL's and Node's codes, and what the driver says): undefined for anything else. */
function insecure(error: unknown, { holds, user, section }: Server): Failure | undefined {
  const code = codeOf(error) ?? '';
  const text = error instanceof Error ? error.message : '';
  const found = TLS_TROUBLES.find(([known]) => known.test(code) || known.test(text));
  if (found === undefined) return undefined;
  const [, what] = found;
  return transient(
    'LEDGER_TLS',
    `The way to PostgreSQL, which holds ${holds}, is not secure, so nothing is sent over it: ${what(section, user)}. The work goes on by itself.`,
  );
}

type Trouble = (section: string, user: string) => string;

const TLS_TROUBLES: readonly (readonly [codeOrText: RegExp, what: Trouble])[] = [
  [
    /^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/,
    () => 'its certificate is not valid now. Renew it there, and check the clocks of both machines',
  ],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    (section) =>
      `its certificate is for another name than ${section}.url has. Use a name that the certificate has, or request one for this name`,
  ],
  [
    /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|CERT_SIGNATURE_FAILURE|CERT_UNTRUSTED|INVALID_CA)$/,
    (section, user) =>
      `its certificate is not from the authority in ${section}.tls.ca. Put the certificate of the server's authority into that file, and restart ${user}`,
  ],
  [
    /^ERR_SSL_WRONG_VERSION_NUMBER$|does not support SSL|establishing an SSL connection/,
    (section) =>
      `it does not speak TLS, and ${section}.tls requires it. Turn it on there (ssl = on), or check ${section}.url`,
  ],
  [/^(ERR_(SSL|TLS)_|CERT_)/, () => 'the TLS handshake fails. Look into its log'],
];

const unreachable = (error: unknown, { holds, section }: Server): Failure =>
  transient(
    'LEDGER_UNREACHABLE',
    `PostgreSQL, which holds ${holds}, does not answer (${codeOf(error) ?? 'connection lost'}). See that it runs; check ${section}.url. The work goes on by itself.`,
  );
