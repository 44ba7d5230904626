/** Roots in the ledger: their IDs, and the last heartbeat on each. */

export interface KnownRoot {
  /** The root's ID, wherever it is mounted. */
  readonly id: string;
  /** The last heartbeat that is certainly on the root. */
  readonly sequence: number;
}

export interface StoredPlace {
  readonly series: string;
  /** Its folder, as the ledger writes it. */
  readonly path: string;
}
