/** Whether another owner of a root is at work. Compares the heartbeat's number, not two machines' clocks. */
import type { RootIdentity } from './identity.ts';
import type { Life } from './judge.ts';

interface Seen {
  readonly ledger: string;
  readonly sequence: number;
  /** By this process' monotonic clock. */
  readonly at: number;
  readonly grew: boolean;
}

export class Watch {
  readonly #silentMs: number;
  readonly #seen = new Map<string, Seen>();

  /** @param silentMs an owner counts as gone after so long without a heartbeat */
  constructor(silentMs: number) {
    this.#silentMs = silentMs;
  }

  /** Records the root's file as it is now. */
  look(path: string, { ledger, heartbeat: { sequence } }: RootIdentity, now = performance.now()): Life {
    const before = this.#seen.get(path);
    const same = before?.ledger === ledger ? before : undefined;
    const seen = same?.sequence === sequence ? same : { ledger, sequence, at: now, grew: same !== undefined };
    this.#seen.set(path, seen);
    if (now - seen.at >= this.#silentMs) return 'silent';
    return seen.grew ? 'living' : 'watched';
  }
}
