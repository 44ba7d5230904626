/** Cuts a stream of bytes into PDUs, however it was cut into chunks. Pure: it owns no socket. */
import { Collector } from './collector.ts';
import { decodePdu } from './decode.ts';
import { ABORT, PduError, type Pdu } from './pdu.ts';
import { ANY_ROOM, type Room } from './room.ts';
import { strangerIn } from './stranger.ts';

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
