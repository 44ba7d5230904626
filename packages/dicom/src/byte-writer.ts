/** One growing buffer that an encoder writes into, in either byte order. */
import { swapUnits } from '#platform';

export class ByteWriter {
  /** Bytes written so far. */
  length = 0;
  readonly #bigEndian: boolean;
  #bytes: Buffer = Buffer.allocUnsafe(1024);

  constructor(bigEndian = false) {
    this.#bigEndian = bigEndian;
  }

  /** Makes room for this many more bytes, which `reserved` may then write. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.length));
    this.#bytes = larger;
  }

  /** One byte, into room made by `reserve`. */
  reserved(byte: number): void {
    this.#bytes[this.length++] = byte;
  }

  /**
   * The tag and, under explicit VR, the VR of an element, with room for its length, which is patched in later.
   * @param vr the VR's two letters as a number, the first in the high byte; 0 under implicit VR
   * @param long the length has 32 bits, after two reserved bytes under explicit VR (PS3.5 7.1)
   */
  header(tag: number, vr: number, long: boolean): void {
    this.reserve(12);
    const bytes = this.#bytes;
    let at = this.length;
    this.patchUint16(at, tag >>> 16);
    this.patchUint16(at + 2, tag & 0xffff);
    at += 4;
    if (vr !== 0) {
      bytes[at] = vr >>> 8;
      bytes[at + 1] = vr & 0xff;
      at += 2;
      if (long) {
        bytes[at] = 0;
        bytes[at + 1] = 0;
        at += 2;
      }
    }
    this.length = at + (long || vr === 0 ? 4 : 2);
  }

  /** Writes a text whose every character code `plain` holds; else nothing, and gives false. */
  ascii(text: string, plain: Uint8Array): boolean {
    const count = text.length;
    this.reserve(count);
    const bytes = this.#bytes;
    const start = this.length;
    for (let index = 0; index < count; index++) {
      const code = text.charCodeAt(index);
      if (code >= 0x80 || plain[code] === 0) return false;
      bytes[start + index] = code;
    }
    this.length = start + count;
    return true;
  }

  uint8(byte: number): void {
    this.reserve(1);
    this.reserved(byte);
  }

  uint16(value: number): void {
    this.reserve(2);
    this.length += 2;
    this.patchUint16(this.length - 2, value);
  }

  uint32(value: number): void {
    this.reserve(4);
    this.length += 4;
    this.patchUint32(this.length - 4, value);
  }

  /** Overwrites two bytes written before. */
  patchUint16(offset: number, value: number): void {
    const bytes = this.#bytes;
    const swap = this.#bigEndian ? 1 : 0;
    bytes[offset + swap] = value;
    bytes[offset + 1 - swap] = value >>> 8;
  }

  /** Overwrites four bytes written before. */
  patchUint32(offset: number, value: number): void {
    const swap = this.#bigEndian ? 2 : 0;
    this.patchUint16(offset + swap, value & 0xffff);
    this.patchUint16(offset + 2 - swap, value >>> 16);
  }

  bytes(source: Uint8Array): void {
    this.reserve(source.length);
    this.#bytes.set(source, this.length);
    this.length += source.length;
  }

  /** Little endian numbers of `unit` bytes, in this writer's byte order. */
  numbers(source: Uint8Array, unit: number): void {
    const start = this.length;
    this.bytes(source);
    if (this.#bigEndian && unit > 1) swapUnits(this.#bytes.subarray(start, this.length), unit);
  }

  utf8(text: string): void {
    this.reserve(text.length * 3);
    this.length += this.#bytes.write(text, this.length, 'utf8');
  }

  /** Makes room of `count` bytes at an offset written before, by moving what follows. */
  widen(offset: number, count: number): void {
    this.reserve(count);
    this.#bytes.copyWithin(offset + count, offset, this.length);
    this.length += count;
  }

  /** What was written, not copied: nothing may be written after it. */
  finish(): Uint8Array {
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset, this.length);
  }
}
