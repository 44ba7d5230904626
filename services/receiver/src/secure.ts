/** TLS of the receiver's second port, as configured; renewed files are used without a restart. */
import type { Config } from '@scanflow/config';
import { openTlsStore, type Log } from '@scanflow/runtime';
import { renewedAcceptor, type TlsAcceptor } from '@scanflow/dimse';

export interface Security {
  readonly port: number;
  readonly acceptor: TlsAcceptor;
  readonly close: () => void;
}

/** Undefined where no TLS is configured. Throws where a file is missing or cannot be used, with what to do about it. */
export async function openSecurity(tls: Config['receiver']['tls'], log: Log): Promise<Security | undefined> {
  if (tls === undefined) return undefined;
  const { requirePeerCertificate, profile, port, ...files } = tls;
  const renewed = renewedAcceptor({ profile, requirePeerCertificate });
  const store = await openTlsStore(files, { log, use: renewed.use });
  return { port, acceptor: renewed.acceptor(), close: store.close };
}
