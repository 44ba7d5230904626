/** A file that is ready to be sent: its first bytes are held until they leave, the rest is read then. Never altered. */
import type { Hash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { applyEdits, type Edit, type Part10Header } from '@scanflow/dicom/file';
import type { Buffers } from './buffers.ts';
import { changed, unreadable, type OpenFile } from './file.ts';
import type { StoreItem } from './input.ts';

const NUL = Buffer.alloc(1);

/** A file with its first bytes in memory. */
export interface Opened {
  readonly item: StoreItem;
  readonly file: OpenFile | undefined;
  readonly buffers: Buffers;
  readonly size: number;
  readonly stat: Stats | undefined;
  readonly head: Buffer;
  readonly filled: number;
}

/** A file that is ready to be sent. Close it. */
export class Instance {
  readonly item: StoreItem;
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntax: string;
  readonly #file: OpenFile | undefined;
  readonly #buffers: Buffers;
  readonly #dataSetOffset: number;
  readonly #edits: readonly Edit[];
  readonly #size: number;
  readonly #hash: Hash | undefined;
  /** What an odd data set ends with. */
  readonly #pad: Buffer;
  #head: Buffer | undefined;
  #headBytes: number;
  #at: number;

  constructor(
    opened: Opened,
    header: Part10Header,
    { edits, pad, hash }: { edits: readonly Edit[]; pad: number; hash: Hash | undefined },
  ) {
    this.item = opened.item;
    this.sopClassUid = header.sopClassUid;
    this.sopInstanceUid = header.sopInstanceUid;
    this.transferSyntax = header.transferSyntax;
    this.#file = opened.file;
    this.#buffers = opened.buffers;
    this.#dataSetOffset = header.dataSetOffset;
    this.#edits = edits;
    this.#pad = pad === 0 ? NUL : Buffer.of(pad);
    this.#size = opened.size;
    this.#head = opened.head;
    this.#headBytes = opened.filled;
    this.#at = opened.filled;
    this.#hash = hash;
    this.#hash?.update(opened.head.subarray(0, opened.filled));
    if (this.#at === this.#size) this.#checkHash();
  }

  /** Bytes of memory that it holds. */
  get held(): number {
    return this.item.bytes === undefined ? (this.#head?.length ?? 0) : 0;
  }

  /** Bytes of the data set as it is sent: even. */
  get length(): number {
    const grown = this.#edits.reduce((sum, { insert, remove }) => sum + insert.length - remove, 0);
    const length = this.#size - this.#dataSetOffset + grown;
    return length + (length % 2);
  }

  /** Only first() has to be sent. */
  get whole(): boolean {
    return this.#headBytes === this.#size;
  }

  /** The data set's first bytes, with the edits done. Valid until more() or close() is called. */
  first(): Uint8Array {
    const held = this.#head?.subarray(0, this.#headBytes) ?? NUL;
    if (this.#edits.length === 0) return held.subarray(this.#dataSetOffset);
    return applyEdits(held, this.#edits).subarray(this.#dataSetOffset);
  }

  /**
   * The next bytes, into `buffer`; undefined when all has been given. Throws FailureError: FILE_UNREADABLE, or
   * FILE_CHANGED before the last bytes are given out where size or hash do not fit.
   */
  async more(buffer: Buffer): Promise<Uint8Array | undefined> {
    const wanted = Math.min(buffer.length, this.#size - this.#at);
    if (wanted === 0 || this.#file === undefined) return undefined;
    let count: number;
    try {
      count = await this.#file.read(buffer, wanted, this.#at);
    } catch (error) {
      throw unreadable(error);
    }
    if (count !== wanted) throw changed('it has become shorter');
    const data = buffer.subarray(0, count);
    this.#hash?.update(data);
    this.#at += count;
    if (this.#at === this.#size) this.#checkHash();
    return data;
  }

  /** What follows the last byte, to make the length even. */
  get padding(): Uint8Array {
    const grown = this.#edits.reduce((sum, { insert, remove }) => sum + insert.length - remove, 0);
    return (this.#size - this.#dataSetOffset + grown) % 2 === 0 ? NUL.subarray(1) : this.#pad;
  }

  close(): void {
    if (this.#head === undefined) return;
    this.#file?.close();
    if (this.item.bytes === undefined) this.#buffers.give(this.#head);
    this.#head = undefined;
  }

  #checkHash(): void {
    if (this.#hash !== undefined && this.#hash.digest('hex') !== this.item.sha256?.toLowerCase()) {
      throw changed('its SHA-256 is another');
    }
  }
}
