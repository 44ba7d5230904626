/** Paces the reading of stored files: the configured rate, and a tenth of it while images arrive. */
import { Pace, type Rate } from '../send/gate.ts';

/** Part of the rate that is left while images arrive. */
const SHARE = 10;
/** Pause between two queries whether images arrive. */
const ASK_MS = 1_000;

export class Pacer {
  readonly #pace: Pace;
  readonly #isStoring: () => Promise<boolean>;
  readonly #clock: () => number;
  #asked = -Infinity;
  #slow = false;

  /**
   * @param isStoring whether images arrive or are stored
   * @param clock one that nobody sets, in milliseconds
   */
  constructor(rate: Rate, isStoring: () => Promise<boolean>, clock: () => number = () => performance.now()) {
    this.#pace = new Pace(rate, clock);
    this.#isStoring = isStoring;
    this.#clock = clock;
  }

  /** Waits until the next file may be read, or the signal aborts. */
  async file(signal: AbortSignal): Promise<void> {
    await this.#pace.image(signal);
  }

  /** Waits until so many more bytes may be read, or the signal aborts. */
  async bytes(count: number, signal: AbortSignal): Promise<void> {
    await this.#look();
    await this.#pace.bytes(this.#slow ? SHARE * count : count, signal);
  }

  async #look(): Promise<void> {
    const now = this.#clock();
    if (now - this.#asked < ASK_MS) return;
    this.#asked = now;
    this.#slow = await this.#isStoring();
  }
}
