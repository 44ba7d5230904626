/** Who we are, and whom we trust, as PEM texts. */
import { FailureError, permanent } from '@scanflow/failure';
import { codeOf } from './problem.ts';

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
