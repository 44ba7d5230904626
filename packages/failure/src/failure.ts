/** How anything fails: whether it is worth trying again, which failure it is, and what a person should do. */

export interface Failure {
  /**
   * `transient`: the same again may succeed. `permanent`: it will not, somebody must change something.
   * `ambiguous`: it may have happened; it must be found out before it is done again.
   */
  readonly kind: 'transient' | 'permanent' | 'ambiguous';
  /** Stable name such as `CALENDAR_TIMEOUT`. */
  readonly code: string;
  /** A sentence that tells a person what is wrong and what to do. No patient attribute, no secret. */
  readonly message: string;
}

/** An error that carries its failure through code that throws. */
export class FailureError extends Error {
  override readonly name = 'FailureError';
  readonly failure: Failure;

  constructor(failure: Failure, cause?: unknown) {
    super(failure.message, cause === undefined ? undefined : { cause });
    this.failure = failure;
  }

  get code(): string {
    return this.failure.code;
  }

  get kind(): Failure['kind'] {
    return this.failure.kind;
  }
}

/** The message of whatever was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The `code` of a system error such as `ENOSPC`; undefined where there is none. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
