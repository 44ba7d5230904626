/** What a service gives to and gets from listen(): handlers, limits, and the log that this package writes to. */
import { defined } from '@scanflow/failure/defined';
import type { DataSet, Tag } from '@scanflow/dicom';
import type { Caller, Decision, Rejection } from '../access.ts';
import type { Receipt } from '../message.ts';
import type { TlsAcceptor } from '../tls/acceptor.ts';
import type { ServedContext, ServedOperation } from '../ul/negotiation.ts';

/** The log that this package writes to. Log of packages/runtime fits. No patient attribute is ever given to it. */
export interface DimseLog {
  error(event: string, fields?: object): void;
  warn(event: string, fields?: object): void;
  info(event: string, fields?: object): void;
  debug(event: string, fields?: object): void;
}

const nothing = (): void => undefined;
export const silent: DimseLog = { error: nothing, warn: nothing, info: nothing, debug: nothing };

/** What a log may hold of an error: a message may quote a patient's attribute, so only its name, code and place. */
export function safe(error: unknown): { error: string; code?: unknown; at?: string } {
  if (!(error instanceof Error)) return { error: typeof error };
  const at = error.stack?.split('\n').find((line) => /^\s+at /.test(line));
  return {
    error: error.name,
    ...('code' in error ? { code: error.code } : {}),
    ...defined({ at: at?.trim() }),
  };
}

export interface AssociationInfo extends Caller {
  /** Counts up from 1 per listen(). */
  readonly id: number;
}

export interface FinalStatus {
  readonly status: number;
  /** At most 64 characters, no patient attribute. */
  readonly comment?: string;
  readonly offendingElement?: Tag;
}

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

/** One C-STORE, from its command on. */
export interface StoreRequest {
  readonly association: AssociationInfo;
  /** Of the command: its Affected SOP Class UID, else that of the presentation context. */
  readonly sopClassUid: string;
  /** Of the command; '' where it names none. */
  readonly sopInstanceUid: string;
  /** That of the presentation context. */
  readonly transferSyntax: string;
}

/** Takes the data set as it arrives, then stores it. */
export interface StoreReceipt extends Receipt {
  /** The data set is whole. Its status answers the request; an exception becomes C000. */
  store(): Promise<FinalStatus>;
}

/** Called for each C-STORE; `onRoom` as in Receipt. */
export type StoreHandler = (request: StoreRequest, onRoom: () => void) => StoreReceipt;

export interface NormalizedRequest {
  readonly association: AssociationInfo;
  readonly sopClass: string;
  /** By the peer; on N-CREATE without one, a new UID that the response tells it (PS3.7 10.1.5.1.4). */
  readonly sopInstanceUid: string;
  /** Aborts when the association ends and when listening is closed. */
  readonly signal: AbortSignal;
}

/** A data set as it came. */
export interface EncodedDataSet {
  readonly bytes: Uint8Array;
  readonly transferSyntax: string;
}

interface GivenDataSet extends NormalizedRequest {
  /** The attribute or modification list, for a handler that reads a large one elsewhere than in the event loop. */
  readonly encoded: EncodedDataSet;
}

export interface CreateRequest extends GivenDataSet {
  /**
   * Empty where the request had no attribute list. A large one is decoded only when it is read here; DicomDecodeError is
   * then status 0110.
   */
  readonly attributes: DataSet;
}

export interface SetRequest extends GivenDataSet {
  /** As `attributes` of CreateRequest. */
  readonly modifications: DataSet;
}

export interface ActionRequest extends NormalizedRequest {
  readonly actionType: number;
  /** Empty where the request had none. */
  readonly information: DataSet;
  /**
   * Sends N-EVENT-REPORT on the same association. The status of its response; undefined where the association ended
   * before, or the peer took too long.
   */
  readonly report: (eventType: number, information: DataSet) => Promise<number | undefined>;
}

export interface EventRequest extends NormalizedRequest {
  readonly eventType: number;
  /** Empty where the request had none. */
  readonly information: DataSet;
}

/** How a request ended; the fields beside the status are those of PS3.7 C.4 and C.5. */
export interface NormalizedResult {
  readonly status: number;
  /** At most 64 characters, no patient attribute. */
  readonly comment?: string;
  readonly errorId?: number;
  /** The attributes that the status is about. */
  readonly attributeIdentifiers?: readonly Tag[];
  /** The attributes that were not accepted, with the values that they came with. */
  readonly attributes?: DataSet;
}

/** An exception becomes status 0110. */
export type CreateHandler = (request: CreateRequest) => Promise<NormalizedResult>;
export type SetHandler = (request: SetRequest) => Promise<NormalizedResult>;
export type ActionHandler = (request: ActionRequest) => Promise<NormalizedResult>;
export type EventHandler = (request: EventRequest) => Promise<NormalizedResult>;

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

/** Which bound left no room. */
export type NoRoom = 'bytes' | 'bytes per peer';

/** Plain callbacks for metrics; they must not throw. */
export interface ScpEvents {
  /** A connection was closed at once, or another one was to make room; its TLS handshake failed; its proxy did not say for whom it is; or it sent more than there is room for. */
  refused?(address: string, why: 'total' | 'per peer' | 'tls' | 'proxy' | NoRoom): void;
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
  /** Longest pause within an unfinished message, in milliseconds. */
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
  readonly admit: (association: AssociationInfo) => Decision;
  /** Beside Verification, which is always served. */
  readonly contexts: readonly ServedContext[];
  readonly onFind?: FindHandler;
  /** Character sets in which text of a query is read that its own does not define, or that declares none; in this order. */
  readonly assumedCharacterSets?: (association: AssociationInfo) => readonly string[];
  readonly onCreate?: CreateHandler;
  readonly onSet?: SetHandler;
  readonly onAction?: ActionHandler;
  readonly onEvent?: EventHandler;
  /** Takes C-STORE of every storage class that a peer proposes. */
  readonly onStore?: StoreHandler;
  readonly log: DimseLog;
  readonly limits?: Partial<ScpLimits>;
  readonly events?: ScpEvents;
  /** Default: plain TCP. */
  readonly tls?: TlsAcceptor;
  /**
   * Which addresses are proxies in front: their connections, and no others, begin with a header of the PROXY protocol, and the
   * address in it counts. Default: none.
   */
  readonly proxies?: (address: string) => boolean;
}
