/** An association for C-STORE requests (PS3.7 9.1.1, PS3.4 B), several under way where the peer grants that. */
import type { Failure } from '@scanflow/failure';
import { endingOf, type Association } from '../../association.ts';
import { COMMAND, DATA_SET, encodeCommand, RESPONSE, type Command } from '../../message.ts';
import { describeContextResult } from '../../ul/negotiation.ts';
import { abortOn, associate, failureOf, release, timeoutsOf, type Peer } from '../associate.ts';
import { lost, messageIds } from '../response.ts';
import { contextsFor, kindOf, type Kind } from './window.ts';
import {
  type StoreGate,
  answered,
  brokenOff,
  failed,
  notNegotiated,
  unanswered,
  type StoreOutcome,
} from './order.ts';
import type { Instance } from './instance.ts';
import { Outlet } from './outlet.ts';

type Settle = (outcome: StoreOutcome) => void;

/** A request under way. */
interface Pending {
  readonly instance: Instance;
  readonly settle: Settle;
  /** The last byte has been handed to the connection. */
  whole: boolean;
  /** A response that came before that. */
  early?: Command;
}

interface Answer {
  readonly id: number | undefined;
  readonly why: string;
}

/** `failed`: the association ended over this file. */
type Handing = 'done' | 'failed' | 'not begun';

interface LineOptions {
  readonly peer: Peer;
  readonly signal: AbortSignal | undefined;
  /** How many requests may be under way at once, if the peer grants as many. */
  readonly operations: number;
  readonly gate: StoreGate | undefined;
  /** Whether a ready image may be sent when its turn comes. */
  readonly wanted: () => boolean;
}

/** Bytes of a large file that are read at a time where a gate has to let each piece pass. */
const PIECE = 262_144;

export class StoreLine {
  readonly #association: Association;
  readonly #peer: Peer;
  readonly #signal: AbortSignal | undefined;
  readonly #answers: ReadonlyMap<string, Answer>;
  readonly #nextId = messageIds();
  readonly #letGo: () => void;
  readonly #outlet: Outlet;
  readonly #watch: LineWatch;
  readonly #gate: StoreGate | undefined;
  readonly #wanted: () => boolean;
  readonly #pending = new Map<number, Pending>();
  #room: (() => void) | undefined;
  #brokenByUs = false;
  #brokeOff = false;

  private constructor(association: Association, kinds: Iterable<Kind>, options: LineOptions) {
    const { peer, signal, gate, wanted } = options;
    this.#association = association;
    this.#peer = peer;
    this.#signal = signal;
    this.#gate = gate;
    this.#wanted = wanted;
    this.#letGo = abortOn(signal, association);
    this.#watch = new LineWatch(association, timeoutsOf(peer).response, () => this.#waitsFor());
    this.#outlet = new Outlet(association, () => this.#watch.progress());
    const { accepted, refused } = association.contexts;
    this.#answers = new Map(
      contextsFor(kinds).map(({ id, abstractSyntax, transferSyntaxes }): [string, Answer] => [
        kindOf({ sopClassUid: abstractSyntax, transferSyntax: transferSyntaxes[0] ?? '' }),
        { id: accepted.has(id) ? id : undefined, why: describeContextResult(refused.get(id) ?? 2) },
      ]),
    );
    void this.#listen();
  }

  /** Proposes the kinds: the first 128 different ones. Throws FailureError as associate() does. */
  static async open(kinds: Iterable<Kind>, options: LineOptions): Promise<StoreLine> {
    const { peer, signal, operations } = options;
    return new StoreLine(await associate(peer, contextsFor(kinds), signal, operations), kinds, options);
  }

  /** False once the association has ended. */
  get open(): boolean {
    return this.#association.ending === undefined;
  }

  /** Whether this kind was proposed on it. */
  covers(kind: Kind): boolean {
    return this.#answers.has(kindOf(kind));
  }

  /** Of an association that has ended, for the instances that were not begun. */
  get failure(): Failure {
    return lost(this.#association, this.#peer, this.#signal).failure;
  }

  /** It ended while the peer owed responses, and not over a file of ours. */
  get brokeOff(): boolean {
    return this.#brokeOff;
  }

  /**
   * Sends it once its turn has come; resolves when the next may be prepared. `settle` gets its outcome once, now or
   * later, save where it was not begun. Never rejects.
   */
  async send(instance: Instance, settle: Settle): Promise<Handing> {
    const { id, why } = this.#answers.get(kindOf(instance)) ?? { id: undefined, why: 'not proposed' };
    if (id === undefined) {
      // outcomes come in the order of the items
      await this.#turn();
      settle(failed(instance, notNegotiated(instance, this.#peer, why)));
      return 'done';
    }
    const messageId = this.#nextId();
    const pending: Pending = { instance, settle, whole: false };
    try {
      const how = await this.#transmit(id, messageId, pending);
      if (how === 'not begun') return how;
      if (how === 'done') this.#handedOver(messageId, pending);
      else this.#settle(messageId, brokenOff(instance, this.failure));
      return 'done';
    } catch (error) {
      // the peer has a part of it: the only way to take that back
      this.#brokenByUs = true;
      this.#association.abort('a file failed while it was sent');
      this.#pending.delete(messageId);
      settle(failed(instance, failureOf(error)));
      return 'failed';
    }
  }

  /** Waits for all responses and releases. True if the peer released in order. */
  async close(): Promise<boolean> {
    while (this.#pending.size > 0) await new Promise<void>((resolve) => (this.#room = resolve));
    const inOrder = await release(this.#association, this.#peer);
    this.#letGo();
    this.#watch.end();
    return inOrder;
  }

  /**
   * What is held of the file is made ready while the peer is still at work on the one before; nothing leaves before its
   * turn. Nothing is awaited after that for a file that was read whole.
   */
  async #transmit(contextId: number, messageId: number, pending: Pending): Promise<Handing | 'lost'> {
    const { instance } = pending;
    const outlet = this.#outlet;
    const command = encodeCommand({
      affectedSopClassUid: instance.sopClassUid,
      commandField: COMMAND.storeRq,
      messageId,
      priority: 0,
      dataSetType: DATA_SET,
      affectedSopInstanceUid: instance.sopInstanceUid,
    });
    outlet.begin({ contextId, command: true, total: command.length });
    outlet.add(command);
    outlet.begin({ contextId, command: false, total: instance.length });
    const part = instance.first();
    if (this.#gate !== undefined) await this.#gate.passes(part.length);
    let rest = outlet.add(part);
    await this.#turn();
    if (!this.open || !this.#wanted()) return 'not begun';
    this.#pending.set(messageId, pending);
    this.#watch.progress();
    if (rest !== undefined && !(await this.#drain(rest))) return 'lost';
    if (!instance.whole && !(await this.#stream(instance))) return 'lost';
    rest = outlet.add(instance.padding);
    if (rest !== undefined && !(await this.#drain(rest))) return 'lost';
    return outlet.send() ? 'done' : 'lost';
  }

  /** Waits until one more request may be under way (PS3.7 D.3.3.3), or the association has ended. */
  async #turn(): Promise<void> {
    while (this.open && this.#pending.size >= this.#association.operations) {
      await new Promise<void>((resolve) => (this.#room = resolve));
    }
  }

  /** What is not held of the file, read to where it leaves from. False: the association has ended. */
  async #stream(instance: Instance): Promise<boolean> {
    const most = this.#gate === undefined ? Infinity : PIECE;
    while (instance.left > 0) {
      const room = this.#outlet.room(Math.min(instance.left, most));
      if (room.length === 0) {
        if (!(await this.#outlet.flush())) return false;
        continue;
      }
      const left = instance.left;
      await instance.fill(room);
      if (this.#gate !== undefined) await this.#gate.passes(left - instance.left);
    }
    return true;
  }

  /** Hands over until all of it has found room. False: the association has ended. */
  async #drain(bytes: Uint8Array): Promise<boolean> {
    for (let rest: Uint8Array | undefined = bytes; rest !== undefined; rest = this.#outlet.add(rest)) {
      if (!(await this.#outlet.flush())) return false;
    }
    return true;
  }

  async #listen(): Promise<void> {
    for (;;) {
      const message = await this.#association.receive();
      if (message === undefined) break;
      this.#responded(message.command);
    }
    // what the peer may have whole, it may have stored; the one that is being sent is left to send()
    for (const [messageId, { instance, whole }] of [...this.#pending]) {
      this.#brokeOff ||= !this.#brokenByUs;
      if (whole) this.#settle(messageId, brokenOff(instance, this.#unanswered()));
    }
    this.#watch.end();
    this.#room?.();
  }

  #responded(response: Command): void {
    const { commandField, messageIdBeingRespondedTo = 0, status } = response;
    const pending = this.#pending.get(messageIdBeingRespondedTo);
    if (commandField !== (COMMAND.storeRq | RESPONSE) || status === undefined || pending === undefined) {
      this.#association.abort('the peer sent a response to something else');
      return;
    }
    this.#watch.progress();
    if (pending.whole)
      this.#settle(messageIdBeingRespondedTo, answered(pending.instance, response, this.#peer));
    else pending.early = response;
  }

  #handedOver(messageId: number, pending: Pending): void {
    pending.whole = true;
    const { early, instance } = pending;
    if (early !== undefined) this.#settle(messageId, answered(instance, early, this.#peer));
    else if (!this.open) this.#settle(messageId, brokenOff(instance, this.#unanswered()));
  }

  #settle(messageId: number, outcome: StoreOutcome): void {
    const pending = this.#pending.get(messageId);
    this.#pending.delete(messageId);
    // the next one leaves first: nobody waits for what is made of an outcome
    this.#room?.();
    pending?.settle(outcome);
  }

  #waitsFor(): string | undefined {
    if (this.#outlet.underWay > 0) return 'the peer took nothing for';
    return this.#pending.values().some(({ whole }) => whole) ? 'no response within' : undefined;
  }

  #unanswered(): Failure {
    return unanswered(this.#peer, endingOf(this.#association));
  }
}

/** The time limit of a line: one timer, however many instances pass. */
class LineWatch {
  readonly #association: Association;
  readonly #limitMs: number;
  readonly #waitsFor: () => string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #last = performance.now();

  /** `waitsFor`: what the peer owes us at present, in words before the limit; undefined: nothing. */
  constructor(association: Association, limitMs: number, waitsFor: () => string | undefined) {
    this.#association = association;
    this.#limitMs = limitMs;
    this.#waitsFor = waitsFor;
    this.#set(limitMs);
  }

  /** The peer took or answered something, or got a new request. */
  progress(): void {
    this.#last = performance.now();
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #set(ms: number): void {
    this.#timer = setTimeout(() => this.#check(), Math.ceil(ms));
  }

  #check(): void {
    const what = this.#waitsFor();
    if (what === undefined) this.progress();
    const left = this.#last + this.#limitMs - performance.now();
    if (left > 0) this.#set(left);
    else this.#association.abort(`${what ?? 'nothing for'} ${this.#limitMs} ms`);
  }
}
