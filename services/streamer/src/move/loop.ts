/** A series that a person wants moved: carried as far as it gets, with its outcome in the log. */
import type { LoopDeps } from '../work/deps.ts';
import { LEG_LEASE } from '../work/lease.ts';
import type { WorkKind } from '../work/worker.ts';
import { moveStep, type MoveOutcome } from './step.ts';

export type MovingWork = Parameters<typeof moveStep>[0];

export function movingKind(deps: LoopDeps): WorkKind<MovingWork, Extract<MoveOutcome, { kind: 'moved' }>> {
  const { log, wakes } = deps;
  return {
    name: 'move',
    lease: LEG_LEASE,
    about: ({ series }) => ({ series }),
    says: { later: 'moving is tried again', failed: 'moving failed', interrupted: 'moving interrupted' },
    step: (work, held) => moveStep(work, deps, held),
    after: () => wakes.follow.notify(),
    ended: ({ images, left }, about) => {
      log.info('series moved', { ...about, images, left: left.length });
      wakes.forward.notify();
    },
  };
}
