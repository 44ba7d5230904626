/** The ledger that the configuration asks for. */
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import type { Config } from '@scanflow/config';
import { askRebuild, readRebuild, readSecret, readTlsFiles, type Log } from '@scanflow/runtime';
import { messageOf } from '@scanflow/failure';
import { openSharedLedger } from './postgres.ts';
import { putAside } from './sqlite-damage.ts';
import { openLedger } from './sqlite.ts';
import { failureOf } from '../model/failure.ts';
import type { Followers, Ledger } from '../ports.ts';

type Options = Parameters<typeof openLedger>[1];

/**
 * A SQLite file for one streamer, or a PostgreSQL server, which need not answer yet. Throws an Error that names the file
 * where the certificate of its authority cannot be read; FailureError LEDGER_CORRUPT, LEDGER_IN_USE, LEDGER_TOO_NEW.
 */
export async function openConfiguredLedger(
  { data, ledger: { url, passwordFile, tls, lease } }: Pick<Config, 'data' | 'ledger'>,
  log: Log,
  followers?: Followers,
): Promise<Ledger> {
  const options = { leaseMs: lease, ...(followers === undefined ? {} : { followers }) };
  if (url === undefined) return openFile(data, options, log);
  const ca = tls === undefined ? undefined : await authorityIn(tls.ca);
  return openSharedLedger({
    ...options,
    url,
    ...(passwordFile === undefined ? {} : { password: () => readSecret(passwordFile) }),
    ...(ca === undefined ? {} : { ca }),
  });
}

/** Where a person asked for it, a damaged file is put aside and a new one made. */
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

const certificateIn = (pem: string): X509Certificate => new X509Certificate(pem);

/** The certificate's text. Throws an Error that names the key and the file. */
async function authorityIn(path: string): Promise<string> {
  try {
    const { ca = '' } = await readTlsFiles({ ca: path });
    // what cannot be read as one is passed over in silence later
    certificateIn(ca);
    return ca;
  } catch (error) {
    const reason = messageOf(error);
    throw new Error(
      `ledger.tls.ca cannot be used: ${path} has to hold the certificate of the authority, in PEM (${reason}).`,
      {
        cause: error,
      },
    );
  }
}
