/** What goes wrong with TLS, in words for a person. Without TLS itself: whoever never speaks it need not load it. */
import type { Socket } from 'node:net';
import { codeOf, transient, type Failure } from '@scanflow/failure';

export interface TlsProblem {
  /** A constant such as `TLS_EXPIRED`. */
  readonly code: string;
  /** What happened, without a full stop. */
  readonly what: string;
  /** A sentence: what to do about it. */
  readonly hint: string;
}

const problem = (code: string, what: string, hint: string): TlsProblem => ({ code, what, hint });

const SELF_SIGNED = problem(
  'TLS_SELF_SIGNED',
  'its certificate is signed by itself or by an authority of its own, which is not among those trusted',
  'Put that certificate, or the one of its authority, into the file that `ca` names.',
);
const WRONG_CA = problem(
  'TLS_WRONG_CA',
  'its certificate is from an authority that is not among those trusted',
  'Put the certificate of its authority into the file that `ca` names, or make it use the right one.',
);
const EXPIRED = problem(
  'TLS_EXPIRED',
  'its certificate has expired',
  'Renew it there, and check the clocks of both machines.',
);
const NO_CLIENT_CERTIFICATE = problem(
  'TLS_NO_CLIENT_CERTIFICATE',
  'no client certificate was shown, and one is required',
  'Configure key and certificate at the side that calls.',
);
const REFUSED_OURS = problem(
  'TLS_CERTIFICATE_REFUSED',
  'it refuses our certificate',
  'Make it trust the authority of our certificate, and check that ours has not expired.',
);
const NO_COMMON = problem(
  'TLS_NOTHING_IN_COMMON',
  'no TLS version or cipher suite that both sides allow',
  'Check that it speaks TLS 1.2 or later, the TLS profiles of both sides, and whether it wants a certificate of ours.',
);
const NOT_TLS = problem(
  'TLS_NOT_TLS',
  'it does not speak TLS',
  'Check the port, and whether TLS is turned on at both sides.',
);

/** By OpenSSL's and Node's codes: verification of the peer's certificate first. */
const PROBLEMS: Readonly<Record<string, TlsProblem>> = {
  CERT_HAS_EXPIRED: EXPIRED,
  CERT_NOT_YET_VALID: problem(
    'TLS_NOT_YET_VALID',
    'its certificate is not valid yet',
    'Check the clocks of both machines.',
  ),
  DEPTH_ZERO_SELF_SIGNED_CERT: SELF_SIGNED,
  SELF_SIGNED_CERT_IN_CHAIN: SELF_SIGNED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: WRONG_CA,
  UNABLE_TO_GET_ISSUER_CERT: WRONG_CA,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: WRONG_CA,
  CERT_SIGNATURE_FAILURE: WRONG_CA,
  CERT_UNTRUSTED: WRONG_CA,
  INVALID_CA: WRONG_CA,
  INVALID_PURPOSE: problem(
    'TLS_WRONG_PURPOSE',
    'its certificate is not meant for this side of a connection',
    'Request one with the extended key usage of that side, or of both (serverAuth, clientAuth).',
  ),
  CERT_REVOKED: problem('TLS_REVOKED', 'its certificate has been revoked', 'Request a new one for it.'),
  ERR_TLS_CERT_ALTNAME_INVALID: problem(
    'TLS_WRONG_NAME',
    'its certificate is for another name',
    'Use a host name that the certificate names, or say which with `serverName`.',
  ),
  ERR_TLS_HANDSHAKE_TIMEOUT: problem(
    'TLS_TIMEOUT',
    'the TLS handshake took too long',
    'Check the network, and whether that side speaks TLS on this port.',
  ),
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: NO_CLIENT_CERTIFICATE,
  NO_CLIENT_CERTIFICATE,
  ERR_SSL_UNSUPPORTED_PROTOCOL: NO_COMMON,
  ERR_SSL_NO_SHARED_CIPHER: NO_COMMON,
  ERR_SSL_WRONG_VERSION_NUMBER: NOT_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NOT_TLS,
  ERR_SSL_HTTP_REQUEST: NOT_TLS,
};

/** By the name of the alert (RFC 8446 6.2), of which OpenSSL's codes have several spellings. */
const ALERTS: Readonly<Record<string, TlsProblem>> = {
  CERTIFICATE_REQUIRED: NO_CLIENT_CERTIFICATE,
  UNKNOWN_CA: REFUSED_OURS,
  CERTIFICATE_EXPIRED: REFUSED_OURS,
  CERTIFICATE_REVOKED: REFUSED_OURS,
  CERTIFICATE_UNKNOWN: REFUSED_OURS,
  UNSUPPORTED_CERTIFICATE: REFUSED_OURS,
  BAD_CERTIFICATE: REFUSED_OURS,
  ACCESS_DENIED: REFUSED_OURS,
  HANDSHAKE_FAILURE: NO_COMMON,
  PROTOCOL_VERSION: NO_COMMON,
  INSUFFICIENT_SECURITY: NO_COMMON,
};
const ALERT = /^ERR_SSL_\S+?_ALERT_(?<name>\w+)$/;

/** The peer or the network closed the connection. */
export const CLOSED = problem(
  'TLS_CLOSED',
  'the connection was closed during the TLS handshake',
  'Check that it speaks TLS on this port and trusts the authority of our certificate.',
);

/** The problem behind an error's code; undefined where it is none of TLS, such as ECONNREFUSED. */
export function tlsProblem(code: string | undefined): TlsProblem | undefined {
  if (code === undefined) return undefined;
  const known = PROBLEMS[code] ?? ALERTS[ALERT.exec(code)?.groups?.['name'] ?? ''];
  if (known !== undefined) return known;
  if (code === 'ECONNRESET' || code === 'EPIPE') return CLOSED;
  return code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_')
    ? problem('TLS_FAILED', `the TLS handshake failed (${code})`, 'Check the TLS settings of both sides.')
    : undefined;
}

/** Errors of connections that came after the handshake, where TLS 1.3 tells what became of our certificate. */
const afterwards = new WeakMap<Socket, string>();

/** Keeps what a TLS connection that stood broke of. */
export function broke(socket: Socket, error: unknown): void {
  afterwards.set(socket, codeOf(error) ?? '');
}

/** Why a TLS connection that stood came to nothing; undefined where TLS had no part in it. */
export function tlsFailureAfterwards(socket: Socket, peer: string): Failure | undefined {
  return tlsFailure(afterwards.get(socket), peer);
}

/** Of an error's code; undefined where it is none of TLS. */
export function tlsFailure(code: string | undefined, peer: string): Failure | undefined {
  const found = tlsProblem(code);
  return found === undefined
    ? undefined
    : transient(found.code, `No TLS connection with ${peer}: ${found.what}. ${found.hint}`);
}
