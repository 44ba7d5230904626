/** What a command of `scanflow` is, and what it gets in place of the process. */
import { InputError } from '@scanflow/failure';
import type { Output, Screen } from './terminal.ts';

/** Exit codes. `failed`: done in part, or failed. `notStarted`: usage, configuration, input. */
export const EXIT = { done: 0, failed: 1, notStarted: 2 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export interface Io extends Screen {
  readonly out: Output;
  /** The service in whose container this runs; undefined elsewhere. */
  readonly service?: string | undefined;
  /** Where a command keeps what it needs at its next run; undefined: nowhere. */
  readonly stateFolder?: string;
  /** Aborts on Ctrl-C, SIGTERM and SIGHUP. */
  readonly signal: AbortSignal;
}

export interface Command {
  /** The whole `--help` text, with an example. */
  readonly help: string;
  /** Runs the command. Throws UsageError for wrong arguments. */
  run(args: readonly string[], io: Io): Promise<ExitCode>;
}

/** Wrong arguments. `main.ts` shows the message and --help, and exits with 2. */
export class UsageError extends InputError {
  override name = 'UsageError';
}
