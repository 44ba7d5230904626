/** What a check of `scanflow doctor` and of services is, where it looks and what it finds; runs checks side by side. */
import { defined } from '@scanflow/failure/defined';
import type { Config } from '@scanflow/config';
import { messageOf } from '@scanflow/failure';
import { pool } from '@scanflow/runtime/pool';

export type State = 'ok' | 'warning' | 'failed' | 'skipped';

export interface Finding {
  readonly state: State;
  /** What the check found. No secret, no attribute of a patient. */
  readonly message: string;
  /** What to do about it. Every failure has it. */
  readonly todo?: string;
  /** As in docs/failures.md, if there is one. */
  readonly code?: string;
}

export interface Check {
  /** What it looks at, such as `destination pacs`. */
  readonly name: string;
  /** Looks. An error that it throws is a failure. The signal aborts when its time is over. */
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
  ...defined({ code }),
});
export const failed = (message: string, todo: string, code?: string): Finding => ({
  state: 'failed',
  message,
  todo,
  ...defined({ code }),
});
export const skipped = (message: string, todo: string): Finding => ({ state: 'skipped', message, todo });

/** A failure of other code as a finding. Its sentences after the first say what to do. */
export function failure({ code, message }: { readonly code: string; readonly message: string }): Finding {
  const end = /[.!?](?=\s)/.exec(message)?.index;
  const todo = end === undefined ? '' : message.slice(end + 1).trim();
  return failed(
    end === undefined ? message : message.slice(0, end + 1),
    todo === '' ? 'Look into the log there.' : todo,
    code,
  );
}

export const SERVICES = ['cal2wl', 'worklist', 'receiver', 'streamer', 'dashboard'] as const;
export type ServiceName = (typeof SERVICES)[number];
/** An installation may do without them. */
export const OPTIONAL: ReadonlySet<ServiceName> = new Set(['receiver', 'dashboard']);

export interface Place {
  readonly config: Config;
  /** The service in whose container this runs; undefined: all services can be reached. */
  readonly service: ServiceName | undefined;
  /** Longest time of one check, in milliseconds. */
  readonly timeoutMs: number;
  /** Says nothing of the services of other containers. */
  readonly here?: boolean;
}

/** Whether the files and pages of this service can be reached from here. */
export const sees = ({ service }: Pick<Place, 'service'>, of: ServiceName): boolean =>
  service === undefined || service === of;

/** The host of a URL for a socket: an IPv6 address without brackets. */
export const hostIn = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '');

/** How this machine reaches a service that listens on `bind`; for a socket, so without brackets. */
export function addressOf(bind: string): string {
  if (bind === '0.0.0.0') return '127.0.0.1';
  return bind === '::' ? '::1' : bind;
}

interface RunOptions {
  /** Longest time for a check, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Checks at the same time. */
const PARALLEL = 8;

/** Runs all checks. Returns the results in the order of the checks. Rejects only when the signal aborts. */
export async function runChecks(checks: readonly Check[], options: RunOptions): Promise<Result[]> {
  const results = await pool(checks, PARALLEL, (check) => runOne(check, options));
  return results.flat();
}

async function runOne({ name, run }: Check, { timeoutMs, signal }: RunOptions): Promise<Result[]> {
  const limit = AbortSignal.timeout(timeoutMs);
  const either = AbortSignal.any([limit, signal]);
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(new Error('ended'));
  either.addEventListener('abort', onAbort);
  try {
    signal.throwIfAborted();
    // goes on without a check that ignores the signal, such as one on a network drive that hangs
    const found = await Promise.race([run(either), ended]);
    return [found].flat().map((finding: Finding) => ({ check: name, ...finding }));
  } catch (error) {
    signal.throwIfAborted();
    const finding = limit.aborted
      ? failed(
          `no answer within ${timeoutMs / 1000} s`,
          'Something hangs there: a network drive, a firewall that drops packets, or a machine under load.',
        )
      : failed(messageOf(error), 'This was not foreseen; please report it.');
    return [{ check: name, ...finding }];
  } finally {
    either.removeEventListener('abort', onAbort);
  }
}
