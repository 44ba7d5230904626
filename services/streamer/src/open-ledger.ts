/** The ledger that the configuration asks for. */
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { readSecret, readTlsFiles, type Config } from '@scanflow/chassis';
import { openSharedLedger } from './adapters/ledger/postgres.ts';
import { openLedger } from './adapters/ledger/sqlite.ts';
import type { Followers, Ledger } from './ports.ts';

/**
 * A SQLite file for one streamer, or a PostgreSQL server, which need not answer yet. Throws an Error that names the file
 * where the certificate of its authority cannot be read.
 */
export async function openConfiguredLedger(
  { data, ledger: { url, passwordFile, tls, lease } }: Pick<Config, 'data' | 'ledger'>,
  followers?: Followers,
): Promise<Ledger> {
  const options = { leaseMs: lease, ...(followers === undefined ? {} : { followers }) };
  if (url === undefined) return openLedger(join(data, 'streamer', 'ledger.sqlite'), options);
  const ca = tls === undefined ? undefined : await authorityIn(tls.ca);
  return openSharedLedger({
    ...options,
    url,
    ...(passwordFile === undefined ? {} : { password: () => readSecret(passwordFile) }),
    ...(ca === undefined ? {} : { ca }),
  });
}

const certificateIn = (pem: string): X509Certificate => new X509Certificate(pem);

/** The certificate's text. Throws an Error that names the key and the file. */
async function authorityIn(path: string): Promise<string> {
  try {
    const { ca = '' } = await readTlsFiles({ ca: path });
    // what cannot be read as one is passed over in silence later
    certificateIn(ca);
    return ca;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `ledger.tls.ca cannot be used: ${path} has to hold the certificate of the authority, in PEM (${reason}).`,
      {
        cause: error,
      },
    );
  }
}
