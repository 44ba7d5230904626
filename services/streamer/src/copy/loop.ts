/** One round of the copy of everything. */
import type { Log } from '@scanflow/runtime';
import type { Condition } from '../work/condition.ts';
import type { Layout } from '../store/place/layout.ts';
import { COPY } from '../model/series.ts';
import { LEG_LEASE } from '../work/lease.ts';
import { legsTo } from '../work/legs.ts';
import { nextOf, workOn, type WorkKind } from '../work/worker.ts';
import type { Metrics } from '../http/metrics.ts';
import type { ForwardWork, Store } from '../ports.ts';
import { copyStep, type CopyDeps, type CopyOutcome } from './step.ts';
import type { Wake } from '../work/wake.ts';

export interface CopyLoopDeps extends CopyDeps {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly condition: Condition;
}

/** Copies the next series that is due, or waits for one. `deps.store` is project storage, `copies` the copy's. */
export async function copyNext(
  deps: CopyLoopDeps,
  copies: Store,
  layout: Layout,
  wake: Wake,
  signal: AbortSignal,
): Promise<void> {
  const { ledger, clock, log, metrics, condition } = deps;
  const own = { ...deps, store: copies, system: () => condition.system };
  const kind: WorkKind<ForwardWork, Extract<CopyOutcome, { kind: 'copied' }>> = {
    name: 'copy',
    lease: LEG_LEASE,
    about: ({ series }) => ({ series }),
    says: { later: 'copying is tried again', interrupted: 'copying interrupted' },
    step: (work, held) => copyStep(work, layout, own, held),
    ended: ({ images, fresh, failure }, about) => {
      if (failure === undefined) {
        log.info('series copied', { ...about, images, fresh });
        return;
      }
      metrics.failed('copy', failure.code);
      log.error('copying failed in part', { ...about, images, fresh, ...failure });
    },
  };
  await nextOf(legsTo(COPY, ledger, clock, wake), (work) => workOn(kind, work, deps, signal), deps, signal);
}
