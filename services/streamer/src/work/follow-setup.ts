/** Hooks, sessions and cleaning up as the configuration has them. */
import { join } from 'node:path';
import type { Config } from '@scanflow/config';
import type { Log } from '@scanflow/runtime';
import { openExamCounts } from '../intake/exam-counts.ts';
import { wants } from '../hooks/plan.ts';
import type { Follow } from './deps.ts';
import { hooksOf } from '../hooks/settings.ts';
import type { Followers } from '../ports.ts';

export interface FollowSetup {
  readonly follow: Follow;
  /** What the ledger has to know of it. */
  readonly followers: Followers;
}

/** @param destinations targets that somebody works on */
export function setUpFollow(config: Config, destinations: ReadonlySet<string>, log: Log): FollowSetup {
  const hooks = hooksOf(config.hooks);
  const notCleaned: Follow['notCleaned'] = new Map();
  const kept: Follow['kept'] = new Map();
  const performed = openExamCounts(join(config.data, 'performed'), (file, reason) =>
    log.warn('record of an exam cannot be read', { code: 'PERFORMED_UNREADABLE', file, reason }),
  );
  return {
    follow: {
      hooks,
      performed,
      context: {
        root: config.storage.root,
        destinations,
        notCleaned: { get: (series) => notCleaned.get(series) ?? kept.get(series) },
      },
      sessionQuietMs: config.sessions.quiet,
      cleanupAfterMs: config.cleanup.after,
      notCleaned,
      kept,
    },
    followers: {
      commits: (destination) => config.destinations[destination]?.commitment !== undefined,
      hooksFor: (event, modality) =>
        hooks.filter((hook) => wants(hook, event, modality)).map(({ name }) => name),
      sessionQuietMs: config.sessions.quiet,
      verifyEveryMs: config.storage.verify.every === 'never' ? undefined : config.storage.verify.every,
    },
  };
}
