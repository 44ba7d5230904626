/** The certificate that a peer has shown and that was found good: who it is, for policy and log. */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

export interface PeerCertificate {
  /** SHA-256 of the certificate: 64 lower-case hexadecimal digits. */
  readonly fingerprint: string;
  /** Attributes of the subject in its order, such as `CN=prisma,O=Example`; `\` stands before a comma of a value. */
  readonly subject: string;
}

/** Undefined: plain TCP, no certificate, or one that was not verified. */
export function certificateOf(socket: Socket): PeerCertificate | undefined {
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
