/** TLS of both roles: profiles (PS3.15 annex B) and credentials; and the way in which a requestor opens connections. */
import { constants } from 'node:crypto';
import {
  type SecureContextOptions,
  checkServerIdentity,
  connect,
  createSecureContext,
  type SecureContext,
} from 'node:tls';
import { codeOf, FailureError, permanent } from '@scanflow/failure';
import { once } from 'node:events';
import { isIP } from 'node:net';
import { defined } from '@scanflow/failure/defined';
import type { Dial } from '../scu/associate.ts';
import { broke, tlsFailure } from './problem.ts';

/**
 * `bcp195`: BCP 195 RFC 8996, 9325 TLS Secure Transport Connection Profile (PS3.15 B.12).
 * `bcp195-nondowngrading`: Non-Downgrading BCP 195 TLS Profile (PS3.15 B.10 up to 2022, retired since): the same with
 * the cipher suites of RFC 7525 4.2, for peers that know no ECDHE. Neither goes below TLS 1.2, so neither downgrades.
 */
export type TlsProfile = 'bcp195' | 'bcp195-nondowngrading';

interface TlsProfileSettings {
  /** As the standard names it. */
  readonly title: string;
  readonly clause: string;
  /** RFC names of TLS 1.3's suites, which each are complete. */
  readonly suites13: readonly string[];
  /** OpenSSL names of TLS 1.2's suites, in the order of preference. */
  readonly suites12: readonly string[];
}

const SUITES_13 = ['TLS_AES_256_GCM_SHA384', 'TLS_AES_128_GCM_SHA256', 'TLS_CHACHA20_POLY1305_SHA256'];
/** RFC 9325 4.2. */
const ECDHE = [
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
];
/** RFC 7525 4.2 has these two beside those of RSA above. */
const DHE = ['DHE-RSA-AES256-GCM-SHA384', 'DHE-RSA-AES128-GCM-SHA256'];

export const tlsProfiles: Readonly<Record<TlsProfile, TlsProfileSettings>> = {
  bcp195: {
    title: 'BCP 195 RFC 8996, 9325 TLS Secure Transport Connection Profile',
    clause: 'PS3.15 B.12',
    suites13: SUITES_13,
    suites12: ECDHE,
  },
  'bcp195-nondowngrading': {
    title: 'Non-Downgrading BCP 195 TLS Profile (retired)',
    clause: 'PS3.15 2022 B.10',
    suites13: SUITES_13,
    suites12: [...ECDHE, ...DHE],
  },
};

/** Longest TLS handshake in milliseconds, of both roles. */
export const HANDSHAKE_MS = 10_000;

/** What both roles tell OpenSSL for a profile. */
export function profileOptions(profile: TlsProfile): SecureContextOptions {
  const { suites12, suites13 } = tlsProfiles[profile];
  return {
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    ciphers: [...suites13, ...suites12].join(':'),
    // no resumption: a certificate that has expired meanwhile is looked at again with every association
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
  };
}

/** Who we are, and whom we trust, as PEM texts. */
export interface TlsCredentials {
  readonly key: string;
  /** The certificate, and those between it and the authority, if any. */
  readonly certificate: string;
  /** Authorities whose certificates are accepted from peers. */
  readonly ca?: string;
}

/** OpenSSL's opinion of credentials; throws FailureError, permanent, TLS_CREDENTIALS with what to do. */
export function usable<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    const code = codeOf(error);
    const why = code === undefined ? '' : (HINTS[code] ?? ` (${code})`);
    throw new FailureError(
      permanent(
        'TLS_CREDENTIALS',
        `The TLS key and certificates cannot be used${why}. They must be PEM files.`,
      ),
      error,
    );
  }
}

const HINTS: Readonly<Record<string, string>> = {
  ERR_OSSL_X509_KEY_VALUES_MISMATCH: ': the key is not the one of the certificate',
  ERR_OSSL_PEM_NO_START_LINE: ': there is no PEM text in one of them',
  ERR_OSSL_UNSUPPORTED: ': the key is of no kind that is known, or no key at all',
  ERR_OSSL_CRYPTO_INTERRUPTED_OR_CANCELLED: ': the key is protected by a password; make it one without',
  ERR_OSSL_BAD_DECRYPT: ': the key is protected by a password; make it one without',
};

// TLS for the requestor: a way to open connections that a peer names as its `dial`.

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
