/** P-DATA-TF PDUs to bytes: a message's command or data set, cut to the peer's maximum length (PS3.8 9.3.5, E). */

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

export interface FragmentTarget {
  readonly contextId: number;
  readonly command: boolean;
  /** From fragmentSize(). */
  readonly size: number;
}

/**
 * The PDUs for a stretch of a message, in pieces to be written in order. `last` marks the message's end. Long data
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
