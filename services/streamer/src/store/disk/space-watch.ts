/** Free space of project storage, looked at now and then: for /healthz. */
import type { Log } from '@scanflow/runtime';
import type { Condition } from '../../work/condition.ts';
import type { Store } from '../../ports.ts';
import { Wake } from '../../work/wake.ts';

const EVERY_MS = 10_000;

export interface SpaceDeps {
  readonly store: Store;
  readonly copies?: Store | undefined;
  readonly condition: Condition;
  readonly log: Log;
}

export async function watchSpace(
  { store, copies, condition, log }: SpaceDeps,
  signal: AbortSignal,
): Promise<void> {
  const low = [...(await store.lowOnSpace()), ...((await copies?.lowOnSpace()) ?? [])];
  if (condition.lowOnSpace(low)) {
    if (low.length === 0) log.info('enough free space again');
    for (const space of low)
      log.error('storing waits for free space', { code: 'STORE_SPACE_FLOOR', ...space });
  }
  await new Wake().wait(EVERY_MS, signal);
}
