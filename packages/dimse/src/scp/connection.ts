/** One connection to our SCP, from its first byte to its close. */
import type { Socket } from 'node:net';
import { sopClasses } from '@scanflow/dicom';
import type { Rejection } from '../access.ts';
import { Association, endingOf } from '../association.ts';
import {
  safe,
  type AssociationInfo,
  type RequestReport,
  type ScpLimits,
  type ScpOptions,
  type StoreReceipt,
} from './types.ts';
import { type Message, COMMAND, RESPONSE, type Command } from '../message.ts';
import { messageIds } from '../scu/response.ts';
import { certificateOf } from '../tls/acceptor.ts';
import type { Context } from '../ul/negotiation.ts';
import type { AssociateAc, AssociateRj, AssociateRq } from '../ul/pdu.ts';
import {
  acceptance,
  protocolRejection,
  serviceRejection,
  echoService,
  offered,
  refusal,
} from './admission.ts';
import type { Account, Turns } from './fairness.ts';
import { LATE, STATUS, type Call, type Service } from './call.ts';
import { storeService } from './composite.ts';

type Operation = RequestReport['operation'];

const NO_ROLE =
  'the peer has to select the role of the SCP (PS3.7 D.3.3.4): without, it could send no N-EVENT-REPORT';

interface Setup {
  /** Counts up from 1 per listen(). */
  readonly id: number;
  /** Of the peer: behind a proxy, the one that it named. */
  readonly address: string;
  readonly options: ScpOptions;
  readonly limits: ScpLimits;
  /** For what the peer sends; the connection closes it. */
  readonly room: Account;
  /** Shared by all connections. */
  readonly turns: Turns;
}

export class Connection {
  readonly address: string;
  readonly #options: ScpOptions;
  readonly #limits: ScpLimits;
  readonly #room: Account;
  readonly #turns: Turns;
  readonly #association: Association;
  readonly #active = new Map<number, AbortController>();
  /** Requests of ours that wait for their response. */
  readonly #asked = new Map<number, (response: Message | undefined) => void>();
  readonly #nextId = messageIds();
  #info: AssociationInfo;
  #silent = true;
  #closing = false;
  #waiting = 0;
  #work: Promise<void> = Promise.resolve();
  #idle: NodeJS.Timeout | undefined;
  #idleSince: number | undefined;

  constructor(socket: Socket, { id, address, options, limits, room, turns }: Setup) {
    this.address = address;
    const certificate = certificateOf(socket);
    const who = { calledAet: '', callingAet: '', address: this.address, id };
    this.#info = certificate === undefined ? who : { ...who, certificate };
    this.#options = options;
    this.#limits = limits;
    this.#room = room;
    this.#turns = turns;
    this.#association = new Association(socket, {
      role: 'acceptor',
      limits: { ...limits, dataBytes: limits.pduBytes },
      room,
      artimMs: limits.artimMs,
      stallMs: limits.stallMs,
      unacceptable: (request) => this.#refuse(request, protocolRejection(request)),
      answer: (request) => this.#answer(request),
      receiptFor: (contextId, command, onRoom) => this.#receiptFor(contextId, command, onRoom),
      onData: () => this.#alive(),
    });
    socket.setTimeout(limits.stalledMs, () => this.#stalled());
  }

  get silent(): boolean {
    return this.#silent;
  }

  get idleSince(): number | undefined {
    return this.#idleSince;
  }

  get unfinishedSince(): number | undefined {
    if (this.#waiting > 0) return undefined;
    return this.#room.heldSince ?? (this.#association.owed ? this.#idleSince : undefined);
  }

  evict(): void {
    if (!this.#silent) this.#association.abort('others need the room', { source: 2 });
    this.#association.destroy();
  }

  /** Serves the connection until it is gone; never rejects. */
  async run(): Promise<void> {
    if (await this.#association.established) {
      this.#touch();
      for (;;) {
        const message = await this.#association.receive();
        if (message === undefined) break;
        this.#take(message);
      }
    }
    // over: the connection only waits for the peer to close it
    this.#silent = true;
    const how = endingOf(this.#association);
    clearTimeout(this.#idle);
    for (const controller of this.#active.values()) controller.abort();
    for (const answered of this.#asked.values()) answered(undefined);
    this.#options.log.debug('association.ended', { ...this.#info, how });
    this.#options.events?.ended?.(this.#info, how);
    await this.#association.disconnected;
    // what a handler still works on is held until it ends
    void this.#work.then(() => this.#room.close());
  }

  /** Lets running requests finish, for at most `ms` milliseconds, then ends the association. */
  async close(ms: number): Promise<void> {
    this.#closing = true;
    const stop = this.#association.endAfter(this.#active.size > 0 ? ms : 0, 'the service stops');
    await Promise.race([
      this.#work.then(() => this.#association.abort('the service stops')),
      this.#association.ended,
    ]);
    stop();
  }

  #answer(request: AssociateRq): AssociateAc | AssociateRj {
    const { calledAet, callingAet } = request;
    this.#info = { ...this.#info, calledAet, callingAet };
    const { admit, log, events } = this.#options;
    const refusal = this.#refuse(request, serviceRejection(admit, this.#info, log));
    if (refusal !== undefined) return refusal;
    this.#silent = false;
    log.info('association.accepted', this.#info);
    events?.accepted?.(this.#info);
    const answer = acceptance(request, this.#options, this.#limits.pduBytes);
    const unselected = answer.contexts.filter(({ result }) => result === 1).length;
    if (unselected > 0)
      log.warn('association.role-not-selected', { ...this.#info, contexts: unselected, why: NO_ROLE });
    return answer;
  }

  #refuse({ calledAet, callingAet }: AssociateRq, rejection: Rejection | undefined): AssociateRj | undefined {
    if (rejection === undefined) return undefined;
    const { result, source, reason, why } = rejection;
    this.#info = { ...this.#info, calledAet, callingAet };
    this.#options.log.warn('association.rejected', { ...this.#info, result, source, reason, why });
    this.#options.events?.rejected?.(this.#info, rejection);
    return { type: 'associate-rj', result, source, reason };
  }

  /** Requests are answered one after the other: we grant no asynchronous window (PS3.7 D.3.3.3). */
  #take(message: Message): void {
    const { command } = message;
    if (command.commandField === COMMAND.cancelRq) {
      this.#association.done(message);
      this.#active.get(command.messageIdBeingRespondedTo ?? 0)?.abort();
      return;
    }
    if (this.#answered(message)) return;
    if (command.commandField >= RESPONSE || this.#waiting >= this.#limits.waitingRequests || this.#closing) {
      message.receipt?.abandon();
      this.#association.abort('a response to nothing, or too many requests at a time');
      return;
    }
    this.#waiting += 1;
    this.#idleSince = undefined;
    clearTimeout(this.#idle);
    const id = command.messageId ?? 0;
    const duplicate = this.#active.has(id);
    const controller = new AbortController();
    if (!duplicate) this.#active.set(id, controller);
    this.#work = this.#work.then(async () => {
      await this.#handle(message, controller, duplicate);
      this.#association.done(message);
      message.receipt?.abandon();
      if (!duplicate) this.#active.delete(id);
      this.#waiting -= 1;
      this.#touch();
    });
  }

  async #handle(message: Message, controller: AbortController, duplicate: boolean): Promise<void> {
    const start = performance.now();
    const turn = this.#turns.of(`${this.#info.callingAet} ${this.address}`);
    await turn.next();
    const context = this.#association.context(message.contextId);
    if (context === undefined || this.#association.ending !== undefined) return;
    const call: Call = {
      association: this.#association,
      info: this.#info,
      message,
      context,
      options: this.#options,
      signal: controller.signal,
      turn,
      ask: (command, dataSet) => this.#ask(message.contextId, command, dataSet),
      nextId: this.#nextId,
      giveUp: () => controller.abort(LATE),
      handlerMs: this.#limits.handlerMs,
      identifierBytes: this.#limits.identifierBytes,
    };
    const [operation, service] = duplicate ? refusal(STATUS.duplicateInvocation) : this.#serviceFor(call);
    try {
      const report = await service(call);
      const ms = performance.now() - start;
      this.#options.events?.request?.(this.#info, {
        operation,
        sopClass: context.abstractSyntax,
        ms,
        ...report,
      });
    } catch (error) {
      this.#options.log.error('request.failed', { ...this.#info, operation, ...safe(error) });
      this.#association.abort('a mistake of ours');
    }
  }

  #serviceFor({ message, context }: Call): [Operation, Service] {
    const { commandField, affectedSopClassUid, requestedSopClassUid } = message.command;
    const isVerification = context.abstractSyntax === sopClasses.verification;
    if (this.#storesOn(context, commandField)) return ['C-STORE', storeService];
    if ((affectedSopClassUid ?? requestedSopClassUid) !== context.abstractSyntax) {
      return refusal(STATUS.sopClassNotSupported);
    }
    if (commandField === COMMAND.echoRq && isVerification) return ['C-ECHO', echoService];
    const served = this.#options.contexts.find(
      ({ abstractSyntax }) => abstractSyntax === context.abstractSyntax,
    );
    const [name, service] = offered(commandField, this.#options) ?? [];
    const allowed = name !== undefined && (served?.operations?.includes(name) ?? !isVerification);
    return allowed && service !== undefined ? [name, service] : refusal(STATUS.unrecognizedOperation);
  }

  /** Whether it is a C-STORE that we take; of which class it is, its data set has to say. */
  #storesOn({ abstractSyntax }: Context, commandField: number): boolean {
    const { onStore, contexts } = this.#options;
    const isStorage =
      abstractSyntax !== sopClasses.verification &&
      !contexts.some((served) => served.abstractSyntax === abstractSyntax);
    return onStore !== undefined && commandField === COMMAND.storeRq && isStorage;
  }

  #receiptFor(contextId: number, command: Command, onRoom: () => void): StoreReceipt | undefined {
    const context = this.#association.context(contextId);
    if (context === undefined || !this.#storesOn(context, command.commandField)) return undefined;
    const request = {
      association: this.#info,
      sopClassUid: command.affectedSopClassUid ?? context.abstractSyntax,
      sopInstanceUid: command.affectedSopInstanceUid ?? '',
      transferSyntax: context.transferSyntax,
    };
    return this.#options.onStore?.(request, onRoom);
  }

  /** Whether it is the response to a request of ours. */
  #answered(message: Message): boolean {
    const { commandField, messageIdBeingRespondedTo = 0 } = message.command;
    const answered = this.#asked.get(messageIdBeingRespondedTo);
    if (commandField !== (COMMAND.eventReportRq | RESPONSE) || answered === undefined) return false;
    this.#association.done(message);
    answered(message);
    return true;
  }

  async #ask(
    contextId: number,
    command: Command & { readonly messageId: number },
    dataSet: Uint8Array,
  ): Promise<Message | undefined> {
    const { promise, resolve } = Promise.withResolvers<Message | undefined>();
    this.#asked.set(command.messageId, resolve);
    const timer = setTimeout(() => resolve(undefined), this.#limits.handlerMs);
    try {
      return (await this.#association.send(contextId, command, dataSet)) ? await promise : undefined;
    } finally {
      clearTimeout(timer);
      this.#asked.delete(command.messageId);
      this.#touch();
    }
  }

  /** Nothing went either way for a while. */
  #stalled(): void {
    if (this.unfinishedSince === undefined) return;
    this.#association.abort(`an unfinished message for ${this.#limits.stalledMs} ms`, { source: 2 });
  }

  /** A peer that sends a message slowly is not idle. */
  #alive(): void {
    if (this.#idleSince === undefined) return;
    this.#idleSince = performance.now();
    this.#idle?.refresh();
  }

  #touch(): void {
    clearTimeout(this.#idle);
    if (this.#waiting > 0 || this.#association.ending !== undefined) return;
    const { idleMs } = this.#limits;
    this.#idleSince = performance.now();
    this.#idle = setTimeout(
      () => this.#association.abort(`no request for ${idleMs} ms`, { source: 2 }),
      idleMs,
    );
  }
}
