/** Bytes to PDUs (PS3.8 9.3). Every length is checked against what is there; unknown items are skipped (9.3.1). */
import { defined } from '@scanflow/failure/defined';
import {
  ABORT,
  PduError,
  type AnsweredContext,
  type AssociateAc,
  type AssociateRq,
  type ContextResult,
  type Pdu,
  type Pdv,
  type ProposedContext,
  type RoleSelection,
  type UserInformation,
} from './pdu.ts';

/** Decodes the variable field of one PDU; throws PduError. P-DATA values are views into `body`. */
export function decodePdu(type: number, body: Uint8Array): Pdu {
  const cursor = new Cursor(body);
  switch (type) {
    case 0x01:
      return { type: 'associate-rq', ...associate(cursor, 0x20, proposed) };
    case 0x02:
      return { type: 'associate-ac', ...associate(cursor, 0x21, answered) };
    case 0x03:
      cursor.skip(1);
      return { type: 'associate-rj', result: cursor.u8(), source: cursor.u8(), reason: cursor.u8() };
    case 0x04:
      return { type: 'p-data', values: presentationValues(cursor) };
    case 0x05:
    case 0x06:
      cursor.skip(4);
      return { type: type === 0x05 ? 'release-rq' : 'release-rp' };
    case 0x07:
      cursor.skip(2);
      return { type: 'abort', source: cursor.u8(), reason: cursor.u8() };
    default:
      throw new PduError(ABORT.unrecognizedPdu, `no PDU type: ${type}`);
  }
}

function associate<Context extends { readonly id: number }>(
  cursor: Cursor,
  contextType: number,
  readContext: (item: Cursor) => Context,
): Omit<AssociateRq, 'contexts' | 'type'> & { contexts: Context[] } & Omit<AssociateAc, 'contexts' | 'type'> {
  const protocolVersion = cursor.u16();
  cursor.skip(2);
  const calledAet = cursor.text(16);
  const callingAet = cursor.text(16);
  cursor.skip(32);
  const contexts = new Map<number, Context>();
  let applicationContext = '';
  let user = decodeUser(new Cursor(new Uint8Array(0)));
  while (cursor.left > 0) {
    const [type, item] = readItem(cursor);
    if (type === 0x10) applicationContext = item.text(item.left);
    else if (type === 0x50) user = decodeUser(item);
    else if (type === contextType) addContext(contexts, readContext(item));
  }
  return {
    protocolVersion,
    calledAet,
    callingAet,
    applicationContext,
    contexts: [...contexts.values()],
    user,
  };
}

/** Ids are odd and used once (PS3.8 9.3.2.2); in which order they come does not matter. */
function addContext<Context extends { readonly id: number }>(
  contexts: Map<number, Context>,
  context: Context,
): void {
  if (context.id % 2 === 0 || contexts.has(context.id)) {
    throw new PduError(ABORT.invalidParameter, `presentation context id ${context.id} is even or used twice`);
  }
  contexts.set(context.id, context);
}

function readItem(cursor: Cursor): [type: number, item: Cursor] {
  const type = cursor.u8();
  cursor.skip(1);
  return [type, cursor.sub(cursor.u16())];
}

function proposed(cursor: Cursor): ProposedContext {
  const id = cursor.u8();
  cursor.skip(3);
  let abstractSyntax = '';
  const transferSyntaxes: string[] = [];
  while (cursor.left > 0) {
    const [type, item] = readItem(cursor);
    if (type === 0x30) abstractSyntax = item.text(item.left);
    else if (type === 0x40) transferSyntaxes.push(item.text(item.left));
  }
  return { id, abstractSyntax, transferSyntaxes };
}

function answered(cursor: Cursor): AnsweredContext {
  const id = cursor.u8();
  cursor.skip(1);
  const result = cursor.u8();
  cursor.skip(1);
  let transferSyntax = '';
  while (cursor.left > 0) {
    const [type, item] = readItem(cursor);
    if (type === 0x40) transferSyntax = item.text(item.left);
  }
  if (!isContextResult(result)) throw new PduError(ABORT.invalidParameter, `no context result: ${result}`);
  return { id, result, transferSyntax: result === 0 ? transferSyntax : '' };
}

const isContextResult = (value: number): value is ContextResult => value <= 4;

/** One or more presentation data value items (PS3.8 9.3.5.1). */
function presentationValues(cursor: Cursor): Pdv[] {
  const values: Pdv[] = [];
  do {
    const item = cursor.sub(cursor.u32());
    const contextId = item.u8();
    const control = item.u8();
    values.push({
      contextId,
      command: (control & 1) !== 0,
      last: (control & 2) !== 0,
      data: item.bytes(item.left),
    });
  } while (cursor.left > 0);
  return values;
}

/** What is assumed of a peer that leaves the mandatory maximum length out: the least that everyone takes. */
const UNSTATED_MAXIMUM_LENGTH = 16_384;

/**
 * Reads the user information item's sub-items (PS3.8 D.1, PS3.7 D.3.3). Extended negotiation (0x56, 0x57), user identity (0x58) and unknown ones are skipped, with
 * their lengths checked: not answering them means that they are not agreed upon (PS3.7 D.3.3.5 to 7).
 */
function decodeUser(cursor: Cursor): UserInformation {
  let maximumLength = UNSTATED_MAXIMUM_LENGTH;
  let implementationClassUid = '';
  const optional: {
    implementationVersionName?: string;
    asyncOperations?: UserInformation['asyncOperations'];
  } = {};
  const roles: RoleSelection[] = [];
  while (cursor.left > 0) {
    const [type, item] = readItem(cursor);
    if (type === 0x51) maximumLength = item.u32();
    else if (type === 0x52) implementationClassUid = item.text(item.left);
    else if (type === 0x53) optional.asyncOperations = { invoked: item.u16(), performed: item.u16() };
    else if (type === 0x54) roles.push(role(item));
    else if (type === 0x55) optional.implementationVersionName = item.text(item.left);
  }
  const { implementationVersionName, asyncOperations } = optional;
  return {
    maximumLength,
    implementationClassUid,
    roles,
    ...defined({ implementationVersionName, asyncOperations }),
  };
}

function role(item: Cursor): RoleSelection {
  const sopClassUid = item.text(item.u16());
  return { sopClassUid, scu: item.u8() === 1, scp: item.u8() === 1 };
}

/** A reader over bytes in which no length is believed before it has been compared with what is there. */
class Cursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Bytes not read yet. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  skip(count: number): void {
    this.#take(count);
  }

  /** A view, not a copy. */
  bytes(count: number): Uint8Array {
    const at = this.#take(count);
    return this.#bytes.subarray(at, at + count);
  }

  sub(count: number): Cursor {
    return new Cursor(this.bytes(count));
  }

  /** ISO 646 text without the padding of AE titles (spaces) and UIDs (NUL): PS3.8 9.3.2, F. */
  text(count: number): string {
    const bytes = this.bytes(count);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      .toString('latin1')
      .replace(/[\0 ]+$/, '')
      .replace(/^ +/, '');
  }

  #take(count: number): number {
    if (count > this.left) {
      throw new PduError(ABORT.invalidParameter, `a length of ${count} where ${this.left} bytes are left`);
    }
    const at = this.#at;
    this.#at += count;
    return at;
  }
}
