export type { DimseLog } from './log.ts';
export { echo, type EchoResult } from './scu/echo.ts';
export { accepts } from './scu/store/contexts.ts';
export { find, findAll } from './scu/find.ts';
export type { FindQueries, FindQuery, FindResult, FindResults } from './scu/find.ts';
export { move, type MoveOrder } from './scu/move.ts';
export type { MoveOutcome, SubOperations } from './scu/move-outcome.ts';
export { nCreate, nSet, type CreateOrder, type SetOrder } from './scu/normalized.ts';
export type { NormalizedAnswer, NormalizedOutcome } from './scu/normalized.ts';
export {
  newTransactionUid,
  requestCommitment,
  type CommitmentOptions,
  type CommitmentOutcome,
} from './scu/request-commitment.ts';
export { reportCommitment, type ReportOptions } from './scu/report-commitment.ts';
export { commitmentReports, onCommitmentEvent, REPORT_STATUS, type ReportHandler } from './commitment.ts';
export { store } from './scu/store/store.ts';
export type { StoreOutcome } from './scu/store/outcome.ts';
export type { Look, LookedAt, StoreGate, StoreItem, StoreOptions } from './scu/store/input.ts';
export type { Dial, Peer, Timeouts } from './scu/peer.ts';
export { listen, type Listening } from './scp/listen.ts';
export { isStorageClass } from './scp/store.ts';
export type { StoreHandler, StoreReceipt, StoreRequest } from './scp/types.ts';
export type {
  ActionHandler,
  ActionRequest,
  CreateHandler,
  CreateRequest,
  EncodedDataSet,
  EventHandler,
  EventRequest,
  NormalizedResult,
  SetHandler,
  SetRequest,
} from './scp/types.ts';
export { NORMALIZED_DECODING } from './scp/normalized.ts';
export type {
  AssociationInfo,
  FinalStatus,
  FindHandler,
  FindRequest,
  FindResponse,
  AsyncMatches,
  Matches,
  RequestReport,
  ScpEvents,
  ScpLimits,
  ScpOptions,
} from './scp/types.ts';
export type { ServedContext } from './ul/negotiation.ts';
export {
  openAcceptor,
  tlsAcceptor,
  type Secured,
  type TlsAcceptor,
  type TlsAcceptorOptions,
} from './tls/acceptor.ts';
export type { TlsProblem } from './tls/problem.ts';
export {
  tlsProfiles,
  type TlsCredentials,
  type TlsProfile,
  type TlsProfileSettings,
} from './tls/settings.ts';
export { tlsDial, type TlsDialOptions } from './tls/requestor.ts';
export { facts } from './facts.ts';
