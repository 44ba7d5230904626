/** DIMSE messages (PS3.7 6.3): command sets, and fragments put back together into messages. */
import { defined } from '@scanflow/failure/defined';
import { ABORT, PduError, type Pdv } from './ul/pdu.ts';
import { Collector, ANY_ROOM, type Room } from './ul/reader.ts';

/** Element number, and how the value is encoded, of each command element in use (PS3.7 E.1). */
const FIELDS = {
  affectedSopClassUid: [0x0002, 'UI'],
  requestedSopClassUid: [0x0003, 'UI'],
  commandField: [0x0100, 'US'],
  messageId: [0x0110, 'US'],
  messageIdBeingRespondedTo: [0x0120, 'US'],
  moveDestination: [0x0600, 'AE'],
  priority: [0x0700, 'US'],
  dataSetType: [0x0800, 'US'],
  status: [0x0900, 'US'],
  offendingElement: [0x0901, 'AT'],
  errorComment: [0x0902, 'LO'],
  errorId: [0x0903, 'US'],
  affectedSopInstanceUid: [0x1000, 'UI'],
  requestedSopInstanceUid: [0x1001, 'UI'],
  eventTypeId: [0x1002, 'US'],
  attributeIdentifierList: [0x1005, 'AT'],
  actionTypeId: [0x1008, 'US'],
  remainingSubOperations: [0x1020, 'US'],
  completedSubOperations: [0x1021, 'US'],
  failedSubOperations: [0x1022, 'US'],
  warningSubOperations: [0x1023, 'US'],
  moveOriginatorAet: [0x1030, 'AE'],
  moveOriginatorMessageId: [0x1031, 'US'],
} as const;

type Fields = typeof FIELDS;
type FieldName = keyof Fields;
interface ValueOf {
  UI: string;
  AE: string;
  LO: string;
  US: number;
  /** Tags as 0xggggeeee. */
  AT: readonly number[];
}

/** A command set; commandField and dataSetType are in every one. */
export type Command = { readonly [Name in FieldName]?: ValueOf[Fields[Name][1]] } & {
  readonly commandField: number;
  readonly dataSetType: number;
};

/** PS3.7 E.1-1, command field. A response is its request's with the top bit set. */
export const COMMAND = {
  storeRq: 0x0001,
  getRq: 0x0010,
  findRq: 0x0020,
  moveRq: 0x0021,
  echoRq: 0x0030,
  eventReportRq: 0x0100,
  getAttributesRq: 0x0110,
  setRq: 0x0120,
  actionRq: 0x0130,
  createRq: 0x0140,
  deleteRq: 0x0150,
  cancelRq: 0x0fff,
} as const;
export const RESPONSE = 0x8000;
/** Data set type: no data set follows (PS3.7 E.1-1); every other value says that one does. */
export const NO_DATA_SET = 0x0101;
export const DATA_SET = 0x0102;

/** `A700`: statuses as the standard prints them. */
export const hex = (status: number): string => status.toString(16).toUpperCase().padStart(4, '0');

export class CommandError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CommandError';
  }
}

const ENTRIES = (Object.keys(FIELDS) as FieldName[])
  .map((name) => ({ name, element: FIELDS[name][0], vr: FIELDS[name][1] }))
  .sort((a, b) => a.element - b.element);
const BY_ELEMENT = new Map(ENTRIES.map((entry) => [entry.element as number, entry]));

/** Encodes with the group length first and the elements in order (PS3.7 6.3.1). */
export function encodeCommand(command: Command): Buffer {
  let length = 0;
  for (const { name } of ENTRIES) {
    const value = command[name];
    if (value !== undefined) length += HEAD + lengthOf(value);
  }
  // one buffer: a response has a command, and a query may have ten thousand responses
  const bytes = Buffer.allocUnsafe(HEAD + 4 + length);
  let at = writeHead(bytes, 0, 0x0000, 4);
  at = bytes.writeUInt32LE(length, at);
  for (const { name, element, vr } of ENTRIES) {
    const value = command[name];
    if (value === undefined) continue;
    const valueLength = lengthOf(value);
    at = writeHead(bytes, at, element, valueLength);
    writeValue(bytes, at, value, vr === 'UI' ? 0 : 0x20);
    at += valueLength;
  }
  return bytes;
}

/** Tag and length. */
const HEAD = 8;

function writeHead(bytes: Buffer, at: number, element: number, length: number): number {
  bytes.writeUInt16LE(0x0000, at);
  bytes.writeUInt16LE(element, at + 2);
  return bytes.writeUInt32LE(length, at + 4);
}

type Value = string | number | readonly number[];

/** Even, as every length is (PS3.5 7.1.1). */
function lengthOf(value: Value): number {
  if (typeof value === 'string') return value.length + (value.length % 2);
  return typeof value === 'number' ? 2 : 4 * value.length;
}

function writeValue(bytes: Buffer, at: number, value: Value, pad: number): void {
  if (typeof value === 'string') {
    bytes.write(value, at, 'latin1');
    if (value.length % 2 === 1) bytes[at + value.length] = pad;
  } else if (typeof value === 'number') bytes.writeUInt16LE(value, at);
  else
    value.forEach((tag, index) => {
      bytes.writeUInt16LE(tag >>> 16, at + 4 * index);
      bytes.writeUInt16LE(tag & 0xffff, at + 4 * index + 2);
    });
}

/**
 * Decodes; throws CommandError. Elements of group 0000 that we do not use are skipped, empty ones count as absent;
 * another group, a repeated element or a length beyond the end is an error.
 */
export function decodeCommand(bytes: Uint8Array): Command {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values: Record<string, string | number | number[]> = {};
  const seen = new Set<number>();
  let at = 0;
  while (at < bytes.length) {
    if (bytes.length - at < 8) throw new CommandError(`the command set ends within an element at ${at}`);
    const group = view.getUint16(at, true);
    const element = view.getUint16(at + 2, true);
    const length = view.getUint32(at + 4, true);
    at += 8;
    if (group !== 0 || seen.has(element))
      throw new CommandError(`unexpected or repeated element at ${at - 8}`);
    if (length > bytes.length - at) throw new CommandError(`length ${length} at ${at - 4} is beyond the end`);
    seen.add(element);
    const entry = BY_ELEMENT.get(element);
    if (entry !== undefined && length > 0) {
      values[entry.name] = decodeValue(view, at, length, entry.vr);
    }
    at += length;
  }
  if (!isCommand(values)) throw new CommandError('command field or data set type is missing');
  return values;
}

function decodeValue(
  view: DataView,
  at: number,
  length: number,
  vr: keyof ValueOf,
): string | number | number[] {
  if (vr === 'US') {
    if (length !== 2) throw new CommandError(`a number of ${length} bytes`);
    return view.getUint16(at, true);
  }
  if (vr === 'AT') {
    if (length % 4 !== 0) throw new CommandError(`a list of tags of ${length} bytes`);
    return Array.from(
      { length: length / 4 },
      (_, index) => view.getUint16(at + 4 * index, true) * 0x10000 + view.getUint16(at + 4 * index + 2, true),
    );
  }
  let [start, end] = [at, at + length];
  while (end > start && isPadding(view.getUint8(end - 1))) end -= 1;
  while (start < end && view.getUint8(start) === SPACE) start += 1;
  return Buffer.from(view.buffer, view.byteOffset + start, end - start).toString('latin1');
}

const SPACE = 0x20;
const isPadding = (byte: number): boolean => byte === SPACE || byte === 0;

function isCommand(
  values: Record<string, string | number | number[]>,
): values is Record<string, never> & Command {
  return typeof values['commandField'] === 'number' && typeof values['dataSetType'] === 'number';
}

// Puts fragments back together into messages (PS3.7 6.3, PS3.8 E.1), within limits. Pure.

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
