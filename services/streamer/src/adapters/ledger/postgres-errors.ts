/** What PostgreSQL and the way to it say, as failures. */
import { errnoOf, Fault, permanent, transient, type Failure } from '../../domain/failure.ts';

/** SQLSTATE classes and codes (PostgreSQL, appendix A). */
const CONFLICT = /^(40001|40P01|55P03)$/;
const AWAY = /^(08...|57P0[0-5]|53300|25P03)$/;
const DENIED = /^(28...|3D000|42501)$/;

/** The server broke this transaction off in favour of another one: done anew, it goes through. */
export const isConflict = (error: unknown): boolean => CONFLICT.test(sqlState(error) ?? '');

/** Any error of a transaction as a Fault. */
export function ledgerFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  return new Fault(failureIn(error), error);
}

function failureIn(error: unknown): Failure {
  const state = sqlState(error);
  if (state === undefined) return unreachable(error);
  if (AWAY.test(state)) return unreachable(error);
  if (DENIED.test(state))
    return permanent(
      'LEDGER_DENIED',
      `PostgreSQL refuses the streamer (${state}). Correct ledger.url and ledger.passwordFile; the database has to exist, and its user may make tables in it.`,
    );
  return transient('LEDGER_FAILED', `PostgreSQL refuses a statement (${state}). Look into its log.`);
}

/** Present in what the server itself says. Its message may hold values, so the code alone is told. */
function sqlState(error: unknown): string | undefined {
  const code = errnoOf(error);
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && error instanceof Error && 'severity' in error
    ? code
    : undefined;
}

const unreachable = (error: unknown): Failure =>
  transient(
    'LEDGER_UNREACHABLE',
    `PostgreSQL, which holds the ledger, does not answer (${errnoOf(error) ?? 'connection lost'}). See that it runs; check ledger.url. The work goes on by itself.`,
  );
