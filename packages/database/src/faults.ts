/** Errors of PostgreSQL and its driver as failures. */
import { type Failure, FailureError, codeOf, permanent, transient } from '@scanflow/failure';

/** Whose data the server holds, for the messages. */
export interface Holder {
  /** Such as `the ledger`. */
  readonly holds: string;
  /** Such as `the streamer`. */
  readonly user: string;
  /** Section of the configuration that names the server. */
  readonly section: string;
}

/** SQLSTATE classes and codes (PostgreSQL, appendix A). */
const CONFLICT = /^(40001|40P01|55P03)$/;
const AWAY = /^(08...|57P0[0-5]|53300|25P03|25006)$/;
const DENIED = /^(28...|3D000|3F000|42501)$/;

/** The server broke this transaction off in favour of another one: a repetition succeeds. */
export const isConflict = (error: unknown): boolean => CONFLICT.test(sqlState(error) ?? '');

/** Any error of a transaction as a FailureError. */
export function faultOf(error: unknown, server: Holder): FailureError {
  if (error instanceof FailureError) return error;
  return new FailureError(failureIn(error, server), error);
}

function failureIn(error: unknown, server: Holder): Failure {
  const state = sqlState(error);
  if (state === undefined) return insecure(error, server) ?? unreachable(error, server);
  if (AWAY.test(state)) return unreachable(error, server);
  const { user, section } = server;
  if (DENIED.test(state))
    return permanent(
      'LEDGER_DENIED',
      `PostgreSQL refuses ${user} (${state}). Correct ${section}.url and ${section}.passwordFile; the database has to exist, and its user may make tables in it. Where it takes only connections with TLS, set ${section}.tls.`,
    );
  return transient('LEDGER_FAILED', `PostgreSQL refuses a statement (${state}). Look into its log.`);
}

/** Present in what the server itself says. Its message may hold values, so only the code is shown. */
export function sqlState(error: unknown): string | undefined {
  const code = codeOf(error);
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && error instanceof Error && 'severity' in error
    ? code
    : undefined;
}

/** What keeps the connection from being secure (OpenSSL's and Node's codes, and what the driver says): undefined for anything else. */
function insecure(error: unknown, { holds, user, section }: Holder): Failure | undefined {
  const code = codeOf(error) ?? '';
  const text = error instanceof Error ? error.message : '';
  const found = TLS_TROUBLES.find(([known]) => known.test(code) || known.test(text));
  if (found === undefined) return undefined;
  const [, what] = found;
  return transient(
    'LEDGER_TLS',
    `The way to PostgreSQL, which holds ${holds}, is not secure, so nothing is sent over it: ${what(section, user)}. The work goes on by itself.`,
  );
}

type Trouble = (section: string, user: string) => string;

const TLS_TROUBLES: readonly (readonly [codeOrText: RegExp, what: Trouble])[] = [
  [
    /^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/,
    () => 'its certificate is not valid now. Renew it there, and check the clocks of both machines',
  ],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    (section) =>
      `its certificate is for another name than ${section}.url has. Use a name that the certificate has, or request one for this name`,
  ],
  [
    /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|CERT_SIGNATURE_FAILURE|CERT_UNTRUSTED|INVALID_CA)$/,
    (section, user) =>
      `its certificate is not from the authority in ${section}.tls.ca. Put the certificate of the server's authority into that file, and restart ${user}`,
  ],
  [
    /^ERR_SSL_WRONG_VERSION_NUMBER$|does not support SSL|establishing an SSL connection/,
    (section) =>
      `it does not speak TLS, and ${section}.tls requires it. Turn it on there (ssl = on), or check ${section}.url`,
  ],
  [/^(ERR_(SSL|TLS)_|CERT_)/, () => 'the TLS handshake fails. Look into its log'],
];

const unreachable = (error: unknown, { holds, section }: Holder): Failure =>
  transient(
    'LEDGER_UNREACHABLE',
    `PostgreSQL, which holds ${holds}, does not answer (${codeOf(error) ?? 'connection lost'}). See that it runs; check ${section}.url. The work goes on by itself.`,
  );

export const isReplica = ({ holds, section }: Holder): Failure =>
  transient(
    'LEDGER_UNREACHABLE',
    `PostgreSQL, which should hold ${holds}, takes no writes: it is a replica. Promote it, or name the server that takes writes in ${section}.url. The work goes on by itself.`,
  );
