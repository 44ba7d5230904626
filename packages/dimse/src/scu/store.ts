/** C-STORE as SCU: files to a peer, each with exactly one outcome. */
import type { DimseLog } from '../log.ts';
import type { Peer } from './peer.ts';
import type { StoreGate } from './store-gate.ts';
import { StoreJob } from './store-job.ts';
import type { StoreOutcome } from './store-outcome.ts';
import type { StoreItem } from './store-source.ts';

export interface StoreOptions {
  /** Aborts the associations; what was not sent fails with CANCELLED. */
  readonly signal?: AbortSignal;
  readonly log?: DimseLog;
  /** Associations side by side. Default 1; a peer that takes fewer is served by those that it takes. */
  readonly associations?: number;
  /** Requests under way at once on each, where the peer grants it (PS3.7 D.3.3.3). Default 8; 1 asks for nothing. */
  readonly operations?: number;
  /**
   * Files up to 4 MiB are read without the thread pool: several times faster from a disk or the cache, but nothing
   * else happens in the process meanwhile. For a process that does nothing but send.
   */
  readonly inPlace?: boolean;
  /** Shared by all associations; so may several calls share one. */
  readonly gate?: StoreGate | undefined;
}

/**
 * Sends the items and yields one outcome for each, whatever happens; the order is that of the items, save where more
 * than one association is needed or used, and for files that cannot be sent, which are told of at once. Never throws
 * for what a peer or a file does. An association that the peer ends is not opened again: what was not sent fails as
 * transient, for the caller to retry. An instance that was sent whole and not answered is ambiguous.
 */
export async function* store(
  peer: Peer,
  items: AsyncIterable<StoreItem> | Iterable<StoreItem>,
  options: StoreOptions = {},
): AsyncGenerator<StoreOutcome, void, undefined> {
  const job = new StoreJob(peer, items, options);
  try {
    for (;;) {
      const outcome = await job.next();
      if (outcome === undefined) break;
      yield outcome;
    }
    await job.done;
  } finally {
    await job.abandon();
  }
}
