/** A destination that is reached by C-STORE. */
import { store, type DimseLog } from '@scanflow/dimse';
import type { CStoreReach, Sender } from '../ports.ts';

export const cstoreSender = ({ peer, associations = 1 }: CStoreReach, log: DimseLog): Sender => ({
  send: (items, { signal, calmly, gate }) =>
    // a node that broke off is not asked for several requests at a time again
    store(peer, items, { signal, log, associations, gate, ...(calmly ? { operations: 1 } : {}) }),
  close: () => undefined,
});
