/** Writes what a person acknowledged into series.json. */
import type { Log } from '@scanflow/runtime';
import type { Ledger, Store } from '../ports.ts';
import type { Clock } from '../model/settings.ts';
import { failureOf } from '../model/failure.ts';
import { stillThere } from './look.ts';
import { noteKnown } from './step.ts';
import type { PlaceName } from './types.ts';

export interface AcknowledgeDeps {
  readonly ledger: Ledger;
  readonly stores: Readonly<Partial<Record<PlaceName, Store | undefined>>>;
  readonly clock: Clock;
  readonly log: Log;
}

/** One after the other, in the background. The next verification writes what this misses. */
export async function noteAcknowledged(
  parts: readonly { readonly series: string; readonly place: PlaceName }[],
  deps: AcknowledgeDeps,
): Promise<void> {
  const never = new AbortController().signal;
  for (const { series, place } of parts)
    try {
      const view = await stillThere({ id: series }, deps.ledger);
      const known = view?.verification.find((one) => one.place === place);
      const store = deps.stores[place];
      if (view === undefined || known === undefined || store === undefined) continue;
      await noteKnown(view, known, { ...deps, store }, never);
    } catch (error) {
      deps.log.warn('series.json does not have what was acknowledged yet', { series, ...failureOf(error) });
    }
}
