/** An acceptor of TLS whose credentials come again and again: the first make it, later ones renew it. */
import { defined } from '@scanflow/booking/defined';
import { tlsAcceptor, type TlsAcceptor, type TlsAcceptorOptions } from './acceptor.ts';
import type { TlsCredentials } from './credentials.ts';

export interface RenewedAcceptor {
  /** Throws DimseError where they cannot be used; those before stay. */
  readonly use: (credentials: Partial<TlsCredentials>) => void;
  /** Throws before the first use(). */
  readonly acceptor: () => TlsAcceptor;
}

export function renewedAcceptor({
  requirePeerCertificate,
  ...options
}: {
  readonly profile: NonNullable<TlsAcceptorOptions['profile']>;
  readonly requirePeerCertificate?: boolean | undefined;
}): RenewedAcceptor {
  let made: TlsAcceptor | undefined;
  const required = requirePeerCertificate === undefined ? {} : { requirePeerCertificate };
  return {
    use: ({ key = '', certificate = '', ca }) => {
      const credentials = { key, certificate, ...defined({ ca }) };
      if (made === undefined) made = tlsAcceptor({ ...credentials, ...options, ...required });
      else made.renew(credentials);
    },
    acceptor: () => {
      if (made === undefined) throw new Error('no credentials yet');
      return made;
    },
  };
}
