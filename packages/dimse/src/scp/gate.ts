/**
 * Who may stay connected: bounds in total and per peer. A silent connection gives way to a new one, then one with a message
 * that it does not finish, then an idle one.
 */
import type { ScpLimits } from './types.ts';

export interface Guest {
  readonly address: string;
  /** No association yet: it may be sent away. */
  readonly silent: boolean;
  /** Since when its association has no request, by performance.now(); undefined while it has one. */
  readonly idleSince: number | undefined;
  /** Since when it has begun a message without finishing it, by performance.now(). */
  readonly unfinishedSince: number | undefined;
  /** Sends it away. */
  evict(): void;
}

/** A query is whole within milliseconds; a report of many images may take longer, where there is room for all. */
const UNFINISHED_MS = 1_000;

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
   * Makes room for a connection from `address`, by sending away the longest silent one where the bound is reached; else
   * the one whose message has been unfinished for longest; else the association that has been idle for longest.
   * `refuse`: there is none of them. `full` tells which bound it was.
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
    const leaving =
      guests.find((guest) => guest.silent) ??
      longest(guests, ({ unfinishedSince }) => unfinishedSince, UNFINISHED_MS) ??
      longest(guests, ({ idleSince }) => idleSince, this.#yieldMs);
    if (leaving === undefined) return { refuse: true, full };
    this.guests.delete(leaving);
    leaving.evict();
    return { refuse: false, full };
  }
}

/** The guest for which something has been so for longest, where that is at least `ms` milliseconds. */
function longest<G>(
  guests: readonly G[],
  sinceOf: (guest: G) => number | undefined,
  ms: number,
): G | undefined {
  const since = (guest: G): number => sinceOf(guest) ?? Infinity;
  const [first, ...others] = guests;
  if (first === undefined) return undefined;
  const found = others.reduce((one, other) => (since(other) < since(one) ? other : one), first);
  return performance.now() - since(found) >= ms ? found : undefined;
}
