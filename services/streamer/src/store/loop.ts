/** One round of storing: the next series whose quiet timer ended. */
import { nextStore, nextTime } from '../ledger/claims.ts';
import { COPY, STORAGE } from '../model/series.ts';
import type { MoveOrder } from '../move/plan.ts';
import type { StoreWork } from '../ports.ts';
import type { LoopDeps } from '../work/deps.ts';
import { LEG_LEASE } from '../work/lease.ts';
import { nextOf, workOn, type WorkKind } from '../work/worker.ts';
import { storeStep, type StoreOutcome } from './step.ts';

/**
 * Stores the next series that is due, or waits for one.
 * @param move does so with one that a person wants moved
 */
export async function storeNext(
  deps: LoopDeps,
  move: (work: StoreWork & { readonly moving: MoveOrder }) => Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  const { ledger, clock, wakes, settings } = deps;
  const alongside = settings.copy === undefined ? [] : [COPY];
  const queue = {
    claim: () => ledger.write(nextStore, clock.now(), alongside),
    nextTime: () => ledger.read(nextTime, STORAGE),
    wake: wakes.store,
  };
  const work = async (due: StoreWork): Promise<void> => {
    if (alongside.length > 0) wakes.forward.notify();
    const { moving } = due;
    if (moving === undefined) await workOn(storingKind(deps), due, deps, signal);
    else await move({ ...due, moving });
  };
  await nextOf(queue, work, deps, signal);
}

function storingKind(
  deps: LoopDeps,
): WorkKind<StoreWork, Extract<StoreOutcome, { kind: 'stored' | 'quarantined' }>> {
  const { log, metrics, wakes, condition } = deps;
  return {
    name: 'store',
    lease: LEG_LEASE,
    about: ({ series }) => ({ series }),
    says: { later: 'storing is tried again', failed: 'storing failed', interrupted: 'storing interrupted' },
    step: (work, held) => storeStep(work, { ...deps, system: () => condition.system }, held),
    after: () => wakes.follow.notify(),
    ended: (outcome, about, ms) => {
      if (outcome.kind === 'quarantined') {
        log.warn('series quarantined', { ...about, code: outcome.code });
        return;
      }
      const { stored: images, fresh, bytes, failure } = outcome;
      metrics.stored(fresh, bytes);
      const code = failure === undefined ? {} : { code: failure.code };
      log.info('series stored', { ...about, images, fresh, bytes, ms, ...code });
      wakes.forward.notify();
    },
  };
}
