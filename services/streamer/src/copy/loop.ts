/** One round of the copy of everything. */
import type { Log } from '@scanflow/runtime';
import type { Condition } from '../work/condition.ts';
import type { Layout } from '../store/place/layout.ts';
import { COPY } from '../model/series.ts';
import { underLease } from '../work/lease.ts';
import type { Metrics } from '../http/metrics.ts';
import { pauseUntil } from '../work/pause.ts';
import type { Store } from '../ports.ts';
import { copyStep, type CopyDeps } from './step.ts';
import type { Wake } from '../work/wake.ts';
import { nextLeg, nextTime } from '../ledger/claims.ts';

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
  const since = wake.count;
  const work = await ledger.write(nextLeg, COPY, clock.now());
  if (work === undefined) return pauseUntil(await ledger.read(nextTime, COPY), wake, since, deps, signal);
  const own = { ...deps, store: copies, system: () => condition.system };
  const outcome = await underLease(work, deps, signal, (held) => copyStep(work, layout, own, held));
  const { series } = work;
  switch (outcome.kind) {
    case 'copied': {
      const { images, fresh, failure } = outcome;
      if (failure === undefined) log.info('series copied', { series, images, fresh });
      else {
        metrics.failed('copy', failure.code);
        log.error('copying failed in part', { series, images, fresh, ...failure });
      }
      break;
    }
    case 'later':
      metrics.failed('copy', outcome.failure.code);
      log.warn('copying is tried again', { series, ...outcome.failure, delayMs: outcome.delayMs });
      break;
    case 'interrupted':
      log.info('copying interrupted', { series });
  }
}
