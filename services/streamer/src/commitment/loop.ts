/** One round of storage commitment at one destination. */
import type { Log } from '@scanflow/runtime';
import { commitmentLeg } from './plan.ts';
import { underLease } from '../work/lease.ts';
import type { Metrics } from '../http/metrics.ts';
import { pauseUntil } from '../work/pause.ts';
import { commitStep, type CommitDeps, type Committing } from './step.ts';
import type { Wake } from '../work/wake.ts';
import { nextLeg, nextTime } from '../ledger/claims.ts';

export interface CommitLoopDeps extends CommitDeps {
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Settles, or carries on, the next series that is due at this destination, or waits for one. */
export async function commitNext(
  committing: Committing,
  deps: CommitLoopDeps,
  wakes: Readonly<Record<'forward' | 'follow', Wake>>,
  signal: AbortSignal,
): Promise<void> {
  const { ledger, clock, log, metrics } = deps;
  const { name } = committing;
  const target = commitmentLeg(name);
  const since = wakes.forward.count;
  const work = await ledger.write(nextLeg, target, clock.now());
  if (work === undefined)
    return pauseUntil(await ledger.read(nextTime, target), wakes.forward, since, deps, signal);
  const outcome = await underLease(work, deps, signal, (held) => commitStep(work, committing, deps, held));
  wakes.follow.notify();
  const { series } = work;
  switch (outcome.kind) {
    case 'settled':
      if (outcome.failure === undefined) log.info('series committed', { series, target });
      else {
        metrics.failed('commit', outcome.failure.code);
        log.error('commitment failed', { series, target, ...outcome.failure });
      }
      break;
    case 'waiting': {
      const { asked, resent } = outcome;
      if (asked.length + resent > 0)
        log.info('commitment asked for', { series, target, transactions: asked, resent });
      if (resent > 0) wakes.forward.notify();
      break;
    }
    case 'later':
      metrics.failed('commit', outcome.failure.code);
      log.warn('commitment is asked for later', {
        series,
        target,
        ...outcome.failure,
        delayMs: outcome.delayMs,
      });
      break;
    case 'interrupted':
      log.info('commitment interrupted', { series, target });
  }
}
