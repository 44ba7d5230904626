/** The time limit of a line: one timer, however many instances pass. */
import type { Association } from '../../association.ts';

export class LineWatch {
  readonly #association: Association;
  readonly #limitMs: number;
  readonly #waitsFor: () => string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #last = performance.now();

  /** `waitsFor`: what the peer owes us at present, in words before the limit; undefined: nothing. */
  constructor(association: Association, limitMs: number, waitsFor: () => string | undefined) {
    this.#association = association;
    this.#limitMs = limitMs;
    this.#waitsFor = waitsFor;
    this.#set(limitMs);
  }

  /** The peer took or answered something, or got a new request. */
  progress(): void {
    this.#last = performance.now();
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #set(ms: number): void {
    this.#timer = setTimeout(() => this.#check(), Math.ceil(ms));
  }

  #check(): void {
    const what = this.#waitsFor();
    if (what === undefined) this.progress();
    const left = this.#last + this.#limitMs - performance.now();
    if (left > 0) this.#set(left);
    else this.#association.abort(`${what ?? 'nothing for'} ${this.#limitMs} ms`);
  }
}
