/** A PostgreSQL database that several processes share; of several servers, the one that takes writes. */
import type { Socket } from 'node:net';
import { defined, given } from '@scanflow/failure/defined';
import {
  Client,
  Pool,
  TypeOverrides,
  types,
  type ClientBase,
  type ClientConfig,
  type PoolClient,
  type PoolConfig,
} from 'pg';
import { FailureError } from '@scanflow/failure';
import type { Database, Dialect, OnMigration, Row, Statements, Value } from './database.ts';
import { faultOf, isConflict, isReplica, sqlState, type Holder } from './faults.ts';

/** Whose data the server holds, and its tables. */
export interface Server extends Holder {
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
  /** postgresql://user@host:port/database. Of several servers, the one that takes writes is used. */
  readonly url: string | readonly string[];
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
  /** Longest wait for a connection, and for an answer beyond the longest statement. */
  readonly connectMs?: number;
}

const CONNECTIONS = 6;
const CONNECT_MS = 10_000;
/** The server at an address may be another one since: a connection that waits for an answer asks this early whether it still holds. */
const KEEPALIVE_MS = 5_000;
/** A dead server does not roll back; its connection is dropped. */
const ROLLBACK_MS = 5_000;
/** SQLSTATE read_only_sql_transaction: the server takes no writes any more. */
const READ_ONLY = '25006';
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
  const servers = new Servers(options, server);
  const fault = (error: unknown): FailureError => faultOf(error, server);
  let ready: Promise<void> | undefined;
  const prepare = (): Promise<void> => {
    ready ??= inTransaction(servers, 'BEGIN', (tx) => migrate(tx, server, options.onMigration), fault).catch(
      (error: unknown) => {
        ready = undefined;
        throw error;
      },
    );
    return ready;
  };
  const use = async <T>(begin: string, work: (tx: Statements) => Promise<T>): Promise<T> => {
    await prepare();
    return inTransaction(servers, begin, work, fault);
  };
  return {
    transaction: (work) => use('BEGIN', work),
    read: (work) => use('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', work),
    close: () => servers.close(),
  };
}

/** Connections to the first of the servers that takes writes. */
class Servers {
  readonly #urls: readonly string[];
  readonly #pool: Pool;
  readonly #server: Server;
  /** Number of the server for the next connection. */
  #at = 0;

  constructor(options: PostgresOptions, server: Server) {
    this.#urls = [options.url].flat();
    this.#server = server;
    const next = (): ClientConfig => addressOf(this.#urls[this.#at] ?? '');
    const { connectMs = CONNECT_MS } = options;
    // the pool waits for it, which its types do not say
    const checked = {
      onConnect: (client: ClientBase): Promise<void> => mustTakeWrites(client, server, connectMs),
    };
    this.#pool = new Pool({
      ...poolConfig(options, server),
      Client: class extends Client {
        constructor(common: ClientConfig = {}) {
          // the pool hides the password from copies
          super({ ...common, ...defined({ password: common.password }), ...next() });
        }
      },
      ...checked,
    });
    // an idle connection failed: the next user of one sees the error
    this.#pool.on('error', () => undefined);
  }

  /** Asks each server once. */
  async connect(): Promise<PoolClient> {
    const errors: unknown[] = [];
    for (let count = 0; count < this.#urls.length; count += 1) {
      const asked = this.#at;
      try {
        return await this.#pool.connect();
      } catch (error) {
        errors.push(error);
        // another transaction may have gone on already
        if (this.#at === asked) this.#at = (asked + 1) % this.#urls.length;
      }
    }
    // A person has to correct some faults: these come first. A server that answers has more to say than one that is away.
    const faults = errors.map((error) => faultOf(error, this.#server));
    const answered = errors.find((error) => error instanceof FailureError || sqlState(error) !== undefined);
    throw faults.find(({ code }) => code !== 'LEDGER_UNREACHABLE') ?? answered ?? errors[0];
  }

  close(): Promise<void> {
    return this.#pool.end();
  }
}

/** A replica shows what was true a moment ago, and a server that was replaced what was true before. */
async function mustTakeWrites(client: ClientBase, server: Server, limitMs: number): Promise<void> {
  const query = { text: 'SHOW transaction_read_only', query_timeout: limitMs };
  const { rows } = await client.query<{ transaction_read_only: string }>(query);
  if (rows[0]?.transaction_read_only === 'off') return;
  // the pool would wait without a limit for the server to close it, and the driver's types do not show the socket
  (client as ClientBase & { readonly connection: { readonly stream: Socket } }).connection.stream.destroy();
  throw new FailureError(isReplica(server));
}

function addressOf(url: string): ClientConfig {
  const { username, hostname, port, pathname } = new URL(url);
  return {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? 5432 : Number(port),
    user: decodeURIComponent(username),
    database: decodeURIComponent(pathname.slice(1)),
  };
}

function poolConfig(
  {
    password,
    ca,
    connections = CONNECTIONS,
    statementMs = STATEMENT_MS,
    connectMs = CONNECT_MS,
  }: PostgresOptions,
  { application }: Server,
): PoolConfig {
  return {
    ...defined({ password }),
    // explicit, so that no variable of the environment turns the check off
    ...defined({ ssl: given(ca, (ca) => ({ ca, rejectUnauthorized: true })) }),
    max: connections,
    connectionTimeoutMillis: connectMs,
    statement_timeout: statementMs,
    query_timeout: statementMs + connectMs,
    lock_timeout: LOCK_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEPALIVE_MS,
    application_name: application,
    // what is committed is on the server's disk, and on that of its synchronous replica, whatever its default is
    options: '-c synchronous_commit=on',
    types: parsers,
  };
}

/** Milliseconds and counts stay far below 2^53. */
const parsers = new TypeOverrides();
parsers.setTypeParser(types.builtins.INT8, Number);

/** Runs all of it on one connection. If the server breaks it off in favour of another transaction, it runs again. */
async function inTransaction<T>(
  servers: Servers,
  begin: string,
  work: (tx: Statements) => Promise<T>,
  fault: (error: unknown) => FailureError,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await once(servers, begin, work);
    } catch (error) {
      if (!isConflict(error) || attempt >= CONFLICTS) throw fault(error);
    }
  }
}

async function once<T>(servers: Servers, begin: string, work: (tx: Statements) => Promise<T>): Promise<T> {
  const client = await servers.connect();
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
    const rollback = { text: 'ROLLBACK', query_timeout: ROLLBACK_MS };
    await client.query(rollback).catch(lost);
    if (sqlState(error) === READ_ONLY) lost();
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
  clock: '(extract(epoch FROM clock_timestamp()) * 1000)::bigint',
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
