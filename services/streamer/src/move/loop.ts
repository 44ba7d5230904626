/** A series that a person wants moved: carried as far as it gets, with its outcome in the log. */
import { underLease } from '../work/lease.ts';
import type { LoopDeps, Wakes } from '../work/deps.ts';
import { moveStep } from './step.ts';

export async function moveNext(
  work: Parameters<typeof moveStep>[0],
  deps: LoopDeps,
  wakes: Wakes,
  signal: AbortSignal,
): Promise<void> {
  const { log, metrics } = deps;
  const { series } = work;
  const outcome = await underLease(work, deps, signal, (held) => moveStep(work, deps, held));
  wakes.follow.notify();
  switch (outcome.kind) {
    case 'moved':
      log.info('series moved', { series, images: outcome.images, left: outcome.left.length });
      wakes.forward.notify();
      break;
    case 'later':
      metrics.failed('move', outcome.failure.code);
      log.warn('moving is tried again', { series, ...outcome.failure, delayMs: outcome.delayMs });
      break;
    case 'failed':
      metrics.failed('move', outcome.failure.code);
      log.error('moving failed', { series, ...outcome.failure });
      break;
    case 'interrupted':
      log.info('moving interrupted', { series });
  }
}
