/** Who may stay connected: bounds in total and per peer. A silent connection gives way to a new one. */

export interface Guest {
  readonly address: string;
  /** No association yet: it may be sent away. */
  readonly silent: boolean;
  /** Sends it away. */
  evict(): void;
}

export class Gate<G extends Guest> {
  readonly guests = new Set<G>();
  readonly #total: number;
  readonly #perPeer: number;

  constructor(limits: { readonly connections: number; readonly connectionsPerPeer: number }) {
    this.#total = limits.connections;
    this.#perPeer = limits.connectionsPerPeer;
  }

  /**
   * Makes room for a connection from `address`, by sending away the longest silent one where the bound is reached.
   * `refuse`: there is none. `full` tells which bound it was.
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
    const silent = guests.find((guest) => guest.silent);
    if (silent === undefined) return { refuse: true, full };
    this.guests.delete(silent);
    silent.evict();
    return { refuse: false, full };
  }
}
