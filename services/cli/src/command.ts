/** What a command of `scanflow` is, and what it is given instead of reaching for the process. */
import { InputError } from '@scanflow/transfer/input-error';
import type { Output } from './terminal.ts';

/** Exit codes: done; done in part or failed; not started (usage, configuration, input). */
export const EXIT = { done: 0, failed: 1, notStarted: 2 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export interface Io {
  readonly out: Output;
  readonly err: Output;
  /** Whether a person watches: colours and progress only then. */
  readonly terminal: boolean;
  readonly columns: number;
  /** The service in whose container this runs, as its image says; undefined elsewhere. */
  readonly service?: string | undefined;
  /** Where a command may note what it has to know at its next run; undefined: nowhere. */
  readonly stateFolder?: string;
  /** Aborts when the person presses Ctrl-C or the process is told to end. */
  readonly signal: AbortSignal;
}

export interface Command {
  /** The whole `--help` text, with an example. */
  readonly help: string;
  /** Does it. Throws UsageError where the arguments are wrong. */
  run(args: readonly string[], io: Io): Promise<ExitCode>;
}

/** Wrong arguments: the message and a pointer to --help are shown, exit code 2. */
export class UsageError extends InputError {
  override name = 'UsageError';
}
