/** PDUs to bytes (PS3.8 9.3). */
import type { Abort, AssociateAc, AssociateRj, AssociateRq, Release, UserInformation } from './pdu.ts';

export type ControlPdu = AssociateRq | AssociateAc | AssociateRj | Release | Abort;

/** Throws a RangeError where a text does not fit its field (AE titles: 16 characters). */
export function encodePdu(pdu: ControlPdu): Buffer {
  switch (pdu.type) {
    case 'associate-rq':
      return associate(0x01, pdu, pdu.contexts.map(proposed));
    case 'associate-ac':
      return associate(0x02, pdu, pdu.contexts.map(answered));
    case 'associate-rj':
      return frame(0x03, [Buffer.from([0, pdu.result, pdu.source, pdu.reason])]);
    case 'release-rq':
      return frame(0x05, [Buffer.alloc(4)]);
    case 'release-rp':
      return frame(0x06, [Buffer.alloc(4)]);
    case 'abort':
      return frame(0x07, [Buffer.from([0, 0, pdu.source, pdu.reason])]);
  }
}

function frame(type: number, parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(6);
  head.writeUInt8(type, 0);
  head.writeUInt32BE(body.length, 2);
  return Buffer.concat([head, body]);
}

function item(type: number, parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(4);
  head.writeUInt8(type, 0);
  head.writeUInt16BE(body.length, 2);
  return Buffer.concat([head, body]);
}

const ascii = (value: string): Buffer => Buffer.from(value, 'latin1');

function associate(type: number, pdu: AssociateRq | AssociateAc, contexts: readonly Buffer[]): Buffer {
  const fixed = Buffer.alloc(68);
  fixed.writeUInt16BE(pdu.protocolVersion, 0);
  aeTitle(pdu.calledAet).copy(fixed, 4);
  aeTitle(pdu.callingAet).copy(fixed, 20);
  return frame(type, [
    fixed,
    item(0x10, [ascii(pdu.applicationContext)]),
    ...contexts,
    item(0x50, userItems(pdu.user)),
  ]);
}

function aeTitle(title: string): Buffer {
  if (title.length > 16) throw new RangeError('an AE title has at most 16 characters');
  return ascii(title.padEnd(16, ' '));
}

function proposed(context: AssociateRq['contexts'][number]): Buffer {
  const syntaxes = context.transferSyntaxes.map((uid) => item(0x40, [ascii(uid)]));
  return item(0x20, [
    Buffer.from([context.id, 0, 0, 0]),
    item(0x30, [ascii(context.abstractSyntax)]),
    ...syntaxes,
  ]);
}

function answered(context: AssociateAc['contexts'][number]): Buffer {
  return item(0x21, [
    Buffer.from([context.id, 0, context.result, 0]),
    item(0x40, [ascii(context.transferSyntax)]),
  ]);
}

/** In ascending order of item type, as PS3.7 D.3.3 lists them. */
function userItems(user: UserInformation): Buffer[] {
  const maximum = Buffer.alloc(4);
  maximum.writeUInt32BE(user.maximumLength, 0);
  const items = [item(0x51, [maximum]), item(0x52, [ascii(user.implementationClassUid)])];
  if (user.asyncOperations !== undefined) {
    const window = Buffer.alloc(4);
    window.writeUInt16BE(user.asyncOperations.invoked, 0);
    window.writeUInt16BE(user.asyncOperations.performed, 2);
    items.push(item(0x53, [window]));
  }
  for (const { sopClassUid, scu, scp } of user.roles) {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(sopClassUid.length, 0);
    items.push(item(0x54, [length, ascii(sopClassUid), Buffer.from([Number(scu), Number(scp)])]));
  }
  if (user.implementationVersionName !== undefined) {
    items.push(item(0x55, [ascii(user.implementationVersionName)]));
  }
  return items;
}

/** Of a P-DATA-TF PDU with one value: PDU type, reserved, length (6); item length (4); context id, control (2). */
const HEADER = 12;
/** The part of the header that counts towards the maximum length. */
const COUNTED = 6;
/** Longest fragment where the peer sets no limit or a very high one: beyond it nothing is gained. */
const LONGEST = 131_072;
/** Up to this many bytes copying into one buffer is cheaper than handing the kernel a list of pieces. */
const COPIED = 8_192;

/**
 * Bytes of a message per P-DATA-TF PDU for a peer's maximum length (0: no limit). Fragments are even (PS3.8 E.2),
 * save for a peer that leaves room for a single byte. Undefined: there is no room at all.
 */
export function fragmentSize(peerMaximum: number): number | undefined {
  if (peerMaximum === 0) return LONGEST;
  const room = Math.min(peerMaximum - COUNTED, LONGEST);
  if (room < 1) return undefined;
  return room === 1 ? 1 : room - (room % 2);
}

interface FragmentTarget {
  readonly contextId: number;
  readonly command: boolean;
  /** From fragmentSize(). */
  readonly size: number;
}

/**
 * The P-DATA-TF PDUs for a stretch of a message (PS3.8 9.3.5, E), in pieces to be written in order. `last` marks the message's end. Long data
 * is not copied. Empty data gives a PDU only where it is the last.
 */
export function fragments(data: Uint8Array, last: boolean, target: FragmentTarget): Uint8Array[] {
  const count = Math.max(Math.ceil(data.length / target.size), last ? 1 : 0);
  const pieces: Uint8Array[] = [];
  const heads = Buffer.allocUnsafe(count * HEADER);
  for (let index = 0; index < count; index += 1) {
    const piece = data.subarray(index * target.size, (index + 1) * target.size);
    const head = heads.subarray(index * HEADER, (index + 1) * HEADER);
    writeHeader(head, piece.length, last && index === count - 1, target);
    pieces.push(head, piece);
  }
  return data.length > COPIED && target.size > COPIED ? pieces : [Buffer.concat(pieces)];
}

function writeHeader(head: Buffer, length: number, last: boolean, target: FragmentTarget): void {
  head.writeUInt16BE(0x0400, 0);
  head.writeUInt32BE(length + COUNTED, 2);
  head.writeUInt32BE(length + 2, 6);
  head.writeUInt8(target.contextId, 10);
  head.writeUInt8((target.command ? 1 : 0) | (last ? 2 : 0), 11);
}
