/** What the ledger keeps of roots: which one it stored on, and the last sign of life that it left there. */
import type { Millis } from '../ledger/claim.ts';

export interface KnownRoot {
  /** Of the root itself, wherever it is mounted. */
  readonly id: string;
  /** The last heartbeat that is on the root for sure. */
  readonly sequence: number;
}

export interface StoredPlace {
  readonly series: string;
  /** Its folder as the ledger names it. */
  readonly path: string;
}

export interface RootLedger {
  /** The id of the installation. The ledger takes the given one where it has none yet. */
  readonly installation: (given: string) => Promise<string>;
  /** Roots by their names; see roots/identity.ts. */
  readonly roots: () => Promise<ReadonlyMap<string, KnownRoot>>;
  /**
   * Says that this root is to be written to for the first time. Where it is known already, by another streamer too, that
   * stays: gives what the ledger has. Sequence 0: nothing is known to be on the root yet.
   */
  readonly reserveRoot: (name: string, id: string) => Promise<KnownRoot>;
  /** From now on this is the root. With `examine`, every series below it is looked at: see examine(). */
  readonly adoptRoot: (name: string, root: KnownRoot, examine: boolean) => Promise<void>;
  /** The number of the next heartbeat, and the right to write it until `until`. Undefined while another streamer has it. */
  readonly beginBeat: (
    name: string,
    owner: string,
    now: Millis,
    until: Millis,
  ) => Promise<number | undefined>;
  /** That heartbeat is on the root. */
  readonly endBeat: (name: string, owner: string, sequence: number) => Promise<void>;
  /** Series that are stored, or copied, the latest first. */
  readonly storedPlaces: (target: string, limit: number, offset: number) => Promise<readonly StoredPlace[]>;
  /** What waits because of a root is tried at once. */
  readonly hastenRefused: (now: Millis) => Promise<void>;
  /** Names of roots whose series are still to be looked at. */
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
