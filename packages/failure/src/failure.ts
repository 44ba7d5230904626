/** How anything fails: whether a retry helps, which failure it is, and what a person should do. Pure. */

export interface Failure {
  /**
   * `transient`: a retry may succeed. `permanent`: a retry fails as well, until a person changes something.
   * `ambiguous`: it may have happened; find out before you repeat it.
   */
  readonly kind: 'transient' | 'permanent' | 'ambiguous';
  /** Stable name such as `CALENDAR_TIMEOUT`; docs/failures.md lists all of them. */
  readonly code: string;
  /** What happened, to what, and what to do. No patient attribute, no secret. */
  readonly message: string;
}

/** It may pass: whoever gets it tries again. `message`: what happened, to what, and what to do. */
export const transient = (code: string, message: string): Failure => ({ kind: 'transient', code, message });
/** It stays until a person does something. `message`: what happened, to what, and what to do. */
export const permanent = (code: string, message: string): Failure => ({ kind: 'permanent', code, message });
/** Nobody knows whether it was done: the other side has to be asked, or it is done again where that does no harm. */
export const ambiguous = (code: string, message: string): Failure => ({ kind: 'ambiguous', code, message });

/** An image that was not sent because its sender was held, by C-STORE or STOW-RS. It is sent later. */
export const SEND_HELD = transient(
  'SEND_HELD',
  'Sending was held before this image. It is sent when it may go on.',
);

/** Carries a failure through code that throws. */
export class FailureError extends Error implements Failure {
  override readonly name = 'FailureError';
  readonly failure: Failure;

  constructor(failure: Failure, cause?: unknown) {
    super(failure.message, cause === undefined ? undefined : { cause });
    this.failure = failure;
  }

  get kind(): Failure['kind'] {
    return this.failure.kind;
  }

  get code(): string {
    return this.failure.code;
  }
}

/** A list, a journal, a file or an option of a person cannot be used. Nothing was started. */
export class InputError extends Error {
  override name = 'InputError';
}

/** The failure that an error carries; undefined for an error that carries none. */
export const failureIn = (error: unknown): Failure | undefined =>
  error instanceof FailureError ? error.failure : undefined;

/** The message of whatever was thrown: of an Error its message, else the value as text. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The `code` of an error: the name of a system error such as `ENOSPC`, or the code of a failure. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  const number = UNNAMED.exec(error.code)?.[1];
  return (number === undefined ? undefined : LINUX[number]) ?? error.code;
}

/** The code that Node.js gives to a system error for which libuv has no name. */
const UNNAMED = /^Unknown system error -(\d+)$/;
/** Those of them that file systems give, by Linux's numbers (asm-generic/errno.h). */
const LINUX: Readonly<Record<string, string>> = { 116: 'ESTALE', 122: 'EDQUOT' };
