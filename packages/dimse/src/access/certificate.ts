/** Which certificates are meant by a line of the configuration: pure, for who may call. */

/** Structurally the certificate that the upper layer has verified. */
export interface ShownCertificate {
  /** SHA-256: 64 lower-case hexadecimal digits. */
  readonly fingerprint: string;
  /** `CN=prisma,O=Example`; a backslash stands before a comma of a value. */
  readonly subject: string;
}

/** A test by fingerprint (colons and case mean nothing), or by attributes of the subject, all of which must be there. */
export function certificateMatcher(wanted: string): (shown: ShownCertificate) => boolean {
  const digits = wanted.replaceAll(':', '').toLowerCase();
  if (/^[0-9a-f]{64}$/.test(digits)) return ({ fingerprint }) => fingerprint === digits;
  const attributes = wanted.split(',').map(normal);
  return ({ subject }) => {
    const shown = new Set(subject.split(/(?<!\\),/).map(normal));
    return attributes.every((attribute) => shown.has(attribute));
  };
}

/** Names of attributes have no case (RFC 4514 4); values keep theirs. */
function normal(attribute: string): string {
  const text = attribute.trim();
  const equals = text.indexOf('=');
  return `${text.slice(0, equals).toUpperCase()}=${text.slice(equals + 1)}`;
}
