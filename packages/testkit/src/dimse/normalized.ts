/** N-CREATE and N-SET as a scanner sends them (PS3.7 10.1.5, 10.1.3): one request in an association of its own. */
import { defined, given } from '@scanflow/failure/defined';
import { decodeDataSet, encodeDataSet, text, type DataSet, type Tag } from '@scanflow/dicom';
import { ambiguous, FailureError } from '@scanflow/failure';
import { endingOf } from '../../../dimse/src/association.ts';
import { type Message, COMMAND, DATA_SET, type Command } from '../../../dimse/src/message.ts';
import {
  cancelled,
  inAssociation,
  nameOf,
  type Peer,
  type Unanswered,
} from '../../../dimse/src/scu/associate.ts';
import { exchange } from '../../../dimse/src/scu/response.ts';

export interface CreateOrder {
  readonly sopClass: string;
  /** Absent: the peer assigns one, and its answer names it. */
  readonly sopInstanceUid?: string;
  /** Its SpecificCharacterSet, if any, is the one it is encoded in. */
  readonly attributes: DataSet;
  /** Proposed, in this order; default: explicit and implicit VR little endian. */
  readonly transferSyntaxes?: readonly string[];
}

export interface SetOrder extends Omit<CreateOrder, 'attributes' | 'sopInstanceUid'> {
  readonly sopInstanceUid: string;
  readonly modifications: DataSet;
}

/** The peer's answer, whatever its status says. */
export interface NormalizedAnswer {
  readonly ok: true;
  /** 0x0000 when it was carried out. */
  readonly status: number;
  readonly sopInstanceUid?: string;
  readonly comment?: string;
  readonly errorId?: number;
  readonly attributeIdentifiers?: readonly Tag[];
  readonly attributes?: DataSet;
}

export type NormalizedOutcome = NormalizedAnswer | Unanswered;

interface Request {
  readonly command: Command & { readonly messageId: number };
  readonly sopClass: string;
  readonly dataSet: DataSet;
  readonly transferSyntaxes?: readonly string[] | undefined;
}

/** Creates an instance at the peer. Never rejects; lost after it was sent is `ambiguous`. */
export function nCreate(peer: Peer, order: CreateOrder, signal?: AbortSignal): Promise<NormalizedOutcome> {
  const { sopClass, sopInstanceUid, attributes } = order;
  const command = {
    affectedSopClassUid: sopClass,
    commandField: COMMAND.createRq,
    messageId: 1,
    dataSetType: DATA_SET,
    ...defined({ affectedSopInstanceUid: sopInstanceUid }),
  };
  const request = { command, sopClass, dataSet: attributes, transferSyntaxes: order.transferSyntaxes };
  return perform(peer, request, signal);
}

/** Sets attributes of an instance at the peer. Never rejects; lost after it was sent is `ambiguous`. */
export function nSet(peer: Peer, order: SetOrder, signal?: AbortSignal): Promise<NormalizedOutcome> {
  const { sopClass, sopInstanceUid, modifications } = order;
  const command = {
    requestedSopClassUid: sopClass,
    commandField: COMMAND.setRq,
    messageId: 1,
    dataSetType: DATA_SET,
    requestedSopInstanceUid: sopInstanceUid,
  };
  const request = { command, sopClass, dataSet: modifications, transferSyntaxes: order.transferSyntaxes };
  return perform(peer, request, signal);
}

function perform(
  peer: Peer,
  { command, sopClass, dataSet, transferSyntaxes }: Request,
  signal?: AbortSignal,
): Promise<NormalizedOutcome> {
  return inAssociation(peer, { sopClass, transferSyntaxes }, signal, async (association, transferSyntax) => {
    const bytes = encodeDataSet(dataSet, transferSyntax, text(dataSet, 'SpecificCharacterSet'));
    const answer = await exchange(association, peer, command, bytes);
    if (answer !== undefined) return answerOf(answer, transferSyntax);
    if (signal?.aborted === true) throw cancelled();
    const message = `${nameOf(peer)}: ${endingOf(association)}. It may have been carried out.`;
    throw new FailureError(ambiguous('NO_RESPONSE', message));
  });
}

function answerOf({ command, dataSet }: Message, transferSyntax: string): NormalizedAnswer {
  const { status = 0, affectedSopInstanceUid, errorComment, errorId, attributeIdentifierList } = command;
  return {
    ok: true,
    status,
    ...defined({
      sopInstanceUid: affectedSopInstanceUid,
      comment: errorComment,
      errorId,
      attributeIdentifiers: attributeIdentifierList,
      attributes: given(dataSet, (dataSet) => decodeDataSet(dataSet, transferSyntax)),
    }),
  };
}
