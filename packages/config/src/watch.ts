/** Follows the configuration file: what is changed in it is used without a restart, as far as a service can. */
import { statSync, type Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { formatIssue } from './issue.ts';
import { loadConfig } from './load.ts';
import type { Config } from './schema.ts';
import type { Log } from '@scanflow/runtime';

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
  // at once: a change from here on is one
  let seen = stampOf(statSync(file, { throwIfNoEntry: false }));
  const look = async (): Promise<void> => {
    const stamp = stampOf(await stat(file).catch(() => undefined));
    if (stamp === seen) return;
    seen = stamp;
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
const stampOf = (file: Stats | undefined): string =>
  file === undefined ? 'none' : `${file.ino} ${file.size} ${file.mtimeMs}`;
