/** One round of sending to one destination. */
import type { Log } from '@scanflow/runtime';
import { underLease } from '../work/lease.ts';
import type { Metrics } from '../http/metrics.ts';
import { pauseUntil } from '../work/pause.ts';
import { forwardStep, type ForwardDeps, type ForwardOutcome } from './step.ts';
import type { OpenDestination } from '../model/settings.ts';
import type { Wake } from '../work/wake.ts';
import { nextLeg, nextTime } from '../ledger/claims.ts';

export interface ForwardLoopDeps extends ForwardDeps {
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Sends the next series that is due to this destination, or waits for one; outside its hours, for those. */
export async function forwardNext(
  destination: OpenDestination,
  deps: ForwardLoopDeps,
  wakes: Readonly<Record<'forward' | 'follow', Wake>>,
  signal: AbortSignal,
): Promise<void> {
  const { ledger, clock } = deps;
  const target = destination.name;
  const since = wakes.forward.count;
  const hours = destination.hours?.(clock.now());
  if (hours?.open === false) return pauseUntil(hours.until, wakes.forward, since, deps, signal);
  const work = await ledger.write(nextLeg, target, clock.now());
  if (work === undefined)
    return pauseUntil(await ledger.read(nextTime, target), wakes.forward, since, deps, signal);
  const outcome = await underLease(work, deps, signal, (held) => forwardStep(work, destination, deps, held));
  wakes.follow.notify();
  tell(outcome, { series: work.series, target }, deps);
}

function tell(
  outcome: ForwardOutcome,
  of: { readonly series: string; readonly target: string },
  { log, metrics }: ForwardLoopDeps,
): void {
  const { sent } = outcome;
  metrics.forwarded(of.target, sent);
  switch (outcome.kind) {
    case 'forwarded': {
      const { warnings, failure } = outcome;
      if (failure === undefined) log.info('series forwarded', { ...of, sent, warnings });
      else {
        metrics.failed('forward', failure.code);
        log.error('forwarding failed in part', { ...of, sent, warnings, ...failure });
      }
      break;
    }
    case 'later':
      metrics.failed('forward', outcome.failure.code);
      log.warn('forwarding is tried again', { ...of, sent, ...outcome.failure, delayMs: outcome.delayMs });
      break;
    case 'held':
      log.info('forwarding waits for its hours', { ...of, sent });
      break;
    case 'unwanted':
      log.info('not forwarded: the rule of the destination leaves it out', {
        ...of,
        because: outcome.because,
      });
      break;
    case 'interrupted':
      log.info('forwarding interrupted', { ...of, sent });
  }
}
