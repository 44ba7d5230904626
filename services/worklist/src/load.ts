/** Holds the served snapshot. It reads the folder again and logs what changed. */
import type { Log } from '@scanflow/runtime';
import { readFolder } from './adapters/folder.ts';
import { emptySnapshot, type Problem, type Snapshot } from './domain/snapshot.ts';

export interface Loader {
  /** The served snapshot. It never changes; a newer one replaces it. */
  readonly snapshot: () => Snapshot;
  /** Reads what changed. True: something was being written, read again soon. */
  readonly read: () => Promise<boolean>;
}

export interface LoaderOptions {
  readonly folder: string;
  /** Character sets of text in files that declares none. */
  readonly assumed: readonly string[];
  readonly log: Log;
  /** Called with each reading and the seconds it took. */
  readonly onRead: (snapshot: Snapshot, seconds: number) => void;
}

/** A loader that has not read yet and serves an empty worklist. */
export function createLoader({ folder, assumed, log, onRead }: LoaderOptions): Loader {
  let snapshot = emptySnapshot;
  let first = true;
  return {
    snapshot: () => snapshot,
    read: async () => {
      const started = performance.now();
      const next = await readFolder({ folder, assumed }, snapshot);
      const seconds = (performance.now() - started) / 1000;
      reportFolder(log, folder, first ? undefined : snapshot, next);
      reportItems(log, snapshot, next, seconds);
      snapshot = next;
      first = false;
      onRead(next, seconds);
      return next.folder === 'present' && [...next.files.values()].some((file) => file.unsettled);
    },
  };
}

function reportFolder(log: Log, folder: string, before: Snapshot | undefined, after: Snapshot): void {
  if (after.folder === before?.folder && after.failure === before.failure) return;
  if (after.folder === 'missing') log.warn('worklist.folder-missing', { folder });
  else if (after.folder === 'failed')
    log.error('worklist.folder-unreadable', { folder, reason: after.failure });
  else if (before?.folder === 'failed') log.info('worklist.folder-readable', { folder });
}

/** Logs each problem when it first occurs, and that items came, changed or went. */
function reportItems(log: Log, before: Snapshot, after: Snapshot, seconds: number): void {
  const known = new Set(before.problems.map(problemKey));
  for (const problem of after.problems)
    if (!known.has(problemKey(problem)))
      log.warn(problem.served ? 'worklist.item-flawed' : 'worklist.file-not-served', {
        file: problem.file,
        code: problem.code,
        reason: problem.message,
      });
  if (after.opened === 0 && after.files.size === before.files.size) return;
  log.info('worklist.loaded', {
    items: after.schedule.entries.length,
    opened: after.opened,
    problems: after.problems.length,
    ms: Math.round(seconds * 1000),
  });
}

const problemKey = ({ file, code, message }: Problem): string => `${file}\n${code}\n${message}`;
