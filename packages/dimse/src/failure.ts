/** Failures of the public functions of this package: they are values, not exceptions. */
import { failureIn, permanent, type Failure } from '@scanflow/failure';

/** The failure that an error carries. An error without one is a mistake of ours, and permanent. */
export function failureOf(error: unknown): Failure {
  return failureIn(error) ?? permanent('INTERNAL', `Unexpected error, please report it: ${nameOf(error)}`);
}

function nameOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
