/** A message's bytes, cut into P-DATA-TF PDUs while they are copied to where they leave from (PS3.8 9.3.5, E). */

/** PDU type, reserved, length (6); item length (4); context id, control (2). */
export const FRAME_HEADER = 12;
/** The part of the header that counts towards the maximum length. */
const COUNTED = 6;

/** Bytes on their way out: it has to have room for more than one PDU. */
export interface Wire {
  readonly buffer: Buffer;
  /** Bytes of it that are in use. */
  used: number;
  /** Of these, bytes of PDUs that are complete. */
  whole: number;
}

export interface Framing {
  readonly contextId: number;
  readonly command: boolean;
  /** Bytes per fragment, from fragmentSize(). */
  readonly size: number;
  /** Bytes of the whole message. */
  readonly total: number;
}

/**
 * Writes one command or data set, whose length is known from the start: so each fragment's header can be written
 * before its bytes have come.
 */
export class Frames {
  readonly #framing: Framing;
  /** Bytes of the message that no header has announced yet. */
  #left: number;
  /** Bytes that the latest fragment still takes. */
  #open = 0;

  constructor(framing: Framing) {
    this.#framing = framing;
    this.#left = framing.total;
  }

  /** Copies as much as the wire has room for; gives the number of bytes taken. */
  put(bytes: Uint8Array, wire: Wire): number {
    let taken = 0;
    while (taken < bytes.length) {
      if (this.#open === 0 && !this.#begin(wire)) break;
      const count = Math.min(this.#open, bytes.length - taken, wire.buffer.length - wire.used);
      if (count === 0) break;
      wire.buffer.set(bytes.subarray(taken, taken + count), wire.used);
      wire.used += count;
      taken += count;
      this.#open -= count;
      if (this.#open === 0) wire.whole = wire.used;
    }
    return taken;
  }

  /** False: no room for a header. */
  #begin(wire: Wire): boolean {
    const { buffer, used } = wire;
    if (buffer.length - used < FRAME_HEADER) return false;
    const length = Math.min(this.#framing.size, this.#left);
    this.#open = length;
    this.#left -= length;
    buffer.writeUInt16BE(0x0400, used);
    buffer.writeUInt32BE(length + COUNTED, used + 2);
    buffer.writeUInt32BE(length + 2, used + 6);
    buffer[used + 10] = this.#framing.contextId;
    buffer[used + 11] = (this.#framing.command ? 1 : 0) | (this.#left === 0 ? 2 : 0);
    wire.used = used + FRAME_HEADER;
    return true;
  }
}
