export type { Failure } from './failure.ts';
export type { DimseLog } from './log.ts';
export { echo, type EchoResult } from './scu/echo.ts';
export { find, type FindQuery, type FindResult } from './scu/find.ts';
export { store, type StoreOptions } from './scu/store.ts';
export type { StoreOutcome } from './scu/store-line.ts';
export type { StoreItem } from './scu/store-source.ts';
export type { Dial, Peer, Timeouts } from './scu/peer.ts';
export { listen, type Listening } from './scp/listen.ts';
export type {
  Admission,
  AssociationInfo as Association,
  FinalStatus,
  FindHandler,
  FindRequest,
  FindResponse,
  Rejection,
  RequestReport,
  ScpEvents,
  ScpLimits,
  ScpOptions,
} from './scp/types.ts';
export type { ServedContext } from './ul/negotiation.ts';
