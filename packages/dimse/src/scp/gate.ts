/** Who may stay connected: bounds in total and per peer. A silent connection gives way to a new one, then an idle one. */
import type { ScpLimits } from './types.ts';

export interface Guest {
  readonly address: string;
  /** No association yet: it may be sent away. */
  readonly silent: boolean;
  /** Since when its association has no request, by performance.now(); undefined while it has one. */
  readonly idleSince: number | undefined;
  /** Sends it away. */
  evict(): void;
}

export class Gate<G extends Guest> {
  readonly guests = new Set<G>();
  readonly #total: number;
  readonly #perPeer: number;
  readonly #yieldMs: number;

  constructor(limits: Pick<ScpLimits, 'connections' | 'connectionsPerPeer' | 'yieldMs'>) {
    this.#total = limits.connections;
    this.#perPeer = limits.connectionsPerPeer;
    this.#yieldMs = limits.yieldMs;
  }

  /**
   * Makes room for a connection from `address`, by sending away the longest silent one where the bound is reached, or
   * where there is none, the association that has been idle for longest. `refuse`: there is none either. `full` tells
   * which bound it was.
   */
  makeRoom(address: string): { refuse: boolean; full?: 'total' | 'per peer' } {
    const neighbours = [...this.guests].filter((guest) => guest.address === address);
    if (neighbours.length >= this.#perPeer) return this.#evictFrom(neighbours, 'per peer');
    if (this.guests.size >= this.#total) return this.#evictFrom([...this.guests], 'total');
    return { refuse: false };
  }

  /** Sets iterate in the order of arrival. */
  #evictFrom(
    guests: readonly G[],
    full: 'total' | 'per peer',
  ): { refuse: boolean; full: 'total' | 'per peer' } {
    const leaving = guests.find((guest) => guest.silent) ?? this.#longestIdle(guests);
    if (leaving === undefined) return { refuse: true, full };
    this.guests.delete(leaving);
    leaving.evict();
    return { refuse: false, full };
  }

  #longestIdle(guests: readonly G[]): G | undefined {
    const since = ({ idleSince = Infinity }: G): number => idleSince;
    const [longest, ...others] = guests;
    if (longest === undefined) return undefined;
    const found = others.reduce((one, other) => (since(other) < since(one) ? other : one), longest);
    return performance.now() - since(found) >= this.#yieldMs ? found : undefined;
  }
}
