export type { DimseLog } from './scp/types.ts';
export { echo } from './scu/response.ts';
export { accepts } from './scu/store/window.ts';
export { find, findAll } from './scu/find.ts';
export { move, type MoveOrder, type MoveOutcome, type SubOperations } from './scu/move.ts';
export {
  commitmentReports,
  newTransactionUid,
  onCommitmentEvent,
  REPORT_STATUS,
  reportCommitment,
  requestCommitment,
  type CommitmentOutcome,
  type ReportHandler,
  type ReportOutcome,
} from './commitment.ts';
export { store } from './scu/store/store.ts';
export type { StoreOutcome } from './scu/store/order.ts';
export type { Look, LookedAt, StoreGate, StoreItem, StoreOptions } from './scu/store/order.ts';
export { connected, type Dial, type Peer, type Timeouts } from './scu/associate.ts';
export { listen, type Listening } from './scp/listen.ts';
export { isAmong, OWN_CALL } from './scp/proxied.ts';
export { NORMALIZED_DECODING } from './scp/normalized.ts';
export type {
  ActionRequest,
  AssociationInfo,
  AsyncMatches,
  CreateHandler,
  CreateRequest,
  EncodedDataSet,
  FinalStatus,
  FindHandler,
  FindRequest,
  Matches,
  NormalizedResult,
  RequestReport,
  ScpEvents,
  ScpLimits,
  SetHandler,
  SetRequest,
  StoreHandler,
  StoreReceipt,
  StoreRequest,
} from './scp/types.ts';
export { openAcceptor, tlsAcceptor, type TlsAcceptor, type TlsAcceptorOptions } from './tls/acceptor.ts';
export { tlsProfiles, type TlsCredentials, tlsDial, type TlsDialOptions } from './tls/settings.ts';
