/** One round over all roots: heartbeats, faults, and series that need a check. */
import type { Log } from '@scanflow/runtime';
import type { Condition, RefusedRoot } from '../work/condition.ts';
import { failureOf } from '../model/failure.ts';
import type { Ledger } from '../ledger/tx.ts';
import type { Clock } from '../model/settings.ts';
import type { Wake } from '../work/wake.ts';
import type { RootSpec, RootKeeper } from './keeper.ts';
import { examineNext, hastenRefused, rootsToExamine } from './sql.ts';

export interface RootWatchDeps {
  readonly keeper: RootKeeper;
  readonly ledger: Ledger;
  readonly condition: Condition;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Log;
}

const EVERY_MS = 5_000;
/** Number of series that one transaction opens again. */
const BATCH = 200;

export async function watchRoots(
  deps: RootWatchDeps,
  wakes: Readonly<Record<'store' | 'legs' | 'roots', Wake>>,
  signal: AbortSignal,
): Promise<void> {
  const { keeper, condition, log, ledger, clock } = deps;
  const since = wakes.roots.count;
  const looks = await Promise.all(keeper.specs.map((spec) => lookAt(spec, keeper)));
  const refused = looks.flat();
  for (const { path, failure } of condition.rootsRefused(refused))
    if (failure === undefined) {
      log.info('storing on this root goes on', { root: path });
      await ledger.write(hastenRefused, clock.now());
      wakes.store.notify();
      wakes.legs.notify();
    } else log.error('nothing is written to this root', { root: path, ...failure });
  for (const spec of keeper.specs) await examine(spec, deps, wakes, signal);
  await wakes.roots.wait(EVERY_MS, signal, since);
}

async function lookAt(spec: RootSpec, keeper: RootKeeper): Promise<RefusedRoot[]> {
  try {
    await keeper.beat(spec);
    return [];
  } catch (error) {
    const failure = failureOf(error);
    // a failure of the ledger shows as one
    if (!failure.code.startsWith('STORE_')) throw error;
    return [{ path: spec.path, failure }];
  }
}

async function examine(
  { name, target, path, pathOf }: RootSpec,
  { ledger, clock, log, condition }: RootWatchDeps,
  wakes: Readonly<Record<'store' | 'legs', Wake>>,
  signal: AbortSignal,
): Promise<void> {
  if (!(await ledger.read(rootsToExamine)).includes(name) || condition.isRefused(path)) return;
  log.warn('every series of this root is looked at, as it was put in place by hand', { root: path });
  const isThere = (folder: string): boolean => pathOf(folder) !== undefined;
  let more = true;
  while (more && !signal.aborted)
    more = await ledger.write(examineNext, name, target, isThere, BATCH, clock.now());
  wakes.store.notify();
  wakes.legs.notify();
}
