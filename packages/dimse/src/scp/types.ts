/** What a service gives to and gets from listen(). */
import type { DataSet } from '@scanflow/dicom';
import type { DimseLog } from '../log.ts';
import type { TlsAcceptor } from '../tls/acceptor.ts';
import type { ServedContext, ServedOperation } from '../ul/negotiation.ts';
import type { AssociationInfo, FinalStatus } from './info.ts';
import type { ActionHandler, CreateHandler, EventHandler, SetHandler } from './normalized-types.ts';
import type { StoreHandler } from './store-types.ts';

export type { AssociationInfo, FinalStatus } from './info.ts';

/** PS3.8 9.3.4: `reason` is to be read with `source`. `why` is for the log. */
export interface Rejection {
  readonly accept: false;
  readonly result: 1 | 2;
  readonly source: 1 | 2 | 3;
  readonly reason: number;
  readonly why: string;
}
export type Admission = { readonly accept: true } | Rejection;

export interface FindRequest {
  readonly association: AssociationInfo;
  readonly sopClass: string;
  readonly identifier: DataSet;
  /** Aborts on C-CANCEL, on the association's end, when listening is closed, and when no answer came for too long. */
  readonly signal: AbortSignal;
  /** Whether others should have a turn: the handler then yields undefined, even between two items that do not match. */
  readonly isTurnOver: () => boolean;
}

export interface FindResponse {
  /** 0xFF01: matches are continuing, and an optional key was not supported. */
  readonly status: 0xff00 | 0xff01;
  readonly identifier: DataSet;
  /** What the identifier is encoded in and declares, such as `ISO_IR 100`. */
  readonly characterSet: string;
}

/** Yields matches, or undefined to let others have a turn; returns the final status. An exception becomes status 0xC000. */
export type FindHandler = (request: FindRequest) => Matches | AsyncMatches;
export type Matches = Generator<FindResponse | undefined, FinalStatus, undefined>;
export type AsyncMatches = AsyncGenerator<FindResponse | undefined, FinalStatus, undefined>;

/** One request, answered: for metrics. */
export interface RequestReport {
  readonly operation: 'C-ECHO' | 'C-STORE' | ServedOperation | 'other';
  readonly sopClass: string;
  /** Of the final response. */
  readonly status: number;
  /** Pending responses before it. */
  readonly responses: number;
  /** From the request's arrival to the final response, in milliseconds. */
  readonly ms: number;
}

/** Which limit left no room. */
/** Which bound left no room. */
export type NoRoom = 'bytes' | 'bytes per peer';

/** Plain callbacks for metrics; they must not throw. */
export interface ScpEvents {
  /** A connection was closed at once, or another one was to make room; its TLS handshake failed; or it sent more than there is room for. */
  refused?(address: string, why: 'total' | 'per peer' | 'tls' | NoRoom): void;
  accepted?(association: AssociationInfo): void;
  rejected?(association: AssociationInfo, rejection: Rejection): void;
  /** The association, or what never became one, is over. */
  ended?(association: AssociationInfo, how: string): void;
  request?(association: AssociationInfo, report: RequestReport): void;
  /** The identifier of a query could not be read, and its handler never saw it. `why` holds no value. */
  unreadable?(association: AssociationInfo, why: string): void;
}

export interface ScpLimits {
  /** Connections at a time, in total and per IP address. */
  readonly connections: number;
  readonly connectionsPerPeer: number;
  /** Longest P-DATA-TF variable field in bytes: announced as maximum length. */
  readonly pduBytes: number;
  readonly associateBytes: number;
  readonly commandBytes: number;
  readonly dataSetBytes: number;
  /** Longest identifier of a query in bytes. */
  readonly identifierBytes: number;
  /**
   * Bytes of unfinished PDUs and messages, and of requests that are not answered, of all connections and of an IP address.
   * Who would exceed it is aborted.
   */
  readonly heldBytes: number;
  readonly heldBytesPerPeer: number;
  /** Bytes per connection that do not count there: a query is answered however much others hold. */
  readonly freeBytes: number;
  /** Requests of one association that wait for their turn. */
  readonly waitingRequests: number;
  /** An unfinished message of which nothing more comes, in milliseconds. */
  readonly stalledMs: number;
  /** ARTIM in milliseconds: a silent connection, and one whose association is over. */
  readonly artimMs: number;
  /** An association without a request, or without more of one that has begun, in milliseconds. */
  readonly idleMs: number;
  /** An association without a request for so long, in milliseconds, gives way where a bound on connections is reached. */
  readonly yieldMs: number;
  /** A handler until its next answer, in milliseconds; the request then fails. */
  readonly handlerMs: number;
  /** A peer that takes no response, in milliseconds. */
  readonly stallMs: number;
  /** How long close() lets running requests finish, in milliseconds. */
  readonly closeMs: number;
}

export const LIMITS: ScpLimits = {
  connections: 512,
  connectionsPerPeer: 128,
  pduBytes: 131_072,
  associateBytes: 131_072,
  commandBytes: 16_384,
  dataSetBytes: 1_048_576,
  identifierBytes: 131_072,
  heldBytes: 50_331_648,
  heldBytesPerPeer: 25_165_824,
  freeBytes: 32_768,
  waitingRequests: 16,
  stalledMs: 30_000,
  artimMs: 30_000,
  idleMs: 300_000,
  yieldMs: 10_000,
  handlerMs: 60_000,
  stallMs: 30_000,
  closeMs: 2_000,
};

export interface ScpOptions {
  /** Address to listen at, such as 127.0.0.1 or 0.0.0.0. */
  readonly bind: string;
  /** 0: any free one. */
  readonly port: number;
  /** Whether an association is accepted. Synchronous: it decides from what it knows. */
  readonly admit: (association: AssociationInfo) => Admission;
  /** Beside Verification, which is always served. */
  readonly contexts: readonly ServedContext[];
  readonly onFind?: FindHandler;
  /** Character sets in which text of a query is read that its own does not define, or that declares none; in this order. */
  readonly assumedCharacterSets?: (association: AssociationInfo) => readonly string[];
  readonly onCreate?: CreateHandler;
  readonly onSet?: SetHandler;
  readonly onAction?: ActionHandler;
  readonly onEvent?: EventHandler;
  /** Takes C-STORE of every storage class that a peer proposes (store-contexts.ts). */
  readonly onStore?: StoreHandler;
  readonly log: DimseLog;
  readonly limits?: Partial<ScpLimits>;
  readonly events?: ScpEvents;
  /** Default: plain TCP. */
  readonly tls?: TlsAcceptor;
}
