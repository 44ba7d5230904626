/** One round of storage commitment at one destination. */
import type { Log } from '@scanflow/runtime';
import { commitmentLeg } from './plan.ts';
import { LEG_LEASE } from '../work/lease.ts';
import { legsTo } from '../work/legs.ts';
import { nextOf, workOn, type WorkKind } from '../work/worker.ts';
import type { ForwardWork } from '../ports.ts';
import type { Metrics } from '../http/metrics.ts';
import { commitStep, type CommitDeps, type CommitOutcome, type Committing } from './step.ts';
import type { Wake } from '../work/wake.ts';

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
  const target = commitmentLeg(committing.name);
  const kind = workOfCommitment(committing, target, deps, wakes);
  const queue = legsTo(target, deps.ledger, deps.clock, wakes.forward);
  await nextOf(queue, (work) => workOn(kind, work, deps, signal), deps, signal);
}

function workOfCommitment(
  committing: Committing,
  target: string,
  deps: CommitLoopDeps,
  wakes: Readonly<Record<'forward' | 'follow', Wake>>,
): WorkKind<ForwardWork, Extract<CommitOutcome, { kind: 'settled' | 'waiting' }>> {
  const { log, metrics } = deps;
  return {
    name: 'commit',
    lease: LEG_LEASE,
    about: ({ series }) => ({ series, target }),
    says: { later: 'commitment is requested later', interrupted: 'commitment interrupted' },
    step: (work, held) => commitStep(work, committing, deps, held),
    after: () => wakes.follow.notify(),
    ended: (outcome, about) => {
      if (outcome.kind === 'waiting') {
        const { asked, resent } = outcome;
        if (asked.length + resent > 0)
          log.info('commitment requested', { ...about, transactions: asked, resent });
        if (resent > 0) wakes.forward.notify();
        return;
      }
      const { failure } = outcome;
      if (failure === undefined) {
        log.info('series committed', about);
        return;
      }
      metrics.failed('commit', failure.code);
      log.error('commitment failed', { ...about, ...failure });
    },
  };
}
