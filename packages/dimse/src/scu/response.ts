/** One request and its responses: how every SCU service waits for them and cancels them; and C-ECHO, which has no more. */
import { describeStatus, sopClasses, transferSyntaxes, type DimseService } from '@scanflow/dicom/file';
import { FailureError, transient } from '@scanflow/failure';
import { endingOf, type Association } from '../association.ts';
import { type Message, COMMAND, hex, NO_DATA_SET, RESPONSE, type Command } from '../message.ts';
import {
  cancelled,
  CONTEXT,
  nameOf,
  timeoutsOf,
  type Peer,
  inAssociation,
  type Unanswered,
} from './associate.ts';

/** Message IDs 1 to 65535, again and again (PS3.7 E.1). */
export function messageIds(): () => number {
  let last = 0;
  return () => (last = (last % 0xffff) + 1);
}

/** Sends a request of one response and gives that; undefined as in response(). */
export async function exchange(
  association: Association,
  peer: Peer,
  request: Command & { readonly messageId: number },
  dataSet?: Uint8Array,
): Promise<Message | undefined> {
  const sent = await association.send(CONTEXT, request, dataSet);
  return sent ? await response(association, request, peer) : undefined;
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

/** The peer's answer as a failure: its message, and whether a retry may help. */
export function said(
  service: DimseService,
  { status = 0, errorComment }: Command,
  peer: Peer,
): { message: string; passes: boolean } {
  const { meaning, transient: passes } = describeStatus(service, status);
  const comment = errorComment === undefined ? '' : ` (${errorComment})`;
  const message = `${nameOf(peer)} answered ${service} with: ${meaning}${comment} (status ${hex(status)}).`;
  return { message, passes };
}

interface Cancellable {
  readonly peer: Peer;
  /** Of the request that is cancelled. */
  readonly messageId: number;
  /** Cancels when it aborts. */
  readonly signal: AbortSignal | undefined;
}

/** Sends C-CANCEL-RQ (PS3.7 9.3.2.3, 9.3.4.3) once, and ends the association when the peer goes on for too long after it. */
export class Canceller {
  readonly #association: Association;
  readonly #request: Cancellable;
  readonly #onAbort = (): void => void this.cancel();
  #stopTimer: (() => void) | undefined;

  constructor(association: Association, request: Cancellable) {
    this.#association = association;
    this.#request = request;
    request.signal?.addEventListener('abort', this.#onAbort);
  }

  get sent(): boolean {
    return this.#stopTimer !== undefined;
  }

  async cancel(): Promise<void> {
    if (this.sent) return;
    const { peer, messageId } = this.#request;
    this.#stopTimer = this.#association.endAfter(timeoutsOf(peer).release, 'the peer went on after C-CANCEL');
    const command = {
      commandField: COMMAND.cancelRq,
      messageIdBeingRespondedTo: messageId,
      dataSetType: NO_DATA_SET,
    };
    await this.#association.send(CONTEXT, command);
  }

  stop(): void {
    this.#request.signal?.removeEventListener('abort', this.#onAbort);
    this.#stopTimer?.();
  }
}

export const ECHO_SYNTAXES = [transferSyntaxes.implicitVRLittleEndian] as const;

/** `ms`: the whole of connecting, negotiating and the echo, in milliseconds. */
export type EchoResult = { readonly ok: true; readonly ms: number } | Unanswered;

/** Sends C-ECHO: the peer is there and accepts us. Never rejects; a peer that does not answer gives `ok: false` and the failure. */
export async function echo(peer: Peer, signal?: AbortSignal): Promise<EchoResult> {
  const start = performance.now();
  const sopClass = sopClasses.verification;
  const refusal = 'does not offer verification (C-ECHO)';
  const purpose = { sopClass, transferSyntaxes: ECHO_SYNTAXES, refusal };
  const result = await inAssociation(peer, purpose, signal, async (association) => {
    const request = {
      affectedSopClassUid: sopClass,
      commandField: COMMAND.echoRq,
      messageId: 1,
      dataSetType: NO_DATA_SET,
    };
    const answer = await exchange(association, peer, request);
    if (answer === undefined) throw lost(association, peer, signal);
    if (answer.command.status !== 0) {
      throw new FailureError(transient('ECHO_FAILED', said('C-ECHO', answer.command, peer).message));
    }
    return { ok: true as const };
  });
  return result.ok ? { ok: true, ms: performance.now() - start } : result;
}
