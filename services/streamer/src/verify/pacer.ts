/** Paces the reading of stored files: the configured rate, and a tenth of it while images arrive. */
import { Pace, type Rate } from '../send/gate.ts';
import type { VerifyLedger } from './types.ts';

/** Part of the rate that is left while images arrive. */
const SHARE = 10;
/** Pause between two queries whether images arrive. */
const ASK_MS = 1_000;

export class Pacer {
  readonly #pace: Pace;
  readonly #ledger: Pick<VerifyLedger, 'storing'>;
  readonly #clock: () => number;
  #asked = -Infinity;
  #slow = false;

  /** `clock`: a monotonic clock, in milliseconds. */
  constructor(
    rate: Rate,
    ledger: Pick<VerifyLedger, 'storing'>,
    clock: () => number = () => performance.now(),
  ) {
    this.#pace = new Pace(rate, clock);
    this.#ledger = ledger;
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
    this.#slow = await this.#ledger.storing();
  }
}
