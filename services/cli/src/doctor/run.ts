/** Runs checks side by side, none longer than its time. */
import { messageOf } from '@scanflow/failure';
import { pool } from '@scanflow/runtime/pool';
import { failed, type Check, type Finding, type Result } from './finding.ts';

export interface RunOptions {
  /** Longest time for a check, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Under way at a time. */
const PARALLEL = 8;

/** The results in the order of the checks. Rejects only when the signal aborts. */
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
    // a check that does not heed the signal (a network drive that hangs) is left behind
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
