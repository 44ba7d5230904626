/** Gathers bytes within the room that there is. It grows with what has come, never with what was announced. */
import { ABORT, PduError } from './pdu.ts';
import { ANY_ROOM, type Room } from './room.ts';

/** From this size on it grows by a quarter: what it holds in reserve counts as taken. */
const LARGE = 1_048_576;

/** Bytes that are complete, and the room that they take up until somebody gives it back. */
export interface Collected {
  readonly bytes: Buffer;
  readonly held: number;
}

export class Collector {
  readonly #room: Room;
  #buffer = Buffer.alloc(0);
  #length = 0;

  constructor(room: Room = ANY_ROOM) {
    this.#room = room;
  }

  get length(): number {
    return this.#length;
  }

  /** Throws PduError where there is no room: the association ends. */
  push(bytes: Uint8Array): void {
    const needed = this.#length + bytes.length;
    if (needed > this.#buffer.length) this.#grow(needed);
    this.#buffer.set(bytes, this.#length);
    this.#length = needed;
  }

  /** What came so far, without copying. */
  view(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Hands over what came, with the room that it takes up, and starts anew. */
  take(): Collected {
    const taken = { bytes: this.view(), held: this.#buffer.length };
    this.#buffer = Buffer.alloc(0);
    this.#length = 0;
    return taken;
  }

  #grow(needed: number): void {
    const before = this.#buffer.length;
    const size = Math.max(needed, before < LARGE ? 2 * before : Math.ceil(1.25 * before), 512);
    // PS3.8 9.3.8 has no reason for it
    if (!this.#room.take(size - before))
      throw new PduError(ABORT.notSpecified, 'no room for unfinished messages');
    const larger = Buffer.allocUnsafe(size);
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}
