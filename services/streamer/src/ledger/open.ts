/** Opens the ledger that the configuration names: a SQLite file for one streamer, or PostgreSQL for several. */
import { defined, given } from '@scanflow/failure/defined';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Config } from '@scanflow/config';
import { askRebuild, readRebuild, readSecret, readAuthority, type Log } from '@scanflow/runtime';
import { putAside, openSqlite, openPostgres } from './database.ts';
import { failureOf } from '../model/failure.ts';
import type { Database, PostgresOptions, Statements } from '@scanflow/database';
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
  const options = { leaseMs: lease, consequences };
  if (url === undefined) return openFile(data, options, log);
  const ca = tls === undefined ? undefined : await readAuthority(tls.ca, 'ledger.tls.ca');
  return openSharedLedger({
    ...options,
    url,
    ...defined({ password: given(passwordFile, (passwordFile) => () => readSecret(passwordFile)), ca }),
  });
}

/** If a person requested it, puts a damaged file aside and makes a new one. */
async function openFile(data: string, options: Options, log: Log): Promise<Ledger> {
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
  options: { readonly leaseMs?: number; readonly consequences?: Consequences } = {},
): Ledger {
  return ledgerOn(openSqlite(path), options.leaseMs, options.consequences);
}

/** The server need not answer yet. Every method throws FailureError LEDGER_UNREACHABLE, LEDGER_TLS, LEDGER_DENIED, LEDGER_TOO_NEW. */
export function openSharedLedger(
  options: PostgresOptions & { readonly leaseMs?: number; readonly consequences?: Consequences },
): Ledger {
  return ledgerOn(openPostgres(options), options.leaseMs, options.consequences);
}
