/** Where instances leave: PDUs gathered into large writes, two of them under way at most. */
import type { Association } from '../../association.ts';
import { Buffers } from './buffers.ts';
import { Frames, type Framing, type Wire } from './frames.ts';

/** A write holds a file that was read at once, its command, and the headers between. */
const WIRE = 294_912;

/** Only whole PDUs are handed over, so that an A-ABORT can never be taken for the end of an instance. */
export class Outlet {
  readonly #association: Association;
  readonly #buffers = new Buffers(WIRE);
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
    const { buffer, used, whole } = this.#wire;
    this.#wire = this.#fresh();
    this.#wire.used = buffer.copy(this.#wire.buffer, 0, whole, used);
    this.#underWay += 1;
    const written = this.#association.write(buffer.subarray(0, whole), () => {
      this.#underWay -= 1;
      this.#buffers.give(buffer);
      this.#progress();
      this.#taken?.();
    });
    if (!written) this.#underWay -= 1;
    return written;
  }

  #fresh(): Wire {
    return { buffer: this.#buffers.take(), used: 0, whole: 0 };
  }
}
