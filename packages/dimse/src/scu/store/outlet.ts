/** Where instances leave: cut into P-DATA-TF PDUs (PS3.8 9.3.5, E), gathered into large writes, two under way at most. */
import type { Association } from '../../association.ts';

/**
 * Bytes of a write: a small file that was read at once, with its command and the headers between. No more, so that what
 * is read for it is still in the processor's cache when it is written, and when a peer on this machine reads it.
 */
const WIRE = 278_528;
/**
 * Bytes of a write from which no further PDU of a large file is put on it. A peer on this machine takes small writes sooner: at 272 KiB,
 * four instances of 512 MB took 3 to 8 % longer. At 64 KiB they took 1 to 3 % longer, as a write was 53 bytes more than one segment of the
 * loopback interface.
 */
const STREAMED = 49_152;

/** Only whole PDUs are handed over, so that an A-ABORT can never be taken for the end of an instance. */
export class Outlet {
  readonly #association: Association;
  /** Wires that nobody uses: there are three at most. */
  readonly #spare: Wire[] = [];
  readonly #progress: () => void;
  #wire: Wire;
  #frames: Frames | undefined;
  #underWay = 0;
  #taken: (() => void) | undefined;

  /** `progress` is called each time that the connection has taken something. */
  constructor(association: Association, progress: () => void) {
    this.#association = association;
    this.#progress = progress;
    this.#wire = this.#fresh();
    void association.ended.then(() => this.#taken?.());
  }

  /** Writes that the connection has not taken yet. */
  get underWay(): number {
    return this.#underWay;
  }

  /** A new message: add() its bytes. */
  begin(framing: Omit<Framing, 'size'>): void {
    this.#frames = new Frames({ ...framing, size: this.#association.fragmentBytes });
  }

  /** Takes bytes of the message; gives what there was no room for: flush() and add that. They are copied. */
  add(bytes: Uint8Array): Uint8Array | undefined {
    const taken = this.#frames?.put(bytes, this.#wire) ?? bytes.length;
    return taken === bytes.length ? undefined : bytes.subarray(taken);
  }

  /**
   * Room for the message's next bytes, at most so many, where they leave from: fill all of it before anything else is
   * added. Empty: flush() first.
   */
  room(most: number): Buffer[] {
    return this.#frames?.reserve(most, this.#wire, STREAMED) ?? [];
  }

  /** Hands over what has come together, once the write before is done. False: the association has ended. */
  async flush(): Promise<boolean> {
    if (this.#underWay > 0 && this.#association.ending === undefined) {
      await new Promise<void>((resolve) => (this.#taken = resolve));
      this.#taken = undefined;
    }
    return this.send();
  }

  /** The same at once. */
  send(): boolean {
    const wire = this.#wire;
    this.#wire = this.#fresh();
    this.#underWay += 1;
    const written = this.#association.write(wire.buffer.subarray(0, wire.used), () => {
      this.#underWay -= 1;
      wire.used = 0;
      this.#spare.push(wire);
      this.#progress();
      this.#taken?.();
    });
    if (!written) this.#underWay -= 1;
    return written;
  }

  /** The one that was used last: the likeliest to be in the processor's cache. */
  #fresh(): Wire {
    return this.#spare.pop() ?? new Wire(WIRE);
  }
}

/** PDU type, reserved, length (6); item length (4); context id, control (2). */
export const FRAME_HEADER = 12;
/** The part of the header that counts towards the maximum length. */
const COUNTED = 6;

/** Bytes on their way out: it has to have room for a whole PDU. */
export class Wire {
  readonly buffer: Buffer;
  /** Bytes of it that are in use. */
  used = 0;
  /** Of whole fragments, by their number where all are whole: making them anew takes longer than reading the file. */
  readonly #bodies: Buffer[] = [];

  constructor(bytes: number) {
    this.buffer = Buffer.allocUnsafeSlow(bytes);
  }

  /** Its bytes from there: those of a fragment, whole ones of `size` bytes. */
  body(from: number, length: number, size: number): Buffer {
    const at = (from - FRAME_HEADER) / (FRAME_HEADER + size);
    if (length !== size || !Number.isInteger(at)) return this.buffer.subarray(from, from + length);
    return (this.#bodies[at] ??= this.buffer.subarray(from, from + length));
  }
}

interface Framing {
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
    for (;;) {
      const count = this.#advance(bytes.length - taken, wire);
      if (count === 0) return taken;
      wire.buffer.set(bytes.subarray(taken, taken + count), wire.used - count);
      taken += count;
    }
  }

  /**
   * Room on the wire for the next bytes, at most so many, in order: the caller fills it. No fragment begins behind
   * `enough` bytes of the wire.
   */
  reserve(most: number, wire: Wire, enough = Infinity): Buffer[] {
    const room: Buffer[] = [];
    for (let left = most; ;) {
      const count = this.#open === 0 && wire.used >= enough ? 0 : this.#advance(left, wire);
      if (count === 0) return room;
      room.push(wire.body(wire.used - count, count, this.#framing.size));
      left -= count;
    }
  }

  /** Sets bytes of one fragment aside, at most so many, behind its header; gives how many. */
  #advance(most: number, wire: Wire): number {
    if (most === 0 || (this.#open === 0 && !this.#begin(wire))) return 0;
    const count = Math.min(this.#open, most);
    wire.used += count;
    this.#open -= count;
    return count;
  }

  /** A fragment that is announced has room for all of its bytes. False: this one has not. */
  #begin(wire: Wire): boolean {
    const { buffer, used } = wire;
    const length = Math.min(this.#framing.size, this.#left);
    if (buffer.length - used < FRAME_HEADER + length) return false;
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
