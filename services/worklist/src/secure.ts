/** TLS of the worklist's port, as configured; renewed files are used without a restart. */
import { openTlsStore, type Config, type Log } from '@scanflow/chassis';
import { tlsAcceptor, type TlsAcceptor, type TlsCredentials } from '@scanflow/dimse';

export interface Security {
  /** Undefined: plain TCP. */
  readonly acceptor: TlsAcceptor | undefined;
  readonly close: () => void;
}

/** Throws where a file is missing or cannot be used, with what to do about it. */
export async function openSecurity(tls: Config['worklist']['tls'], log: Log): Promise<Security> {
  if (tls === undefined) return { acceptor: undefined, close: () => undefined };
  const { requirePeerCertificate, profile, ...files } = tls;
  let acceptor: TlsAcceptor | undefined;
  const use = ({ key = '', certificate = '', ca }: Partial<TlsCredentials>): void => {
    const credentials = { key, certificate, ...(ca === undefined ? {} : { ca }) };
    if (acceptor !== undefined) acceptor.renew(credentials);
    else
      acceptor = tlsAcceptor({
        ...credentials,
        profile,
        ...(requirePeerCertificate === undefined ? {} : { requirePeerCertificate }),
      });
  };
  const store = await openTlsStore(files, { log, use });
  return { acceptor, close: store.close };
}
