/**
 * C-STORE as SCU alone, as `@scanflow/dimse/store`: without TLS, the other services and the acceptor, so that a command
 * that only sends begins sooner. All of it is in the package's index, too.
 */
export type { Dial, Peer, Timeouts } from './scu/associate.ts';
export type { StoreOutcome } from './scu/store/order.ts';
export type { Look, LookedAt, StoreGate, StoreItem, StoreOptions } from './scu/store/order.ts';
export { accepts } from './scu/store/window.ts';
export { store } from './scu/store/store.ts';
