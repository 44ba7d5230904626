/** C-MOVE as SCU (PS3.7 9.1.4, PS3.4 C.4.2): one request in an association of its own. */
import { encodeDataSet, text, type DataSet } from '@scanflow/dicom';
import { FailureError, ambiguous, permanent } from '@scanflow/failure';
import { endingOf, type Association } from '../association.ts';
import { failureOf } from '../failure.ts';
import { COMMAND, DATA_SET } from '../message/command.ts';
import type { Message } from '../message/assembler.ts';
import { associate, release } from './associate.ts';
import { Canceller } from './cancel.ts';
import { FIND_SYNTAXES } from './find.ts';
import { countsOf, outcomeOf, type MoveOutcome, type SubOperations } from './move-outcome.ts';
import { cancelled, nameOf, type Peer } from './peer.ts';
import { response } from './response.ts';

export interface MoveOrder {
  /** Study Root or Patient Root MOVE. */
  readonly sopClass: string;
  /** QueryRetrieveLevel and the unique keys of it and the levels above (PS3.4 C.4.2.1.4.1). */
  readonly identifier: DataSet;
  /** AE title of the target, as the peer knows it. */
  readonly destination: string;
  /**
   * Longest silence, in milliseconds. Responses between the first and the last are optional, and a source may have to
   * fetch from tape: default MOVE_QUIET_MS, not the time for a response.
   */
  readonly quietMs?: number;
  /** Gets the counts of each pending response. */
  readonly onProgress?: (counts: SubOperations) => void;
}

/** Longest silence of a source in the midst of a move. */
export const MOVE_QUIET_MS = 600_000;

const CONTEXT = 1;
const MESSAGE_ID = 1;

/**
 * Has the peer send to the destination. Never rejects. A signal that aborts sends C-CANCEL; what was sent until then
 * is in the counts. What the destination has is for it to say: nothing here proves it.
 */
export async function move(peer: Peer, order: MoveOrder, signal?: AbortSignal): Promise<MoveOutcome> {
  const pending: Pending = { counts: {} };
  try {
    if (!/^[^\\\p{C}]{1,16}$/u.test(order.destination))
      throw new FailureError(
        permanent('AET_TOO_LONG', 'An AE title has 1 to 16 characters, and no \\ among them.'),
      );
    const proposed = { id: CONTEXT, abstractSyntax: order.sopClass, transferSyntaxes: FIND_SYNTAXES };
    const association = await associate(peer, [proposed], signal);
    try {
      return await ask({ association, peer, order, pending, signal });
    } finally {
      await release(association, peer);
    }
  } catch (error) {
    const failure = failureOf(error);
    const result = failure.code === 'CANCELLED' ? 'cancelled' : 'failed';
    return { result, failure, counts: pending.counts, failedUids: [] };
  }
}

interface Pending {
  counts: SubOperations;
}

interface Asking {
  readonly association: Association;
  readonly peer: Peer;
  readonly order: MoveOrder;
  readonly pending: Pending;
  readonly signal: AbortSignal | undefined;
}

async function ask({ association, peer, order, pending, signal }: Asking): Promise<MoveOutcome> {
  const syntax = association.context(CONTEXT)?.transferSyntax;
  if (syntax === undefined) {
    const message = `${nameOf(peer)} does not offer SOP class ${order.sopClass}; it cannot be asked to send.`;
    throw new FailureError(permanent('NOT_NEGOTIATED', message));
  }
  const request = {
    affectedSopClassUid: order.sopClass,
    commandField: COMMAND.moveRq,
    messageId: MESSAGE_ID,
    priority: 0,
    moveDestination: order.destination,
    dataSetType: DATA_SET,
  };
  const characterSet = text(order.identifier, 'SpecificCharacterSet') ?? 'ISO_IR 6';
  const identifier = encodeDataSet(order.identifier, syntax, characterSet);
  const canceller = new Canceller(association, {
    peer,
    contextId: CONTEXT,
    messageId: MESSAGE_ID,
    signal,
  });
  try {
    const sent = await association.send(CONTEXT, request, identifier);
    // it may have aborted before the request was out
    if (signal?.aborted === true) await canceller.cancel();
    const quiet = { ...peer, timeouts: { ...peer.timeouts, response: order.quietMs ?? MOVE_QUIET_MS } };
    const next = (): Promise<Message | undefined> => response(association, request, quiet);
    const final = sent ? await lastOf(next, order, pending) : undefined;
    if (final === undefined && signal?.aborted === true) throw cancelled();
    if (final !== undefined) {
      const outcome = outcomeOf(final, syntax, pending.counts, nameOf(peer));
      const ours = outcome.result === 'cancelled' && signal?.aborted === true;
      return ours ? { ...outcome, failure: cancelled().failure } : outcome;
    }
    const message = `${nameOf(peer)}: ${endingOf(association)}. It may go on sending.`;
    throw new FailureError(ambiguous('MOVE_LOST', message));
  } finally {
    canceller.stop();
  }
}

/** The final response; undefined where the association ended before it. */
async function lastOf(
  next: () => Promise<Message | undefined>,
  order: MoveOrder,
  pending: Pending,
): Promise<Message | undefined> {
  for (;;) {
    const message = await next();
    if (message === undefined) return undefined;
    if (message.command.status !== 0xff00 && message.command.status !== 0xff01) return message;
    pending.counts = { ...pending.counts, ...countsOf(message.command) };
    order.onProgress?.(pending.counts);
  }
}
