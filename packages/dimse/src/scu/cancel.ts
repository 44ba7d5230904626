/** C-CANCEL-RQ (PS3.7 9.3.2.3, 9.3.4.3), for operations of many responses. */
import type { Association } from '../association.ts';
import { COMMAND, NO_DATA_SET } from '../message/command.ts';
import { timeoutsOf, type Peer } from './peer.ts';

export interface Cancellable {
  readonly peer: Peer;
  readonly contextId: number;
  /** Of the request that is cancelled. */
  readonly messageId: number;
  /** Cancels when it aborts. */
  readonly signal: AbortSignal | undefined;
}

/** Sends C-CANCEL-RQ once, and ends the association when the peer goes on for too long after it. */
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
    const { peer, contextId, messageId } = this.#request;
    this.#stopTimer = this.#association.endAfter(timeoutsOf(peer).release, 'the peer went on after C-CANCEL');
    const command = {
      commandField: COMMAND.cancelRq,
      messageIdBeingRespondedTo: messageId,
      dataSetType: NO_DATA_SET,
    };
    await this.#association.send(contextId, command);
  }

  stop(): void {
    this.#request.signal?.removeEventListener('abort', this.#onAbort);
    this.#stopTimer?.();
  }
}
