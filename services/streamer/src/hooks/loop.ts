/** One round of a hook: its next delivery, under a lease. */
import { FailureError } from '@scanflow/failure';
import type { DeliveryWork } from '../ports.ts';
import type { LoopDeps } from '../work/deps.ts';
import type { Lease } from '../work/lease.ts';
import type { Wake } from '../work/wake.ts';
import { nextOf, workOn, type WorkKind } from '../work/worker.ts';
import { deliver } from './deliver.ts';
import { describe } from './describe.ts';
import type { Hook } from './settings.ts';
import { LOST, nextDelivery, nextDeliveryTime, renewDelivery } from './sql.ts';

/** Due, but not given: another run has it. */
const LEAST_MS = 200;

const aboutDelivery = ({ hook, kind, subject, increment }: DeliveryWork) => ({
  hook,
  event: kind,
  subject,
  increment,
});

/** A delivery that was laid down has ended its claim itself. */
const LEASE: Lease<DeliveryWork> = {
  about: aboutDelivery,
  renew: async (tx, work, now) => {
    if (!(await renewDelivery(tx, work, now))) throw new FailureError(LOST);
  },
  giveBack: () => Promise.resolve(),
};

/** Runs the hook for its next event, or waits for one. */
export async function runNextHook(
  hook: Hook,
  deps: LoopDeps,
  wake: Wake,
  signal: AbortSignal,
): Promise<void> {
  const { ledger, clock, log, follow, store } = deps;
  const { context, hooks } = follow;
  const kind: WorkKind<DeliveryWork, { readonly kind: 'done' }> = {
    name: 'hooks',
    lease: LEASE,
    about: aboutDelivery,
    says: { later: 'hook is tried again', failed: 'hook failed', interrupted: 'hook interrupted' },
    step: (work, held) => {
      const ours = { ledger, hooks, clock };
      return deliver(work, { ...ours, describe: (one) => describe(one, { ledger, store, context }) }, held);
    },
    ended: (_, about) => log.info('hook done', about),
  };
  const queue = {
    claim: () => ledger.write(nextDelivery, hook.name, clock.now()),
    nextTime: () => ledger.read(nextDeliveryTime, hook.name),
    wake,
    leastMs: LEAST_MS,
  };
  await nextOf(queue, (work) => workOn(kind, work, deps, signal), deps, signal);
}
