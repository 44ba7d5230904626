/** One round of sending to one destination. */
import type { Log } from '@scanflow/runtime';
import { LEG_LEASE, legsTo, nextOf, workOn, type WorkKind } from '../work/worker.ts';
import type { LegWork } from '../ledger/rows.ts';
import type { Metrics } from '../http/metrics.ts';
import { pauseUntil, type Wake } from '../work/wake.ts';
import { forwardStep, type ForwardDeps, type ForwardOutcome } from './step.ts';
import type { OpenDestination } from './types.ts';

export interface ForwardLoopDeps extends ForwardDeps {
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Sends the next series that is due to this destination, or waits for one; outside its hours, for those. */
export async function forwardNext(
  destination: OpenDestination,
  deps: ForwardLoopDeps,
  wakes: Readonly<Record<'legs' | 'after', Wake>>,
  signal: AbortSignal,
): Promise<void> {
  const { ledger, clock } = deps;
  const target = destination.name;
  const wake = wakes.legs;
  const hours = destination.hours?.(clock.now());
  if (hours?.open === false) return pauseUntil(hours.until, wake, wake.count, deps, signal);
  const kind = sending(destination, deps, () => wakes.after.notify());
  await nextOf(legsTo(target, ledger, clock, wake), (work) => workOn(kind, work, deps, signal), deps, signal);
}

function sending(
  destination: OpenDestination,
  deps: ForwardLoopDeps,
  after: () => void,
): WorkKind<LegWork, Exclude<ForwardOutcome, { kind: 'later' | 'interrupted' }>> {
  const { log, metrics } = deps;
  const target = destination.name;
  return {
    name: 'forward',
    lease: LEG_LEASE,
    about: ({ series }) => ({ series, target }),
    says: { later: 'forwarding is tried again', interrupted: 'forwarding interrupted' },
    step: async (work, held) => {
      const outcome = await forwardStep(work, destination, deps, held);
      metrics.forwarded(target, outcome.sent);
      return outcome;
    },
    after,
    ended: (outcome, about) => {
      if (outcome.kind === 'paused') {
        log.info('forwarding waits for its hours', { ...about, sent: outcome.sent });
        return;
      }
      if (outcome.kind === 'unwanted') {
        const { because } = outcome;
        log.info('not forwarded: the rule of the destination leaves it out', { ...about, because });
        return;
      }
      const { sent, warnings, failure } = outcome;
      if (failure === undefined) {
        log.info('series forwarded', { ...about, sent, warnings });
        return;
      }
      metrics.failed('forward', failure.code);
      log.error('forwarding failed in part', { ...about, sent, warnings, ...failure });
    },
  };
}
