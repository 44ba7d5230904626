/** What a check of `scanflow doctor` finds, and what a check is. */

export type State = 'ok' | 'warning' | 'failed' | 'skipped';

export interface Finding {
  readonly state: State;
  /** What is so. No secret, nothing of a patient. */
  readonly message: string;
  /** What to do about it; of everything that failed. */
  readonly todo?: string;
  /** As in docs/failures.md, where there is one. */
  readonly code?: string;
}

export interface Check {
  /** What it looks at, such as `destination pacs`. */
  readonly name: string;
  /** Looks. What it throws is a failure; it is not waited for longer than its time. */
  readonly run: (signal: AbortSignal) => Promise<Finding | readonly Finding[]>;
}

export interface Result extends Finding {
  readonly check: string;
}

export const ok = (message: string): Finding => ({ state: 'ok', message });
export const warning = (message: string, todo: string, code?: string): Finding => ({
  state: 'warning',
  message,
  todo,
  ...(code === undefined ? {} : { code }),
});
export const failed = (message: string, todo: string, code?: string): Finding => ({
  state: 'failed',
  message,
  todo,
  ...(code === undefined ? {} : { code }),
});
export const skipped = (message: string, todo: string): Finding => ({ state: 'skipped', message, todo });

/** A failure of the code that does the work, as a finding: its last sentences say what to do. */
export function failure({ code, message }: { readonly code: string; readonly message: string }): Finding {
  const end = /[.!?](?=\s)/.exec(message)?.index;
  const todo = end === undefined ? '' : message.slice(end + 1).trim();
  return failed(
    end === undefined ? message : message.slice(0, end + 1),
    todo === '' ? 'Look into the log there.' : todo,
    code,
  );
}
