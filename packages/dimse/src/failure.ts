/** How things fail, so that a caller can decide about a retry without reading a message. */

/**
 * `transient`: the same attempt may succeed later. `permanent`: it will not, until a person changes something.
 * `ambiguous`: the peer may have carried it out; nobody knows.
 */
export interface Failure {
  readonly kind: 'transient' | 'permanent' | 'ambiguous';
  /** A constant such as `DEST_REFUSED`. */
  readonly code: string;
  /** One sentence for a person: what happened and what to do. */
  readonly message: string;
}

export const transient = (code: string, message: string): Failure => ({ kind: 'transient', code, message });
export const permanent = (code: string, message: string): Failure => ({ kind: 'permanent', code, message });
export const ambiguous = (code: string, message: string): Failure => ({ kind: 'ambiguous', code, message });

/** A failure on its way up through code that awaits; turned back into a value at the public functions. */
export class DimseError extends Error {
  readonly failure: Failure;

  constructor(failure: Failure, cause?: unknown) {
    super(failure.message, { cause });
    this.name = 'DimseError';
    this.failure = failure;
  }
}

/** The failure that an unknown error carries; an error without one is a mistake of ours and permanent. */
export function failureOf(error: unknown): Failure {
  return carriedBy(error) ?? permanent('INTERNAL', `Unexpected error, please report it: ${nameOf(error)}`);
}

/** Of a DimseError, or of a caller's own error (FailureError of packages/failure) that carries one in the same form. */
export function carriedBy(error: unknown): Failure | undefined {
  if (error instanceof DimseError) return error.failure;
  return error instanceof Error && 'failure' in error && isFailure(error.failure) ? error.failure : undefined;
}

const isFailure = (value: unknown): value is Failure =>
  typeof value === 'object' && value !== null && 'kind' in value && 'code' in value && 'message' in value;

function nameOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
