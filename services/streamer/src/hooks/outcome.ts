/** How one run of a hook ended. */
import type { Failure } from '../model/failure.ts';

export type HookOutcome =
  | { readonly kind: 'done'; readonly output: string }
  | {
      readonly kind: 'failed';
      readonly failure: Failure;
      readonly output: string;
      /** The receiver asked not to be tried again before so many milliseconds have passed. */
      readonly askedMs?: number;
    }
  /** We are being stopped: it is to be run again. */
  | { readonly kind: 'interrupted' };

/** What is kept of what a command wrote, or an address answered: the last of it. */
export const OUTPUT_BYTES = 8_192;

/** The last bytes of a stream, as text. */
export class Tail {
  #bytes = Buffer.alloc(0);
  #cut = false;

  add(chunk: Uint8Array): void {
    const all = Buffer.concat([this.#bytes, chunk]);
    this.#cut ||= all.length > OUTPUT_BYTES;
    this.#bytes = Buffer.from(all.subarray(-OUTPUT_BYTES));
  }

  text(): string {
    // a character that the cut halves is dropped
    const text = this.#bytes.toString('utf8').replaceAll('\0', '\ufffd');
    return this.#cut ? `…${text.replace(/^\ufffd+/, '')}` : text;
  }
}
