/** Puts fragments back together into messages (PS3.7 6.3, PS3.8 E.1), within limits. Pure. */
import { defined } from '@scanflow/failure/defined';
import { ABORT, PduError, type Pdv } from '../ul/pdu.ts';
import { Collector, ANY_ROOM, type Room } from '../ul/reader.ts';
import { CommandError, decodeCommand, NO_DATA_SET, type Command } from './command.ts';

/** Where a data set goes while it arrives: for those that are too large for memory, or that others may push out of it. */
export interface Receipt {
  /** Takes bytes, and copies them: they change afterwards. False: nothing more is read from the peer until `onRoom`. */
  write(bytes: Uint8Array): boolean;
  /** The data set never became whole, or nobody handles it: everything that it holds is let go. */
  abandon(): void;
}

export interface Message {
  readonly contextId: number;
  readonly command: Command;
  /** The data set as it came, in the context's transfer syntax. */
  readonly dataSet?: Uint8Array;
  /** The room that the data set takes up, until whoever takes the message gives it back. */
  readonly held: number;
  /** Where the data set went instead. */
  readonly receipt?: Receipt;
}

export interface MessageLimits {
  readonly commandBytes: number;
  readonly dataSetBytes: number;
}

interface AssemblerOptions {
  /** For what is gathered in memory; default: as much as the limits allow. */
  readonly room?: Room;
  /** Asked for each command that a data set follows; undefined: it is gathered in memory. */
  readonly receiptFor?: (contextId: number, command: Command) => Receipt | undefined;
}

export class Assembler {
  readonly #limits: MessageLimits;
  readonly #isAccepted: (contextId: number) => boolean;
  readonly #room: Room;
  readonly #receiptFor: NonNullable<AssemblerOptions['receiptFor']>;
  readonly #bytes: Collector;
  #contextId: number | undefined;
  #command: Command | undefined;
  #receipt: Receipt | undefined;
  #roomy = true;

  constructor(
    limits: MessageLimits,
    isAccepted: (contextId: number) => boolean,
    { room = ANY_ROOM, receiptFor = () => undefined }: AssemblerOptions = {},
  ) {
    this.#limits = limits;
    this.#isAccepted = isAccepted;
    this.#receiptFor = receiptFor;
    this.#room = room;
    this.#bytes = new Collector(room);
  }

  /** False: the receipt of the data set that arrives takes no more for now. */
  get roomy(): boolean {
    return this.#roomy;
  }

  /** Lets go of a data set that will never be whole. */
  abandon(): void {
    this.#receipt?.abandon();
    this.#receipt = undefined;
  }

  /** True while a data set arrives at its receipt. */
  get receiving(): boolean {
    return this.#receipt !== undefined;
  }

  /** True within a message. */
  get begun(): boolean {
    return this.#contextId !== undefined;
  }

  /** Takes a fragment; gives the message that it completes. Throws PduError or CommandError: the association ends. */
  push(value: Pdv): Message | undefined {
    this.#check(value);
    this.#contextId = value.contextId;
    if (this.#receipt === undefined) this.#bytes.push(value.data);
    else this.#roomy = this.#receipt.write(value.data);
    if (!value.last) return undefined;
    if (this.#receipt !== undefined) return this.#complete(undefined, 0);
    const { bytes, held } = this.#bytes.take();
    if (!value.command) return this.#complete(bytes, held);
    this.#room.give(held);
    const command = decodeCommand(bytes);
    if (command.commandField >= 0x8000 || command.commandField === 0x0fff) {
      if (command.messageIdBeingRespondedTo === undefined) throw new CommandError('a response to no message');
    } else if (command.messageId === undefined) throw new CommandError('a request without a message id');
    this.#command = command;
    if (command.dataSetType === NO_DATA_SET) return this.#complete(undefined, 0);
    this.#receipt = this.#receiptFor(value.contextId, command);
    return undefined;
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
    if (this.#receipt === undefined && this.#bytes.length + data.length > limit) {
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
    const receipt = this.#receipt;
    this.#command = undefined;
    this.#receipt = undefined;
    this.#roomy = true;
    return {
      contextId,
      command,
      held,
      ...defined({ dataSet, receipt }),
    };
  }
}
