/** C-STORE as SCU: files to a peer, each with exactly one outcome. */
import type { Peer } from '../peer.ts';
import { StoreJob, type StoreOptions } from './job.ts';
import type { StoreOutcome } from './outcome.ts';
import type { StoreItem } from './instance.ts';

export type { StoreOptions };

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
