/** A reader over bytes in which no length is believed before it has been compared with what is there. */
import { ABORT, PduError } from './pdu.ts';

export class Cursor {
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
