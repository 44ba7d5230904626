/** Locks among workers, also of several processes and containers. The kernel ends the lock of a killed worker. */
import { DatabaseSync } from 'node:sqlite';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf, FailureError, messageOf, transient } from '@scanflow/failure';
import { sleep } from '@scanflow/runtime';

const LOOK_MS = 50;

/**
 * Runs work while no other worker holds the lock of this file. SQLite holds it by a lock of the kernel, which ends with the
 * process. Rejects with BIDS_BUSY where it takes too long.
 */
export async function withLock<T>(
  path: string,
  { timeoutMs, what }: { readonly timeoutMs: number; readonly what: string },
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  const until = performance.now() + timeoutMs;
  for (;;) {
    signal.throwIfAborted();
    const release = tryLock(path);
    if (release !== undefined)
      try {
        return await work();
      } finally {
        release();
      }
    if (performance.now() > until)
      throw new FailureError(
        transient(
          'BIDS_BUSY',
          `Another worker has had ${what} for ${timeoutMs / 1000} s. It is tried again.`,
        ),
      );
    await sleep(LOOK_MS, signal);
  }
}

function tryLock(path: string): (() => void) | undefined {
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA busy_timeout = 0');
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (/locked|busy/i.test(messageOf(error))) return undefined;
    throw Object.assign(new Error(`The lock ${path} cannot be used: ${messageOf(error)}`), {
      code: codeOf(error) ?? 'ELOCK',
    });
  }
  return () => database.close();
}
