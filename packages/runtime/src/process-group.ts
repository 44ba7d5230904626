/** Programs that have a process group of their own, so that all of their processes end with them. */
import type { ChildProcess } from 'node:child_process';

export interface Watch {
  readonly timedOut: () => boolean;
  readonly stop: () => void;
}

/**
 * Sends SIGTERM to the group when the time is up or we stop, and SIGKILL if that does not help.
 * @param child spawned with `detached`
 * @param limits in milliseconds; `graceMs` is the time from SIGTERM to SIGKILL
 */
export function watchOver(
  child: ChildProcess,
  { timeoutMs, graceMs }: { readonly timeoutMs: number; readonly graceMs: number },
  signal: AbortSignal,
): Watch {
  let late = false;
  let kill: NodeJS.Timeout | undefined;
  const end = (): void => {
    signalGroup(child, 'SIGTERM');
    kill ??= setTimeout(() => signalGroup(child, 'SIGKILL'), graceMs);
  };
  const timer = setTimeout(() => {
    late = true;
    end();
  }, timeoutMs);
  signal.addEventListener('abort', end, { once: true });
  return {
    timedOut: () => late,
    stop: () => {
      clearTimeout(timer);
      clearTimeout(kill);
      signal.removeEventListener('abort', end);
    },
  };
}

/** Signals every process of the group; nothing where none is left. */
export function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // no process of the group is left
  }
}
