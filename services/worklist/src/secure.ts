/** TLS of the worklist's port. Renewed files count without a restart. */
import type { Config } from '@scanflow/config';
import { openTlsStore, type Log } from '@scanflow/runtime';
import { openAcceptor, type TlsAcceptor } from '@scanflow/dimse';

export interface Security {
  /** Undefined: plain TCP. */
  readonly acceptor: TlsAcceptor | undefined;
  readonly close: () => void;
}

/** Throws if a file is missing or unusable, and says what to do. */
export async function openSecurity(tls: Config['worklist']['tls'], log: Log): Promise<Security> {
  if (tls === undefined) return { acceptor: undefined, close: () => undefined };
  const { requirePeerCertificate, profile, ...files } = tls;
  return openAcceptor({ profile, requirePeerCertificate }, (use) => openTlsStore(files, { log, use }));
}
