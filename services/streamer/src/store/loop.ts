/** One round of storing: the next series whose quiet timer ended. */
import { nextStore, nextTime, clampTimers } from '../ledger/claims.ts';
import { COPY, STORAGE } from '../model/series.ts';
import type { MoveOrder } from '../model/decision.ts';
import type { StoreWork } from '../ledger/rows.ts';
import type { LoopDeps } from '../work/deps.ts';
import { LEG_LEASE, nextOf, workOn, type WorkKind } from '../work/worker.ts';
import { storeStep, type StoreOutcome } from './step.ts';
import { SENT_BY } from '../model/rule.ts';
import { labelled, quarantinedSeries } from '../ledger/views.ts';
import { decide } from './place/place.ts';
import type { Settings } from '../model/settings.ts';
import { LONGEST_WAIT, Wake } from '../work/wake.ts';
import { releaseSeries } from './sql.ts';

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
    if (alongside.length > 0) wakes.legs.notify();
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
    after: () => wakes.after.notify(),
    ended: (outcome, about, ms) => {
      if (outcome.kind === 'quarantined') {
        log.warn('series quarantined', { ...about, code: outcome.code });
        return;
      }
      const { stored: images, fresh, bytes, failure } = outcome;
      metrics.stored(fresh, bytes);
      const code = failure === undefined ? {} : { code: failure.code };
      log.info('series stored', { ...about, images, fresh, bytes, ms, ...code });
      wakes.legs.notify();
    },
  };
}

/** Quarantined series whose booking appeared, or whom the patterns now match, are stored. */
export async function quarantineRound(deps: LoopDeps, signal: AbortSignal): Promise<void> {
  const { ledger, bookings, settings, clock, log, condition, wakes } = deps;
  if (!condition.leads) return new Wake().wait(Math.min(settings.recheckMs, LONGEST_WAIT), signal);
  const now = clock.now();
  await ledger.write(clampTimers, now + settings.quietMs, now + 1.2 * longestWait(settings));
  for (const { id, attributes } of await ledger.read(quarantinedSeries)) {
    if (signal.aborted) return;
    const aet = attributes[SENT_BY];
    const sender = aet === undefined ? undefined : { aet };
    const decided = await decide(attributes, bookings, settings, sender, (labels, session) =>
      ledger.read(labelled, labels, session),
    );
    if (decided.kind === 'quarantine') continue;
    await ledger.write(releaseSeries, id, undefined, clock.now());
    log.info('released from quarantine', { series: id, by: decided.kind });
    wakes.store.notify();
  }
  await new Wake().wait(settings.recheckMs, signal);
}

/** Before something is tried again, whatever it is. */
const longestWait = ({ retry, destinations }: Settings): number =>
  Math.max(retry.capMs, ...destinations.map((destination) => destination.retry?.capMs ?? 0));
