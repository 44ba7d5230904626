/** Cuts a stream of bytes into PDUs, however it was cut into chunks, within the room that there is. Pure: it owns no socket. */
import { decodePdu } from './decode.ts';
import { ABORT, PduError, strangerIn, type Pdu } from './pdu.ts';

const HEADER = 6;

export interface PduLimits {
  /** Longest variable field of a P-DATA-TF PDU: what we announce as maximum length. */
  readonly dataBytes: number;
  /** Longest variable field of an A-ASSOCIATE PDU. */
  readonly associateBytes: number;
}

export class PduReader {
  readonly #limits: PduLimits;
  readonly #room: Room;
  readonly #rest: Collector;

  constructor(limits: PduLimits, room: Room = ANY_ROOM) {
    this.#limits = limits;
    this.#room = room;
    this.#rest = new Collector(room);
  }

  /**
   * Yields the PDUs that `chunk` completes; the beginning of a further one is kept (at most the limit of its type
   * and a header), where there is room for it. Throws PduError; after that the reader must not be used again.
   */
  *push(chunk: Uint8Array): Generator<Pdu, void, undefined> {
    let bytes = chunk;
    while (bytes.length > 0) {
      const before = this.#rest.length;
      const needed = before === 0 ? wanted(bytes, this.#limits) : this.#neededWith(bytes);
      if (needed === undefined || before + bytes.length < needed) {
        this.#rest.push(bytes);
        return;
      }
      let pdu = bytes.subarray(0, needed - before);
      if (before > 0) {
        this.#rest.push(pdu);
        const { bytes: whole, held } = this.#rest.take();
        // whoever takes the PDU copies what it keeps
        this.#room.give(held);
        pdu = whole;
      }
      bytes = bytes.subarray(needed - before);
      yield decodePdu(pdu[0] ?? 0, pdu.subarray(HEADER));
    }
  }

  /** Length of the PDU that has begun, once its header is there. */
  #neededWith(bytes: Uint8Array): number | undefined {
    if (this.#rest.length >= HEADER) return wanted(this.#rest.view(), this.#limits);
    const head = new Uint8Array(HEADER);
    head.set(this.#rest.view());
    head.set(bytes.subarray(0, HEADER - this.#rest.length), this.#rest.length);
    return wanted(head.subarray(0, this.#rest.length + bytes.length), this.#limits);
  }
}

/** Header and variable field in bytes, or undefined while the header is incomplete; throws PduError beyond limits. */
function wanted(bytes: Uint8Array, limits: PduLimits): number | undefined {
  const type = bytes[0] ?? 0;
  if (type < 0x01 || type > 0x07) {
    const stranger = strangerIn(bytes);
    const what = stranger === undefined ? `no PDU type: ${type}` : `it speaks ${stranger}, not DICOM`;
    throw new PduError(ABORT.unrecognizedPdu, what, stranger);
  }
  if (bytes.length < HEADER) return undefined;
  const length = new DataView(bytes.buffer, bytes.byteOffset, HEADER).getUint32(2);
  const limit = type === 0x04 ? limits.dataBytes : type <= 0x02 ? limits.associateBytes : 4;
  if (length > limit) {
    throw new PduError(ABORT.invalidParameter, `a PDU of type ${type} with ${length} bytes, limit ${limit}`);
  }
  return HEADER + length;
}

/** From this size on it grows by a quarter: what it holds in reserve counts as taken. */
const LARGE = 1_048_576;

/** Bytes that are complete, and the room that they take up until somebody gives it back. */
interface Collected {
  readonly bytes: Buffer;
  readonly held: number;
}

/** Gathers bytes within the room that there is. It grows with what has come, never with what was announced. */
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

/** Room in memory for what a peer sends, from its first byte until it is dealt with. */
export interface Room {
  /** Takes room for more bytes. False: there is none, and none was taken. */
  take(bytes: number): boolean;
  /** Gives back room that was taken. */
  give(bytes: number): void;
}

/** For peers that we chose ourselves: only the limits of PDUs and messages hold. */
export const ANY_ROOM: Room = { take: () => true, give: () => undefined };
