/** An association for C-STORE requests (PS3.7 9.1.1, PS3.4 B): one instance after the other. */
import { describeStatus } from '@scanflow/dicom';
import { endingOf, type Association } from '../association.ts';
import { ambiguous, failureOf, permanent, transient, type Failure } from '../failure.ts';
import { COMMAND, DATA_SET, hex, type Command } from '../message/command.ts';
import { describeContextResult } from '../ul/negotiation.ts';
import type { ProposedContext } from '../ul/pdu.ts';
import { abortOn, associate, release } from './associate.ts';
import { nameOf, type Peer } from './peer.ts';
import { lost, messageIds, response } from './response.ts';
import { kindOf } from './store-plan.ts';
import type { Instance, InstanceReader, Stretch } from './store-source.ts';

/** What became of one instance. `sent` and `warning`: the peer has it. */
export type StoreOutcome = {
  readonly id: string;
  readonly sopInstanceUid?: string;
  /** Of the C-STORE response, where there was one. */
  readonly status?: number;
} & (
  | { readonly result: 'sent' }
  | { readonly result: 'warning'; readonly meaning: string }
  | { readonly result: 'failed'; readonly failure: Failure }
);

/** Bytes of a file in memory, twice. */
const STRETCH = 262_144;

interface Answer {
  readonly id: number | undefined;
  readonly why: string;
}

export class StoreLine {
  readonly #association: Association;
  readonly #peer: Peer;
  readonly #signal: AbortSignal | undefined;
  readonly #answers: ReadonlyMap<string, Answer>;
  readonly #nextId = messageIds();
  readonly #letGo: () => void;

  private constructor(
    association: Association,
    contexts: readonly ProposedContext[],
    peer: Peer,
    signal: AbortSignal | undefined,
  ) {
    this.#association = association;
    this.#peer = peer;
    this.#signal = signal;
    this.#letGo = abortOn(signal, association);
    const { accepted, refused } = association.contexts;
    this.#answers = new Map(
      contexts.map(({ id, abstractSyntax, transferSyntaxes }): [string, Answer] => [
        kindOf({ sopClassUid: abstractSyntax, transferSyntax: transferSyntaxes[0] ?? '' }),
        { id: accepted.has(id) ? id : undefined, why: describeContextResult(refused.get(id) ?? 2) },
      ]),
    );
  }

  /** Throws DimseError as associate() does. */
  static async open(
    peer: Peer,
    contexts: readonly ProposedContext[],
    signal: AbortSignal | undefined,
  ): Promise<StoreLine> {
    return new StoreLine(await associate(peer, contexts, signal), contexts, peer, signal);
  }

  /** False once the association has ended. */
  get open(): boolean {
    return this.#association.ending === undefined;
  }

  /** How much of a file is best sent at a time: whole fragments, about STRETCH bytes. */
  get stretchBytes(): number {
    const { fragmentBytes } = this.#association;
    return Math.floor(STRETCH / fragmentBytes) * fragmentBytes;
  }

  /** Whether every kind was proposed on it. */
  covers(instances: readonly Instance[]): boolean {
    return instances.every((instance) => this.#answers.has(kindOf(instance)));
  }

  /** Of an association that has ended, for the instances that were not begun. */
  get failure(): Failure {
    return lost(this.#association, this.#peer, this.#signal).failure;
  }

  /** True if the peer released in order. */
  async close(): Promise<boolean> {
    const inOrder = await release(this.#association, this.#peer);
    this.#letGo();
    return inOrder;
  }

  /** Never rejects. A file that fails once the peer has part of it ends the association. */
  async send(instance: Instance, reader: InstanceReader, first: Promise<Stretch>): Promise<StoreOutcome> {
    const { id: contextId, why } = this.#answers.get(kindOf(instance)) ?? {
      id: undefined,
      why: 'not proposed',
    };
    if (contextId === undefined) return this.#failed(instance, this.#notNegotiated(instance, why));
    const request = {
      affectedSopClassUid: instance.sopClassUid,
      commandField: COMMAND.storeRq,
      messageId: this.#nextId(),
      priority: 0,
      dataSetType: DATA_SET,
      affectedSopInstanceUid: instance.sopInstanceUid,
    };
    let begun = false;
    let complete: boolean;
    try {
      const stretch = await first;
      begun = true;
      complete = await this.#transmit(contextId, request, stretch, reader);
    } catch (error) {
      if (begun) this.#association.abort('the file failed while it was sent');
      return this.#failed(instance, failureOf(error));
    }
    if (!complete) return this.#failed(instance, this.failure);
    const answer = await response(this.#association, request, this.#peer);
    if (answer === undefined) return this.#failed(instance, this.#unanswered());
    return this.#outcome(instance, answer.command);
  }

  /** True once the last byte has been handed to the connection. */
  async #transmit(
    contextId: number,
    request: Command,
    first: Stretch,
    reader: InstanceReader,
  ): Promise<boolean> {
    if (!(await this.#association.send(contextId, request))) return false;
    let stretch = first;
    for (;;) {
      const sent = this.#association.sendData(contextId, stretch.data, stretch.last);
      if (stretch.last) {
        // it may all have left before the association ended
        await sent;
        return true;
      }
      const [goesOn, following] = await Promise.all([sent, reader.next()]);
      if (!goesOn) return false;
      stretch = following;
    }
  }

  #outcome(instance: Instance, { status = 0, affectedSopInstanceUid, errorComment }: Command): StoreOutcome {
    const { category, meaning, transient: passes } = describeStatus('C-STORE', status);
    if (affectedSopInstanceUid !== undefined && affectedSopInstanceUid !== instance.sopInstanceUid) {
      const message = `${nameOf(this.#peer)} answered for another instance; whether it has this one is not known.`;
      return this.#failed(instance, ambiguous('RESPONSE_MISMATCH', message), status);
    }
    const known = { id: instance.item.id, sopInstanceUid: instance.sopInstanceUid, status };
    if (category === 'success') return { ...known, result: 'sent' };
    if (category === 'warning') return { ...known, result: 'warning', meaning };
    const comment = errorComment === undefined ? '' : ` (${errorComment})`;
    const message = `${nameOf(this.#peer)} refused the instance: ${meaning}${comment} (status ${hex(status)}).`;
    return this.#failed(instance, (passes ? transient : permanent)('STORE_REFUSED', message), status);
  }

  /** The instance was sent whole and nothing came back. */
  #unanswered(): Failure {
    const message = `${nameOf(this.#peer)} may or may not have the instance: ${endingOf(this.#association)}.`;
    return ambiguous('NO_RESPONSE', message);
  }

  #notNegotiated({ sopClassUid, transferSyntax }: Instance, why: string): Failure {
    return permanent(
      'NOT_NEGOTIATED',
      `${nameOf(this.#peer)} does not take SOP class ${sopClassUid} in transfer syntax ${transferSyntax}: ${why}.`,
    );
  }

  #failed(instance: Instance, failure: Failure, status?: number): StoreOutcome {
    const { item, sopInstanceUid } = instance;
    return {
      id: item.id,
      sopInstanceUid,
      ...(status === undefined ? {} : { status }),
      result: 'failed',
      failure,
    };
  }
}
