/** TLS for the requestor: a way to open connections that a peer names as its `dial`. */
import { once } from 'node:events';
import { isIP } from 'node:net';
import { checkServerIdentity, connect, createSecureContext, type SecureContext } from 'node:tls';
import { defined } from '@scanflow/failure/defined';
import { codeOf, FailureError } from '@scanflow/failure';
import type { Dial } from '../scu/associate.ts';
import { broke, tlsFailure } from './problem.ts';
import { HANDSHAKE_MS, profileOptions, usable, type TlsCredentials, type TlsProfile } from './settings.ts';

export interface TlsDialOptions {
  /** Called for every connection, so that they may be renewed; the same object means that nothing changed. */
  readonly credentials: () => Partial<TlsCredentials>;
  readonly profile?: TlsProfile;
  /** The name or address that the peer's certificate must be for. Default: the host that is called. */
  readonly serverName?: string;
  /** Longest handshake in milliseconds; default 10 s. */
  readonly handshakeMs?: number;
}

/**
 * A dial that speaks TLS and verifies the peer: its certificate must come from `ca` (default: the authorities that
 * Node.js trusts) and be for the host. Throws FailureError TLS_CREDENTIALS at once where the credentials cannot be used;
 * dialling throws FailureError, transient, TLS_…: whoever runs the peer may mend it without our doing.
 */
export function tlsDial(options: TlsDialOptions): Dial {
  const { credentials, profile = 'bcp195', serverName, handshakeMs = HANDSHAKE_MS } = options;
  let made: { of: Partial<TlsCredentials>; context: SecureContext } | undefined;
  const contextNow = (): SecureContext => {
    const of = credentials();
    if (made?.of !== of) made = { of, context: contextOf(of, profile) };
    return made.context;
  };
  contextNow();
  return async ({ host, port }, signal) => {
    const name = serverName ?? host;
    const socket = connect({
      host,
      port,
      secureContext: contextNow(),
      // server name indication knows no addresses (RFC 6066 3)
      servername: isIP(name) === 0 ? name : '',
      checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
    });
    socket.setNoDelay(true);
    socket.on('error', (error) => broke(socket, error));
    try {
      await once(socket, 'connect', { signal });
      await once(socket, 'secureConnect', {
        signal: AbortSignal.any([signal, AbortSignal.timeout(handshakeMs)]),
      });
      return socket;
    } catch (error) {
      socket.destroy();
      const late = !signal.aborted && error instanceof Error && error.name === 'AbortError';
      const failure = tlsFailure(late ? 'ERR_TLS_HANDSHAKE_TIMEOUT' : codeOf(error), `${host}:${port}`);
      throw failure === undefined ? error : new FailureError(failure, error);
    }
  };
}

const contextOf = ({ key, certificate, ca }: Partial<TlsCredentials>, profile: TlsProfile): SecureContext =>
  usable(() =>
    createSecureContext({
      ...profileOptions(profile),
      ...defined({ key, cert: certificate, ca }),
    }),
  );
