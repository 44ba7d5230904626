/** How one run of a hook ended. */
import type { Failure } from '@scanflow/failure';

export type HookOutcome =
  | { readonly kind: 'done'; readonly output: string }
  | {
      readonly kind: 'failed';
      readonly failure: Failure;
      readonly output: string;
      /** The receiver asked for a pause of so many milliseconds (Retry-After). */
      readonly askedMs?: number;
    }
  /** We are stopping; the hook runs again later. */
  | { readonly kind: 'interrupted' };

/** Kept of a command's output or an address' answer: its end. */
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
    // drop a character that the cut halves
    const text = this.#bytes.toString('utf8').replaceAll('\0', '\ufffd');
    return this.#cut ? `…${text.replace(/^\ufffd+/, '')}` : text;
  }
}
