/** An association for C-STORE requests (PS3.7 9.1.1, PS3.4 B), several under way where the peer grants that. */
import { endingOf, type Association } from '../association.ts';
import { failureOf, type Failure } from '../failure.ts';
import { COMMAND, DATA_SET, encodeCommand, RESPONSE, type Command } from '../message/command.ts';
import { describeContextResult } from '../ul/negotiation.ts';
import { abortOn, associate, release } from './associate.ts';
import { timeoutsOf, type Peer } from './peer.ts';
import { lost, messageIds } from './response.ts';
import { answered, failed, notNegotiated, unanswered, type StoreOutcome } from './store-outcome.ts';
import { Outlet } from './store-outlet.ts';
import { contextsFor, kindOf, type Kind } from './store-plan.ts';
import type { StoreGate } from './store-gate.ts';
import { LineWatch } from './store-watch.ts';
import type { Instance } from './store-source.ts';

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

export interface LineOptions {
  readonly peer: Peer;
  readonly signal: AbortSignal | undefined;
  /** How many requests may be under way at once, if the peer grants as many. */
  readonly operations: number;
  readonly gate: StoreGate | undefined;
}

/** Of a large file, read at a time. */
const CHUNK = 262_144;

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
  readonly #pending = new Map<number, Pending>();
  #chunk: Buffer | undefined;
  #room: (() => void) | undefined;

  private constructor(association: Association, kinds: Iterable<Kind>, { peer, signal, gate }: LineOptions) {
    this.#association = association;
    this.#peer = peer;
    this.#signal = signal;
    this.#gate = gate;
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

  /** Proposes the kinds: the first 128 different ones. Throws DimseError as associate() does. */
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

  /**
   * Sends it; resolves when the next may be sent: true, or false where the association ended over this file. `settle`
   * gets its outcome once, now or later. Never rejects.
   */
  async send(instance: Instance, settle: Settle): Promise<boolean> {
    const { id, why } = this.#answers.get(kindOf(instance)) ?? { id: undefined, why: 'not proposed' };
    if (id === undefined) {
      settle(failed(instance, notNegotiated(instance, this.#peer, why)));
      return true;
    }
    const messageId = this.#nextId();
    const pending: Pending = { instance, settle, whole: false };
    this.#pending.set(messageId, pending);
    this.#watch.progress();
    try {
      if (await this.#transmit(id, messageId, instance)) this.#handedOver(messageId, pending);
      else this.#settle(messageId, failed(instance, this.failure));
    } catch (error) {
      // the peer has a part of it: the only way to take that back
      this.#association.abort('a file failed while it was sent');
      this.#settle(messageId, failed(instance, failureOf(error)));
      return false;
    }
    while (this.open && this.#pending.size >= this.#association.operations) {
      await new Promise<void>((resolve) => (this.#room = resolve));
    }
    return true;
  }

  /** Waits for all responses and releases. True if the peer released in order. */
  async close(): Promise<boolean> {
    while (this.#pending.size > 0) await new Promise<void>((resolve) => (this.#room = resolve));
    const inOrder = await release(this.#association, this.#peer);
    this.#letGo();
    this.#watch.end();
    return inOrder;
  }

  /** True once the last byte has been handed to the connection; nothing is awaited for a file that was read whole. */
  async #transmit(contextId: number, messageId: number, instance: Instance): Promise<boolean> {
    const command = encodeCommand({
      affectedSopClassUid: instance.sopClassUid,
      commandField: COMMAND.storeRq,
      messageId,
      priority: 0,
      dataSetType: DATA_SET,
      affectedSopInstanceUid: instance.sopInstanceUid,
    });
    const outlet = this.#outlet;
    outlet.begin({ contextId, command: true, total: command.length });
    for (let rest = outlet.add(command); rest !== undefined; rest = outlet.add(rest)) {
      if (!(await outlet.flush())) return false;
    }
    outlet.begin({ contextId, command: false, total: instance.length });
    let part: Uint8Array | undefined = instance.first();
    while (part !== undefined) {
      if (this.#gate !== undefined) await this.#gate.passes(part.length);
      for (let rest = outlet.add(part); rest !== undefined; rest = outlet.add(rest)) {
        if (!(await outlet.flush())) return false;
      }
      part = instance.whole
        ? undefined
        : await instance.more((this.#chunk ??= Buffer.allocUnsafeSlow(CHUNK)));
    }
    outlet.add(instance.padding);
    return outlet.send();
  }

  async #listen(): Promise<void> {
    for (;;) {
      const message = await this.#association.receive();
      if (message === undefined) break;
      this.#responded(message.command);
    }
    // what the peer may have whole, it may have stored; the one that is being sent is left to send()
    for (const [messageId, { instance, whole }] of [...this.#pending]) {
      if (whole) this.#settle(messageId, failed(instance, this.#unanswered()));
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
    else if (!this.open) this.#settle(messageId, failed(instance, this.#unanswered()));
  }

  #settle(messageId: number, outcome: StoreOutcome): void {
    const pending = this.#pending.get(messageId);
    this.#pending.delete(messageId);
    pending?.settle(outcome);
    this.#room?.();
  }

  #waitsFor(): string | undefined {
    if (this.#outlet.underWay > 0) return 'the peer took nothing for';
    return this.#pending.values().some(({ whole }) => whole) ? 'no response within' : undefined;
  }

  #unanswered(): Failure {
    return unanswered(this.#peer, endingOf(this.#association));
  }
}
