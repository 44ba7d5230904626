/**
 * Lines that others make us write: events with an `address`. The first of each event and address are written, the rest is
 * counted and summed up, so that a flood takes a few lines and the evidence before it stays. In bounded memory.
 */
import type { LogFields, LogLevel } from './redact.ts';

export interface RepeatsOptions {
  readonly write: (level: LogLevel, event: string, fields: LogFields) => void;
  /** Lines of an event and address that are written in a period. */
  readonly burst?: number;
  readonly periodMs?: number;
  /** Most events and addresses that are distinguished; further addresses count together. */
  readonly keys?: number;
}

interface Counted {
  readonly level: LogLevel;
  readonly event: string;
  readonly address: string;
  readonly since: number;
  seen: number;
}

const OTHERS = 'other addresses';

export class Repeats {
  readonly #options: Required<RepeatsOptions>;
  readonly #counted = new Map<string, Counted>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RepeatsOptions) {
    this.#options = { burst: 30, periodMs: 60_000, keys: 1_000, ...options };
  }

  /** Whether to write a line now. False: it is counted, and the sum is written later. */
  admit(level: LogLevel, event: string, address: string): boolean {
    this.#timer ??= setInterval(() => this.flush(), this.#options.periodMs).unref();
    const one = this.#entry(level, event, address);
    one.seen += 1;
    return one.seen <= this.#options.burst;
  }

  /** Writes the sums, and starts to count anew. */
  flush(): void {
    const now = performance.now();
    const all = [...this.#counted.values()];
    this.#counted.clear();
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const { level, event, address, since, seen } of all) {
      const more = seen - this.#options.burst;
      if (more <= 0) continue;
      const seconds = Math.max(1, Math.round((now - since) / 1000));
      const note = `and ${more.toLocaleString('en')} more from ${address} in ${seconds} s`;
      this.#options.write(level, event, { address, more, seconds, note });
    }
  }

  #entry(level: LogLevel, event: string, address: string): Counted {
    const own = this.#counted.get(`${event} ${address}`);
    if (own !== undefined) return own;
    const shown = this.#counted.size < this.#options.keys ? address : OTHERS;
    const key = `${event} ${shown}`;
    const found = this.#counted.get(key);
    if (found !== undefined) return found;
    const made = { level, event, address: shown, since: performance.now(), seen: 0 };
    this.#counted.set(key, made);
    return made;
  }
}
