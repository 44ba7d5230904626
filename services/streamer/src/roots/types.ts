/** Roots in the ledger: their IDs, and the last heartbeat on each. */
import type { Millis } from '../ledger/claim.ts';

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

export interface RootLedger {
  /** The installation's ID. The ledger takes the given one if it has none yet. */
  readonly installation: (given: string) => Promise<string>;
  /** Roots by name; see roots/identity.ts. */
  readonly roots: () => Promise<ReadonlyMap<string, KnownRoot>>;
  /**
   * Says that this root is to be written to for the first time. Where it is known already, by another streamer too, that
   * stays: gives what the ledger has. Sequence 0: nothing is known to be on the root yet.
   */
  readonly reserveRoot: (name: string, id: string) => Promise<KnownRoot>;
  /** Makes this the root from now on. With `examine`, every series below it is checked: see examine(). */
  readonly adoptRoot: (name: string, root: KnownRoot, examine: boolean) => Promise<void>;
  /** The next heartbeat's number, and the right to write it until `until`. Undefined while another streamer has that right. */
  readonly beginBeat: (
    name: string,
    owner: string,
    now: Millis,
    until: Millis,
  ) => Promise<number | undefined>;
  /** Records that this heartbeat is on the root. */
  readonly endBeat: (name: string, owner: string, sequence: number) => Promise<void>;
  /** Stored or copied series, the latest first. */
  readonly storedPlaces: (target: string, limit: number, offset: number) => Promise<readonly StoredPlace[]>;
  /** Makes legs due at once that wait because of a root. */
  readonly hastenRefused: (now: Millis) => Promise<void>;
  /** Names of roots with series that are not checked yet. */
  readonly examining: () => Promise<readonly string[]>;
  /**
   * The next series of a root that was put back, or put in the place of another, are opened again: see recheck(). `isThere`
   * says whether a folder is below that root. False when all of them are.
   */
  readonly examine: (
    name: string,
    target: string,
    isThere: (path: string) => boolean,
    limit: number,
    now: Millis,
  ) => Promise<boolean>;
}
