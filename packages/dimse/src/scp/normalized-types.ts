/** What a service that serves N-CREATE, N-SET, N-ACTION and N-EVENT-REPORT gives to and gets from listen(). */
import type { DataSet, Tag } from '@scanflow/dicom';
import type { AssociationInfo } from './info.ts';

interface NormalizedRequest {
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
