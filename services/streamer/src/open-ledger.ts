/** The ledger that the configuration asks for. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readSecret, type Config } from '@scanflow/chassis';
import { openSharedLedger } from './adapters/ledger/postgres.ts';
import { openLedger } from './adapters/ledger/sqlite.ts';
import type { Followers, Ledger } from './ports.ts';

/** A SQLite file for one streamer, or a PostgreSQL server, which need not answer yet. */
export async function openConfiguredLedger(
  { data, ledger: { url, passwordFile, tls, lease } }: Pick<Config, 'data' | 'ledger'>,
  followers?: Followers,
): Promise<Ledger> {
  const options = { leaseMs: lease, ...(followers === undefined ? {} : { followers }) };
  if (url === undefined) return openLedger(join(data, 'streamer', 'ledger.sqlite'), options);
  return openSharedLedger({
    ...options,
    url,
    ...(passwordFile === undefined ? {} : { password: () => readSecret(passwordFile) }),
    ...(tls === undefined ? {} : { ca: await readFile(tls.ca, 'utf8') }),
  });
}
