/** The work that never ends: intake, storing, forwarding, each at its own pace, none waiting for another. */
import { cleanRound } from '../cleanup/step.ts';
import { commitNext } from '../commitment/step.ts';
import { copyNext } from '../copy/step.ts';
import { eraseNext } from '../erase/step.ts';
import { pruneRound, runNextHook } from '../hooks/deliver.ts';
import { expectedRound } from '../intake/expected.ts';
import { intakeRound } from '../intake/changes.ts';
import { reconcileRound } from '../intake/step.ts';
import { failureOf } from '../model/failure.ts';
import { movingKind, type MovingWork } from '../move/step.ts';
import { noticeLoops } from '../notices/step.ts';
import { watchRoots } from '../roots/keeper.ts';
import { forwardNext } from '../send/step.ts';
import { sessionRound } from '../sessions/step.ts';
import { watchSpace } from '../store/disk/space.ts';
import { quarantineRound, storeNext } from '../store/step.ts';
import { verifyLoops } from '../verify/rounds.ts';
import type { LoopDeps, Wakes } from './deps.ts';
import { Wake } from './wake.ts';
import { watchWaiting } from './condition.ts';
import { workOn } from './worker.ts';

/** Series that are stored at the same time. */
const STORE_WORKERS = 2;
const AFTER_ERROR = 2_000;
const LEDGER_DOWN: ReadonlySet<string> = new Set([
  'LEDGER_FAILED',
  'LEDGER_UNREACHABLE',
  'LEDGER_TLS',
  'LEDGER_DENIED',
  'LEDGER_TOO_NEW',
]);
/** Runs of one hook at the same time. */
const HOOK_RUNS = 2;

/** Runs until the signal aborts; resolves when all work has been laid down. */
export async function runLoop(deps: LoopDeps, signal: AbortSignal): Promise<void> {
  const { copies, cleanupAfterMs } = deps;
  const { copy } = deps.settings;
  const move = (work: MovingWork): Promise<unknown> => workOn(movingKind(deps), work, deps, signal);
  const run = (name: string, round: () => Promise<void>): Promise<void> => forever(name, round, deps, signal);
  await Promise.all([
    run('intake', () => intakeRound(deps, signal)),
    run('reconcile', () => reconcileRound(deps, signal)),
    run('recheck', () => quarantineRound(deps, signal)),
    run('roots', () => watchRoots(deps, signal)),
    run('erase', () => eraseNext(deps, signal)),
    run('space', () => watchSpace(deps, signal)),
    run('waiting', () => watchWaiting(deps, signal)),
    ...Array.from({ length: STORE_WORKERS }, () => run('store', () => storeNext(deps, move, signal))),
    ...deps.destinations.map((one) => run('forward', () => forwardNext(one, deps, signal))),
    ...deps.committing.map((one) => run('commit', () => commitNext(one, deps, signal))),
    ...verifyLoops(deps, signal).map(([name, round]) => run(name, round)),
    ...noticeLoops(deps, signal).map(([name, round]) => run(name, round)),
    ...deps.hooks.flatMap((hook) =>
      Array.from({ length: HOOK_RUNS }, () => run('hooks', () => runNextHook(hook, deps, signal))),
    ),
    run('sessions', () => sessionRound(deps, signal)),
    run('expected', () => expectedRound(deps, signal)),
    run('prune', () => pruneRound(deps, signal)),
    ...(cleanupAfterMs === undefined ? [] : [run('cleanup', () => cleanRound(cleanupAfterMs, deps, signal))]),
    ...(copies === undefined || copy === undefined
      ? []
      : [run('copy', () => copyNext(deps, copies, copy, signal))]),
  ]);
}

export const createWakes = (): Wakes => ({
  store: new Wake(),
  legs: new Wake(),
  reconcile: new Wake(),
  after: new Wake(),
  roots: new Wake(),
  verify: new Wake(),
  erase: new Wake(),
});

/** Logs an error of one round and waits; the next round begins anew. */
async function forever(
  name: string,
  round: () => Promise<void>,
  { log, metrics, condition, clock }: LoopDeps,
  signal: AbortSignal,
): Promise<void> {
  const pause = new Wake();
  const ended = (): boolean => signal.aborted;
  while (!ended()) {
    const began = performance.now();
    try {
      await round();
      condition.worked(name, began);
    } catch (error) {
      if (ended()) return;
      const failure = failureOf(error);
      metrics.failed(name, failure.code);
      const fromOrthanc = failure.code.startsWith('ORTHANC_');
      if (LEDGER_DOWN.has(failure.code)) condition.ledgerFailed(name, failure, performance.now());
      if (!fromOrthanc || condition.orthancFailed(failure, clock.now()))
        log.error(`${name} fails`, { ...failure });
      log.debug('the error itself', { step: name, error });
      await pause.wait(AFTER_ERROR, signal);
    }
  }
}
