/** An association as both roles use it: messages out as P-DATA, messages in from P-DATA, release, abort. */
import type { Socket } from 'node:net';
import { defined } from '@scanflow/failure/defined';
import {
  Assembler,
  type Message,
  type MessageLimits,
  type Receipt,
  CommandError,
  encodeCommand,
  type Command,
} from './message.ts';
import { fragments, fragmentSize } from './ul/encode.ts';
import { describeEnding, type Ending } from './ul/ending.ts';
import { agreement, grantedOperations, type Agreement, type Context } from './ul/negotiation.ts';
import { PduError, type AssociateAc, type AssociateRj, type AssociateRq, type Pdv } from './ul/pdu.ts';
import { Provider } from './ul/provider.ts';
import { ANY_ROOM, type PduLimits, type Room } from './ul/reader.ts';
import type { Role } from './ul/states.ts';

interface AssociationOptions {
  readonly role: Role;
  readonly limits: PduLimits & MessageLimits;
  /** For PDUs and messages that are unfinished, or not dealt with; default: as much as the limits allow. */
  readonly room?: Room;
  readonly artimMs: number;
  /** Longest time in milliseconds in which the peer takes nothing of what we send. */
  readonly stallMs: number;
  /** Acceptor: what the provider refuses before it consults anyone. */
  readonly unacceptable?: (request: AssociateRq) => AssociateRj | undefined;
  /** Acceptor: the answer to the request. */
  readonly answer?: (request: AssociateRq) => AssociateAc | AssociateRj;
  /** Acceptor: where the data set of a request goes while it arrives; undefined: to memory, within limits. */
  readonly receiptFor?: (contextId: number, command: Command, onRoom: () => void) => Receipt | undefined;
  /** A part of a message has come. */
  readonly onData?: () => void;
}

/** Reading pauses when this much waits to be received; it goes on when all of it has been. */
const QUEUED_MESSAGES = 64;
const QUEUED_BYTES = 1_048_576;

const NOTHING: Agreement = { accepted: new Map(), refused: new Map() };

export class Association {
  /** Resolves when the association is over, however it went; never rejects. */
  readonly ended: Promise<Ending>;
  /** Resolves when the connection is gone too. */
  readonly disconnected: Promise<void>;
  readonly #provider: Provider;
  readonly #options: AssociationOptions;
  readonly #assembler: Assembler;
  readonly #established = Promise.withResolvers<boolean>();
  #queue: Message[] = [];
  #queuedBytes = 0;
  /** Why nothing is read from the peer at this moment. */
  readonly #held = new Set<'queue' | 'receipt'>();
  #waiting: ((message: Message | undefined) => void) | undefined;
  #agreement = NOTHING;
  #proposed: AssociateRq | undefined;
  #fragmentBytes = 1;
  #operations = 1;
  #roles: AssociateAc['user']['roles'] = [];
  #ending: Ending | undefined;
  #drain: (() => void) | undefined;

  constructor(socket: Socket, options: AssociationOptions) {
    this.#options = options;
    this.#assembler = new Assembler(options.limits, (id) => this.#agreement.accepted.has(id), {
      ...defined({ room: options.room }),
      receiptFor: (id, command) => options.receiptFor?.(id, command, () => this.#hold('receipt', false)),
    });
    const ended = Promise.withResolvers<Ending>();
    const disconnected = Promise.withResolvers<undefined>();
    this.ended = ended.promise;
    this.disconnected = disconnected.promise;
    const user = {
      associateRequested: (request: AssociateRq) => this.#answer(request),
      associateAccepted: (answer: AssociateAc) => this.#accepted(answer),
      data: (values: readonly Pdv[]) => this.#data(values),
      releaseRequested: () => this.#provider.state !== 10 && this.#provider.respondRelease(),
      ended: (ending: Ending) => {
        this.#end(ending);
        ended.resolve(ending);
      },
      disconnected: () => disconnected.resolve(undefined),
    };
    this.#provider = new Provider(socket, user, options);
  }

  get ending(): Ending | undefined {
    return this.#ending;
  }

  /** Whether the peer owes us the rest of a data set that goes to a receipt: it is not we who keep it waiting. */
  get owed(): boolean {
    return this.#assembler.receiving && this.#held.size === 0;
  }

  /** Accepted and refused presentation contexts; empty before the negotiation is done. */
  get contexts(): Agreement {
    return this.#agreement;
  }

  /** Bytes of a message per P-DATA-TF PDU that the peer takes. */
  get fragmentBytes(): number {
    return this.#fragmentBytes;
  }

  /** Requestor: how many requests may be under way at once (PS3.7 D.3.3.3). */
  get operations(): number {
    return this.#operations;
  }

  /** Requestor: whether the peer took us for the SCP of this class, as we asked (PS3.7 D.3.3.4). */
  isScpOf(sopClassUid: string): boolean {
    return this.#roles.some((role) => role.sopClassUid === sopClassUid && role.scp);
  }

  /** An accepted context by its id. */
  context(id: number): Context | undefined {
    return this.#agreement.accepted.get(id);
  }

  /** Requestor: proposes. True when the peer accepted; false when it ended instead, see `ending`. */
  async request(request: AssociateRq): Promise<boolean> {
    this.#proposed = request;
    this.#provider.request(request);
    return this.#established.promise;
  }

  /** Resolves true once established, false if that never happened. */
  get established(): Promise<boolean> {
    return this.#established.promise;
  }

  /**
   * Sends a message and waits until the connection takes more. False: the association has ended, and how much of
   * the message the peer got is unknown. One message at a time.
   */
  async send(contextId: number, command: Command, dataSet?: Uint8Array): Promise<boolean> {
    if (this.#ending !== undefined) return false;
    const pieces = this.#fragments(contextId, true, encodeCommand(command));
    if (dataSet !== undefined) pieces.push(...this.#fragments(contextId, false, dataSet));
    return this.#write(pieces);
  }

  /**
   * Hands over bytes that are P-DATA-TF PDUs, or a part of one, as they are: for senders that frame them themselves.
   * `done` is called when the connection has taken them, and also when it ends. False: the association has ended.
   */
  write(bytes: Uint8Array, done: () => void): boolean {
    if (this.#ending !== undefined) return false;
    this.#provider.writeBytes(bytes, done);
    return true;
  }

  /** The next message; undefined when the association has ended and all that came before was received. */
  async receive(): Promise<Message | undefined> {
    const message = this.#queue.shift();
    if (message !== undefined) {
      this.#queuedBytes -= message.dataSet?.length ?? 0;
      if (this.#queue.length === 0) this.#hold('queue', false);
      return message;
    }
    if (this.#ending !== undefined) return undefined;
    return new Promise((resolve) => (this.#waiting = resolve));
  }

  /** A message was dealt with: others have its room. */
  done({ held }: Message): void {
    (this.#options.room ?? ANY_ROOM).give(held);
  }

  /** Requestor: an orderly end. True if the peer answered; the caller limits the time with endAfter(). */
  async release(): Promise<boolean> {
    if (this.#provider.state === 6) this.#provider.requestRelease();
    return (await this.ended).how === 'released';
  }

  /** Ends the association at once with A-ABORT; `detail` is for logs and failures. */
  abort(detail: string, by: { source?: number; reason?: number } = {}): void {
    this.#provider.abort(detail, by);
    // the acceptor waits for the peer to close (ARTIM); the requestor is the one who closes
    if (this.#options.role === 'requestor') this.#provider.socket.end();
  }

  /** Aborts after `ms` milliseconds unless the returned function is called before. */
  endAfter(ms: number, detail: string): () => void {
    const timer = setTimeout(() => this.abort(detail), ms);
    return () => clearTimeout(timer);
  }

  /** Closes the connection without a word. */
  destroy(): void {
    this.#provider.destroy();
  }

  #answer(request: AssociateRq): void {
    const answer = this.#options.answer?.(request);
    if (answer?.type !== 'associate-ac') {
      this.#provider.reject(answer ?? { type: 'associate-rj', result: 1, source: 1, reason: 1 });
      return;
    }
    this.#agreement = agreement(request.contexts, answer.contexts);
    this.#fragmentBytes = fragmentSize(request.user.maximumLength) ?? 1;
    this.#provider.accept(answer);
    this.#established.resolve(true);
  }

  #accepted(answer: AssociateAc): void {
    const size = fragmentSize(answer.user.maximumLength);
    if (size === undefined) {
      this.abort(`the peer's maximum length of ${answer.user.maximumLength} bytes leaves no room for data`);
      return;
    }
    this.#fragmentBytes = size;
    this.#agreement = agreement(this.#proposed?.contexts ?? [], answer.contexts);
    this.#roles = answer.user.roles;
    this.#operations = grantedOperations(this.#proposed?.user, answer.user);
    this.#established.resolve(true);
  }

  #data(values: readonly Pdv[]): void {
    try {
      for (const value of values) {
        const message = this.#assembler.push(value);
        if (message !== undefined) this.#deliver(message);
      }
      if (!this.#assembler.roomy) this.#hold('receipt', true);
      this.#options.onData?.();
    } catch (error) {
      if (error instanceof PduError) this.abort(error.message, { source: 2, reason: error.reason });
      else if (error instanceof CommandError) this.abort(`no command set: ${error.message}`);
      else throw error;
    }
  }

  #deliver(message: Message): void {
    const waiting = this.#waiting;
    if (waiting !== undefined) {
      this.#waiting = undefined;
      waiting(message);
      return;
    }
    this.#queue.push(message);
    this.#queuedBytes += message.dataSet?.length ?? 0;
    if (this.#queue.length >= QUEUED_MESSAGES || this.#queuedBytes >= QUEUED_BYTES) {
      this.#hold('queue', true);
    }
  }

  #hold(why: 'queue' | 'receipt', held: boolean): void {
    if (this.#ending !== undefined) return;
    if (held) this.#held.add(why);
    else this.#held.delete(why);
    if (this.#held.size > 0) this.#provider.socket.pause();
    else this.#provider.socket.resume();
  }

  #end(ending: Ending): void {
    this.#ending = ending;
    this.#established.resolve(false);
    this.#waiting?.(undefined);
    this.#waiting = undefined;
    this.#drain?.();
    this.#assembler.abandon();
    // so that the peer's close is noticed
    this.#provider.socket.resume();
  }

  #fragments(contextId: number, command: boolean, bytes: Uint8Array): Uint8Array[] {
    return fragments(bytes, true, { contextId, command, size: this.#fragmentBytes });
  }

  async #write(pieces: readonly Uint8Array[]): Promise<boolean> {
    if (!this.#provider.writeData(pieces)) await this.#drained();
    return this.#ending === undefined;
  }

  async #drained(): Promise<void> {
    const stop = this.endAfter(
      this.#options.stallMs,
      `the peer took nothing for ${this.#options.stallMs} ms`,
    );
    const { socket } = this.#provider;
    const drained = Promise.withResolvers<undefined>();
    this.#drain = () => drained.resolve(undefined);
    socket.once('drain', this.#drain);
    await drained.promise;
    socket.off('drain', this.#drain);
    this.#drain = undefined;
    stop();
  }
}

/** For failures and logs: how `association` ended, or that it is open. */
export function endingOf(association: Association): string {
  return association.ending === undefined ? 'the association is open' : describeEnding(association.ending);
}
