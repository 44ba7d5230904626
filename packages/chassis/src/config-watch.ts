/** Follows the configuration file: what is changed in it is used without a restart, as far as a service can. */
import { stat } from 'node:fs/promises';
import { formatIssue } from './config/issue.ts';
import { loadConfig } from './config/load.ts';
import type { Config } from './config/schema.ts';
import type { Log } from './log.ts';

export interface ConfigWatchOptions {
  readonly file: string;
  readonly log: Log;
  /** Uses a changed configuration that is good. Must not throw. */
  readonly use: (config: Config) => void;
  /** How often the file is looked at, in milliseconds. */
  readonly everyMs?: number;
}

export interface ConfigWatch {
  close(): void;
}

const EVERY_MS = 2_000;

/** Looks at the file again and again. One with mistakes is logged once, and what was used before stays. */
export function watchConfig({ file, log, use, everyMs = EVERY_MS }: ConfigWatchOptions): ConfigWatch {
  let seen: string | undefined;
  const look = async (): Promise<void> => {
    const stamp = await stampOf(file);
    const changed = seen !== undefined && stamp !== seen;
    seen = stamp;
    if (!changed) return;
    const loaded = await loadConfig(file);
    if (loaded.ok) {
      log.info('configuration.changed', { file });
      use(loaded.config);
      return;
    }
    const [first, ...others] = loaded.issues;
    log.warn('configuration.unusable', {
      file,
      reason: first === undefined ? 'it cannot be read' : formatIssue(first),
      more: others.length,
      what: 'the configuration before it stays in use; correct the file',
    });
  };
  let looking = look();
  const timer = setInterval(() => {
    looking = looking.then(look);
  }, everyMs);
  timer.unref();
  return { close: () => clearInterval(timer) };
}

/** Changes whenever the file does, also when another takes its name. */
async function stampOf(file: string): Promise<string> {
  const { ino, size, mtimeMs } = await stat(file).catch(() => ({ ino: 0, size: 0, mtimeMs: 0 }));
  return `${ino} ${size} ${mtimeMs}`;
}
