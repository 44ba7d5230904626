/** The legs to one target, as a queue of work. */
import { nextLeg, nextTime } from '../ledger/claims.ts';
import type { Clock } from '../model/settings.ts';
import type { ForwardWork, Ledger } from '../ports.ts';
import type { Wake } from './wake.ts';
import type { Queue } from './worker.ts';

export const legsTo = (target: string, ledger: Ledger, clock: Clock, wake: Wake): Queue<ForwardWork> => ({
  claim: () => ledger.write(nextLeg, target, clock.now()),
  nextTime: () => ledger.read(nextTime, target),
  wake,
});
