/** One connection's protocol machine at work: carries out table 9-10's actions on a socket. Both roles. */
import type { Socket } from 'node:net';
import { encodePdu, type ControlPdu } from './encode.ts';
import type { Ending } from './ending.ts';
import {
  ABORT,
  PduError,
  type Abort,
  type AssociateAc,
  type AssociateRj,
  type AssociateRq,
  type Pdu,
  type Pdv,
} from './pdu.ts';
import { PduReader, type PduLimits, type Room } from './reader.ts';
import { transition, type Action, type Role, type State, type UlEvent } from './states.ts';

/** Indications and confirmations to the user of the service (PS3.8 7). After `ended` none follows. */
interface ProviderUser {
  associateRequested?(pdu: AssociateRq): void;
  associateAccepted?(pdu: AssociateAc): void;
  data(values: readonly Pdv[]): void;
  releaseRequested(): void;
  /** The association is over; the connection may live on until the peer closes it. */
  ended(ending: Ending): void;
  /** The connection is gone too. Once, and last. */
  disconnected(): void;
}

interface ProviderOptions {
  readonly role: Role;
  readonly limits: PduLimits;
  /** For what is unfinished; default: as much as the limits allow. */
  readonly room?: Room;
  /** Association request, reject and release timer in milliseconds (PS3.8 9.1.5). */
  readonly artimMs: number;
  /** What the provider itself cannot accept (AE-6); undefined: the user decides. */
  readonly unacceptable?: (pdu: AssociateRq) => AssociateRj | undefined;
}

interface Context {
  readonly received?: Pdu;
  readonly send?: ControlPdu;
  readonly ending?: Ending;
}

const UNEXPECTED: Abort = { type: 'abort', source: 2, reason: ABORT.unexpectedPdu };

export class Provider {
  readonly socket: Socket;
  /** PS3.8 tables 9-6 to 9-9. */
  readonly #actions: Readonly<Record<Action, (context: Context, what: string) => void>> = {
    'AE-1': () => undefined, // the caller has connected
    'AE-2': ({ send }) => this.#send(send),
    'AE-3': ({ received }) => received?.type === 'associate-ac' && this.#user.associateAccepted?.(received),
    'AE-4': ({ received }) => {
      if (received?.type === 'associate-rj') this.#end({ how: 'rejected', rejection: received });
      this.socket.destroy();
    },
    'AE-5': () => this.#startArtim(),
    'AE-6': ({ received }) => {
      this.#clearArtim();
      if (received?.type === 'associate-rq') this.#user.associateRequested?.(received);
    },
    'AE-7': ({ send }) => this.#send(send),
    'AE-8': (context, what) => this.#sendAndEnd(context, what),
    'DT-1': () => undefined, // writeData() writes
    'DT-2': ({ received }) => received?.type === 'p-data' && this.#user.data(received.values),
    'AR-1': () => this.#send({ type: 'release-rq' }),
    'AR-2': () => this.#user.releaseRequested(),
    'AR-3': () => {
      this.#end({ how: 'released' });
      this.socket.destroySoon();
    },
    'AR-4': () => this.#sendAndEnd({ send: { type: 'release-rp' }, ending: { how: 'released' } }, ''),
    'AR-5': () => undefined, // #closed() stops the timer
    'AR-6': ({ received }) => received?.type === 'p-data' && this.#user.data(received.values),
    'AR-7': () => undefined, // writeData() writes
    'AR-8': () => this.#user.releaseRequested(),
    'AR-9': () => this.#send({ type: 'release-rp' }),
    'AR-10': () => this.#fire('release response'),
    'AA-1': (context, what) => this.#sendAndEnd({ send: UNEXPECTED, ...context }, what),
    'AA-2': (_, what) => {
      this.#end({ how: 'ended by us', detail: what });
      this.socket.destroy();
    },
    'AA-3': ({ received }) => {
      const { source, reason } = received?.type === 'abort' ? received : UNEXPECTED;
      this.#end({ how: 'aborted', source, reason });
      this.socket.destroy();
    },
    'AA-4': () => undefined, // #closed() does the rest
    'AA-5': () => undefined,
    'AA-6': () => undefined,
    'AA-7': () => this.#send(UNEXPECTED),
    'AA-8': (context, what) => this.#sendAndEnd({ send: UNEXPECTED, ...context }, what),
  };
  readonly #options: ProviderOptions;
  readonly #user: ProviderUser;
  readonly #reader: PduReader;
  #state: State = 1;
  #artim: NodeJS.Timeout | undefined;
  #deaf = false;
  #ended = false;
  #disconnected = false;
  #trouble = 'by the peer';

  /** Takes over a connected socket. The acceptor waits for A-ASSOCIATE-RQ; the requestor calls request(). */
  constructor(socket: Socket, user: ProviderUser, options: ProviderOptions) {
    this.socket = socket;
    this.#user = user;
    this.#options = options;
    this.#reader = new PduReader(options.limits, options.room);
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#received(chunk));
    socket.on('error', (error: NodeJS.ErrnoException) => (this.#trouble = error.code ?? error.name));
    socket.on('end', () => this.#closed());
    socket.on('close', () => this.#closed());
    if (options.role === 'acceptor') this.#fire('transport indicated');
  }

  get state(): State {
    return this.#state;
  }

  request(pdu: AssociateRq): void {
    this.#fire('associate request');
    this.#fire('transport confirmed', { send: pdu });
  }

  accept(pdu: AssociateAc): void {
    this.#fire('associate accepted', { send: pdu });
  }

  reject(pdu: AssociateRj): void {
    this.#fire('associate rejected', { send: pdu, ending: { how: 'rejected', rejection: pdu } });
  }

  /** Writes P-DATA-TF PDUs; false: wait for 'drain' before more. Only while established. */
  writeData(pieces: readonly Uint8Array[]): boolean {
    this.#fire('data request');
    if (this.socket.writableCorked === 0) {
      // responses that are ready together leave in one system call
      this.socket.cork();
      process.nextTick(() => this.socket.uncork());
    }
    for (const piece of pieces) this.socket.write(piece);
    return !this.socket.writableNeedDrain;
  }

  /** Writes bytes that the caller has framed as P-DATA-TF PDUs; `done` when they have left, or never will. */
  writeBytes(bytes: Uint8Array, done: () => void): void {
    this.#fire('data request');
    this.socket.write(bytes, done);
  }

  requestRelease(): void {
    this.#fire('release request');
  }

  respondRelease(): void {
    this.#fire('release response');
  }

  /** Ends the association at once, from any state. Source 0 is the service user, 2 the provider (PS3.8 9.3.8). */
  abort(detail: string, { source = 0, reason = 0 }: Partial<Pick<Abort, 'source' | 'reason'>> = {}): void {
    if (transition(this.#state, 'abort request', this.#options.role) === undefined) return;
    const send: Abort = { type: 'abort', source, reason };
    this.#fire('abort request', { send, ending: { how: 'ended by us', detail } });
  }

  /** Closes the connection without a word. */
  destroy(): void {
    this.socket.destroy();
  }

  #received(chunk: Buffer): void {
    if (this.#deaf) return;
    try {
      for (const pdu of this.#reader.push(chunk)) {
        this.#receivedPdu(pdu);
        if (this.state === 1) return;
      }
    } catch (error) {
      if (!(error instanceof PduError)) throw error;
      // nothing that follows can be made sense of
      this.#deaf = true;
      const send: Abort = { type: 'abort', source: 2, reason: error.reason };
      this.#fire('invalid PDU', {
        send,
        ending: {
          how: 'ended by us',
          detail: `invalid PDU: ${error.message}`,
          stranger: error.stranger,
        },
      });
    }
  }

  #receivedPdu(pdu: Pdu): void {
    const isFirst = pdu.type === 'associate-rq' && this.#state === 2;
    const refusal = isFirst ? this.#options.unacceptable?.(pdu) : undefined;
    if (refusal === undefined) {
      this.#fire(`${pdu.type} PDU`, { received: pdu });
      return;
    }
    const ending: Ending = { how: 'rejected', rejection: refusal };
    this.#fire('unacceptable associate-rq PDU', { send: refusal, ending });
  }

  #closed(): void {
    if (this.#disconnected) return;
    this.#disconnected = true;
    if (this.#state !== 1) this.#fire('transport closed');
    this.#clearArtim();
    this.socket.destroy();
    this.#end({ how: 'closed', detail: this.#trouble });
    this.#user.disconnected();
  }

  #fire(event: UlEvent, context: Context = {}): void {
    const found = transition(this.#state, event, this.#options.role);
    if (found === undefined) throw new Error(`upper layer: ${event} in state ${this.#state}`);
    const from = this.#state;
    this.#state = found.next;
    this.#actions[found.action](context, `${event} in state ${from}`);
  }

  /** The association is over; the peer has until ARTIM to close the connection. */
  #sendAndEnd({ send, ending }: Context, what: string): void {
    this.#send(send);
    this.#startArtim();
    this.#end(ending ?? { how: 'ended by us', detail: what });
  }

  #send(pdu: ControlPdu | undefined): void {
    if (pdu !== undefined && this.socket.writable) this.socket.write(encodePdu(pdu));
  }

  #end(ending: Ending): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#user.ended(ending);
  }

  #startArtim(): void {
    this.#clearArtim();
    this.#artim = setTimeout(() => {
      if (this.#state === 2 || this.#state === 13) this.#fire('ARTIM expired');
    }, this.#options.artimMs);
  }

  #clearArtim(): void {
    clearTimeout(this.#artim);
    this.#artim = undefined;
  }
}
