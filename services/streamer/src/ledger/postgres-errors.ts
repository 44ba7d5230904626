/** What PostgreSQL and the way to it say, as failures. */
import { type Failure, FailureError, codeOf, permanent, transient } from '@scanflow/failure';

/** SQLSTATE classes and codes (PostgreSQL, appendix A). */
const CONFLICT = /^(40001|40P01|55P03)$/;
const AWAY = /^(08...|57P0[0-5]|53300|25P03)$/;
const DENIED = /^(28...|3D000|42501)$/;

/** The server broke this transaction off in favour of another one: done anew, it goes through. */
export const isConflict = (error: unknown): boolean => CONFLICT.test(sqlState(error) ?? '');

/** Any error of a transaction as a FailureError. */
export function ledgerFault(error: unknown): FailureError {
  if (error instanceof FailureError) return error;
  return new FailureError(failureIn(error), error);
}

function failureIn(error: unknown): Failure {
  const state = sqlState(error);
  if (state === undefined) return insecure(error) ?? unreachable(error);
  if (AWAY.test(state)) return unreachable(error);
  if (DENIED.test(state))
    return permanent(
      'LEDGER_DENIED',
      `PostgreSQL refuses the streamer (${state}). Correct ledger.url and ledger.passwordFile; the database has to exist, and its user may make tables in it. Where it takes only connections with TLS, set ledger.tls.`,
    );
  return transient('LEDGER_FAILED', `PostgreSQL refuses a statement (${state}). Look into its log.`);
}

/** Present in what the server itself says. Its message may hold values, so the code alone is told. */
function sqlState(error: unknown): string | undefined {
  const code = codeOf(error);
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && error instanceof Error && 'severity' in error
    ? code
    : undefined;
}

/** What keeps the connection from being secure (OpenSSL's and Node's codes, and what the driver says): undefined for anything else. */
function insecure(error: unknown): Failure | undefined {
  const code = codeOf(error) ?? '';
  const text = error instanceof Error ? error.message : '';
  const found = TLS_TROUBLES.find(([codes, texts]) => codes.test(code) || texts?.test(text) === true);
  if (found === undefined) return undefined;
  const [, , what] = found;
  return transient(
    'LEDGER_TLS',
    `The way to PostgreSQL, which holds the ledger, is not secure, so nothing is sent over it: ${what}. The work goes on by itself.`,
  );
}

const TLS_TROUBLES: readonly (readonly [codes: RegExp, texts: RegExp | undefined, what: string])[] = [
  [
    /^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/,
    undefined,
    'its certificate is not valid now. Renew it there, and check the clocks of both machines',
  ],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    undefined,
    'its certificate is for another name than ledger.url has. Use a name that the certificate has, or request one for this name',
  ],
  [
    /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|CERT_SIGNATURE_FAILURE|CERT_UNTRUSTED|INVALID_CA)$/,
    undefined,
    "its certificate is not from the authority in ledger.tls.ca. Put the certificate of the server's authority into that file, and restart the streamer",
  ],
  [
    /^ERR_SSL_WRONG_VERSION_NUMBER$/,
    /does not support SSL|establishing an SSL connection/,
    'it does not speak TLS, and ledger.tls requires it. Turn it on there (ssl = on), or check ledger.url',
  ],
  [/^(ERR_(SSL|TLS)_|CERT_)/, undefined, 'the TLS handshake fails. Look into its log'],
];

const unreachable = (error: unknown): Failure =>
  transient(
    'LEDGER_UNREACHABLE',
    `PostgreSQL, which holds the ledger, does not answer (${codeOf(error) ?? 'connection lost'}). See that it runs; check ledger.url. The work goes on by itself.`,
  );
