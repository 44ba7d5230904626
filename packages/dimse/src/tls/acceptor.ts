/** TLS for the acceptor: a connection that was accepted is secured before anything of DICOM is read. */
import type { Socket } from 'node:net';
import { createServer, TLSSocket, type Server } from 'node:tls';
import { defined } from '@scanflow/failure/defined';
import { codeOf, FailureError, permanent } from '@scanflow/failure';
import type { ShownCertificate } from '../access.ts';
import { CLOSED, tlsProblem, type TlsProblem } from './problem.ts';
import { usable, HANDSHAKE_MS, profileOptions, type TlsCredentials, type TlsProfile } from './settings.ts';

export interface TlsAcceptorOptions extends TlsCredentials {
  /** Whether a peer must show a certificate that `ca` vouches for. Default: true where `ca` is given. */
  readonly requirePeerCertificate?: boolean;
  readonly profile?: TlsProfile;
  /** Longest handshake in milliseconds; default 10 s. */
  readonly handshakeMs?: number;
}

export type Secured =
  { readonly ok: true; readonly socket: Socket } | { readonly ok: false; readonly problem: TlsProblem };

export interface TlsAcceptor {
  /** Does the handshake; the connection is gone where it fails. Never rejects. */
  readonly secure: (socket: Socket) => Promise<Secured>;
  /** Uses other credentials from the next handshake on. Throws FailureError where they cannot be used. */
  readonly renew: (credentials: TlsCredentials) => void;
}

/** Throws FailureError, permanent, TLS_CREDENTIALS where key and certificates cannot be used. */
export function tlsAcceptor(options: TlsAcceptorOptions): TlsAcceptor {
  const { profile = 'bcp195', handshakeMs = HANDSHAKE_MS } = options;
  const required = options.requirePeerCertificate ?? options.ca !== undefined;
  if (required && options.ca === undefined) {
    throw new FailureError(
      permanent(
        'TLS_CREDENTIALS',
        'Certificates of peers cannot be required without `ca`; name its file as well.',
      ),
    );
  }
  const contextOf = ({ key, certificate, ca }: TlsCredentials) => ({
    ...profileOptions(profile),
    key,
    cert: certificate,
    ...defined({ ca }),
    dhparam: 'auto' as const,
    honorCipherOrder: true,
  });
  // this server never listens: connections come from ours, so that they count against its limits while they shake hands
  const server = usable(() =>
    createServer({
      ...contextOf(options),
      requestCert: options.ca !== undefined,
      rejectUnauthorized: false,
      handshakeTimeout: handshakeMs,
    }),
  );
  const waiting = new Map<string, (result: Secured) => void>();
  server.on('secureConnection', (socket) => waiting.get(nameOf(socket))?.(verdict(socket, required)));
  server.on('tlsClientError', (error, socket) => {
    waiting.get(nameOf(socket))?.({ ok: false, problem: tlsProblem(codeOf(error)) ?? CLOSED });
    socket.destroy();
  });
  return {
    renew: (credentials) => usable(() => server.setSecureContext(contextOf(credentials))),
    secure: (raw) => handshake(server, raw, waiting),
  };
}

async function handshake(
  server: Server,
  raw: Socket,
  waiting: Map<string, (result: Secured) => void>,
): Promise<Secured> {
  const name = nameOf(raw);
  const { promise, resolve } = Promise.withResolvers<Secured>();
  const gone = (): void => resolve({ ok: false, problem: CLOSED });
  waiting.set(name, resolve);
  raw.on('close', gone);
  raw.on('error', gone);
  server.emit('connection', raw);
  const result = await promise;
  waiting.delete(name);
  raw.off('close', gone);
  if (!result.ok) raw.destroy();
  return result;
}

/** Node tells of a peer's bad certificate only afterwards; with TLS 1.3 the peer takes the handshake for done by then. */
function verdict(socket: TLSSocket, required: boolean): Secured {
  if (!required || socket.authorized) return { ok: true, socket };
  const shown = socket.getPeerX509Certificate() !== undefined;
  // typed as an error, and in fact OpenSSL's code as a text
  const code = shown ? String(socket.authorizationError) : 'NO_CLIENT_CERTIFICATE';
  socket.destroy();
  return { ok: false, problem: tlsProblem(code) ?? unverified(code) };
}

const unverified = (code: string): TlsProblem => ({
  code: 'TLS_UNVERIFIED',
  what: `its certificate could not be verified (${code})`,
  hint: 'Check that certificate, and the file that `ca` names.',
});

/** Unique among the connections of this moment; a TLS socket tells that of the connection below it. */
const nameOf = ({ remoteAddress = '', remotePort = 0 }: Socket): string => `${remoteAddress} ${remotePort}`;

/**
 * An acceptor whose credentials change. `open` reads them and calls `use`, now and whenever they are renewed. `use` throws
 * FailureError if they cannot be used; then the former ones stay.
 *
 * @returns the acceptor, and `close` of what `open` returns
 * @throws what `open` throws
 */
export async function openAcceptor(
  {
    profile,
    requirePeerCertificate,
  }: {
    readonly profile: TlsProfile;
    readonly requirePeerCertificate?: boolean | undefined;
  },
  open: (use: (credentials: Partial<TlsCredentials>) => void) => Promise<{ readonly close: () => void }>,
): Promise<{ readonly acceptor: TlsAcceptor; readonly close: () => void }> {
  const made: { acceptor?: TlsAcceptor } = {};
  const { close } = await open(({ key = '', certificate = '', ca }) => {
    const credentials = { key, certificate, ...defined({ ca }) };
    if (made.acceptor !== undefined) made.acceptor.renew(credentials);
    else made.acceptor = tlsAcceptor({ ...credentials, profile, ...defined({ requirePeerCertificate }) });
  });
  if (made.acceptor === undefined) throw new Error('no credentials yet');
  return { acceptor: made.acceptor, close };
}

/** The certificate that a peer has shown; undefined: plain TCP, no certificate, or one that was not verified. */
export function certificateOf(socket: Socket): ShownCertificate | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  return {
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    subject: certificate.subject.split('\n').map(escaped).join(','),
  };
}

/** Node separates the attributes by line feeds and has RFC 2253 escapes in them, such as `\,`, already. */
const escaped = (attribute: string): string => attribute.replaceAll(/(?<!\\),/g, String.raw`\,`);
