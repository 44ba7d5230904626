/** Waiting for responses, as every SCU service does. */
import { FailureError, transient } from '@scanflow/failure';
import { endingOf, type Association } from '../association.ts';
import { RESPONSE } from '../message/command.ts';
import type { Message } from '../message/assembler.ts';
import { cancelled, nameOf, timeoutsOf, type Peer } from './peer.ts';

/** Message IDs 1 to 65535, again and again (PS3.7 E.1). */
export function messageIds(): () => number {
  let last = 0;
  return () => (last = (last % 0xffff) + 1);
}

/**
 * The next response to `request`. Undefined: the association ended (a peer that exceeds the response time is aborted,
 * as is one that answers something else); `association.ending` tells.
 */
export async function response(
  association: Association,
  request: { readonly commandField: number; readonly messageId: number },
  peer: Peer,
): Promise<Message | undefined> {
  const limitMs = timeoutsOf(peer).response;
  const stop = association.endAfter(limitMs, `no response within ${limitMs} ms`);
  const message = await association.receive();
  stop();
  if (message === undefined) return undefined;
  const { commandField, messageIdBeingRespondedTo, status } = message.command;
  const matches =
    commandField === (request.commandField | RESPONSE) &&
    messageIdBeingRespondedTo === request.messageId &&
    status !== undefined;
  if (matches) return message;
  association.abort('the peer sent a response to something else');
  return undefined;
}

/** The failure of a request whose association has ended, where trying again does no harm. */
export function lost(association: Association, peer: Peer, signal?: AbortSignal): FailureError {
  if (signal?.aborted === true) return cancelled();
  return new FailureError(transient('DEST_LOST', `${nameOf(peer)}: ${endingOf(association)}.`));
}
