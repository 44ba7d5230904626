/** Puts fragments back together into messages (PS3.7 6.3, PS3.8 E.1), within limits. Pure. */
import { Collector } from '../ul/collector.ts';
import { ABORT, PduError, type Pdv } from '../ul/pdu.ts';
import { ANY_ROOM, type Room } from '../ul/room.ts';
import { CommandError, decodeCommand, NO_DATA_SET, type Command } from './command.ts';

export interface Message {
  readonly contextId: number;
  readonly command: Command;
  /** The data set as it came, in the context's transfer syntax. */
  readonly dataSet?: Uint8Array;
  /** The room that the data set takes up, until whoever takes the message gives it back. */
  readonly held: number;
}

export interface MessageLimits {
  readonly commandBytes: number;
  readonly dataSetBytes: number;
}

export class Assembler {
  readonly #limits: MessageLimits;
  readonly #isAccepted: (contextId: number) => boolean;
  readonly #room: Room;
  readonly #bytes: Collector;
  #contextId: number | undefined;
  #command: Command | undefined;

  constructor(limits: MessageLimits, isAccepted: (contextId: number) => boolean, room: Room = ANY_ROOM) {
    this.#limits = limits;
    this.#isAccepted = isAccepted;
    this.#room = room;
    this.#bytes = new Collector(room);
  }

  /** True within a message. */
  get begun(): boolean {
    return this.#contextId !== undefined;
  }

  /** Takes a fragment; gives the message that it completes. Throws PduError or CommandError: the association ends. */
  push(value: Pdv): Message | undefined {
    this.#check(value);
    this.#contextId = value.contextId;
    this.#bytes.push(value.data);
    if (!value.last) return undefined;
    const { bytes, held } = this.#bytes.take();
    if (!value.command) return this.#complete(bytes, held);
    this.#room.give(held);
    const command = decodeCommand(bytes);
    if (command.commandField >= 0x8000 || command.commandField === 0x0fff) {
      if (command.messageIdBeingRespondedTo === undefined) throw new CommandError('a response to no message');
    } else if (command.messageId === undefined) throw new CommandError('a request without a message id');
    this.#command = command;
    return command.dataSetType === NO_DATA_SET ? this.#complete(undefined, 0) : undefined;
  }

  #check({ contextId, command, data }: Pdv): void {
    if (!this.#isAccepted(contextId)) {
      throw new PduError(ABORT.invalidParameter, `presentation context ${contextId} was not accepted`);
    }
    if (this.#contextId !== undefined && this.#contextId !== contextId) {
      throw new PduError(ABORT.unexpectedParameter, 'fragments of two messages are mixed');
    }
    if (command === (this.#command !== undefined)) {
      throw new PduError(ABORT.unexpectedParameter, 'command and data set are out of order');
    }
    const limit = command ? this.#limits.commandBytes : this.#limits.dataSetBytes;
    if (this.#bytes.length + data.length > limit) {
      throw new PduError(
        ABORT.notSpecified,
        `a ${command ? 'command' : 'data set'} of more than ${limit} bytes`,
      );
    }
  }

  #complete(dataSet: Uint8Array | undefined, held: number): Message {
    const contextId = this.#contextId;
    const command = this.#command;
    if (contextId === undefined || command === undefined) throw new Error('assembler: no message has begun');
    this.#contextId = undefined;
    this.#command = undefined;
    return { contextId, command, held, ...(dataSet === undefined ? {} : { dataSet }) };
  }
}
