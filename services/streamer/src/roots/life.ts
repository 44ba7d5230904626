/** Whether another owner of a root is at work: by its heartbeat's number, not by comparing two machines' clocks. */
import type { RootIdentity } from './identity.ts';
import type { Life } from './judge.ts';

interface Seen {
  readonly ledger: string;
  readonly sequence: number;
  /** By this process' own clock, which nobody sets. */
  readonly at: number;
  readonly grew: boolean;
}

export class Watch {
  readonly #silentMs: number;
  readonly #seen = new Map<string, Seen>();

  /** @param silentMs without a heartbeat for so long, an owner is taken for gone */
  constructor(silentMs: number) {
    this.#silentMs = silentMs;
  }

  /** Notes what the root's file says now. */
  look(path: string, { ledger, heartbeat: { sequence } }: RootIdentity, now = performance.now()): Life {
    const before = this.#seen.get(path);
    const same = before?.ledger === ledger ? before : undefined;
    const seen = same?.sequence === sequence ? same : { ledger, sequence, at: now, grew: same !== undefined };
    this.#seen.set(path, seen);
    if (now - seen.at >= this.#silentMs) return 'silent';
    return seen.grew ? 'living' : 'watched';
  }
}
