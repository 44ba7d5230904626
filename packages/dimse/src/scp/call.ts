/** One request to a service, and the means to answer it. */
import { defined, given } from '@scanflow/failure/defined';
import type { Association } from '../association.ts';
import { DATA_SET, NO_DATA_SET, RESPONSE, type Command, type Message } from '../message.ts';
import type { Context } from '../ul/negotiation.ts';
import type { Turn } from './fairness.ts';
import type { AssociationInfo, FinalStatus, RequestReport, ScpOptions } from './types.ts';

/** Status codes of every DIMSE service (PS3.7 C). */
export const STATUS = {
  success: 0x0000,
  processingFailure: 0x0110,
  invalidSopInstance: 0x0117,
  sopClassNotSupported: 0x0122,
  duplicateInvocation: 0x0210,
  unrecognizedOperation: 0x0211,
  mistypedArgument: 0x0212,
  dataSetDoesNotMatch: 0xa900,
  unableToProcess: 0xc000,
  cancelled: 0xfe00,
} as const;

export interface Call {
  readonly association: Association;
  readonly info: AssociationInfo;
  readonly message: Message;
  readonly context: Context;
  readonly options: ScpOptions;
  readonly signal: AbortSignal;
  /** The slice of work that it has now. */
  readonly turn: Turn;
  /** Sends a request of our own on the association; its response, undefined where there was none. */
  readonly ask: (
    command: Command & { readonly messageId: number },
    dataSet: Uint8Array,
  ) => Promise<Message | undefined>;
  /** The next message ID of ours. */
  readonly nextId: () => number;
  /** Tells the handler by its signal that it is late. */
  readonly giveUp: () => void;
  /** Longest time in milliseconds until a handler's next answer. */
  readonly handlerMs: number;
  /** Longest identifier of a query in bytes. */
  readonly identifierBytes: number;
}

/** Why a signal was aborted where the handler gave no answer in time. */
export const LATE = new Error('the handler gave no answer in time');

/** Answers a call to the end; returns the report on it. */
export type Service = (call: Call) => Promise<Pick<RequestReport, 'status' | 'responses'>>;

/** Sends a response: pending with an identifier, or final without. False: the association has ended. */
export async function respond(call: Call, final: FinalStatus, identifier?: Uint8Array): Promise<boolean> {
  const { command, contextId } = call.message;
  const sopClass = command.affectedSopClassUid ?? command.requestedSopClassUid;
  const response: Command = {
    ...defined({ affectedSopClassUid: sopClass }),
    // C-STORE names the instance (PS3.7 table 9.1-1); other C-services have none
    ...defined({ affectedSopInstanceUid: command.affectedSopInstanceUid }),
    commandField: command.commandField | RESPONSE,
    messageIdBeingRespondedTo: command.messageId ?? 0,
    dataSetType: identifier === undefined ? NO_DATA_SET : DATA_SET,
    status: final.status,
    ...defined({
      offendingElement: given(final.offendingElement, (offendingElement) => [offendingElement]),
      errorComment: given(final.comment, comment),
    }),
  };
  return call.association.send(contextId, response, identifier);
}

/** LO in the default repertoire: at most 64 characters, no backslash (PS3.7 C.1, PS3.5 6.2). */
export const comment = (value: string): string => value.replace(/[^ -[\]-~]/g, '?').slice(0, 64);
