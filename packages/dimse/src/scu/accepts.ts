/** What a peer takes, asked without sending anything. */
import { associate, release } from './associate.ts';
import { CONTEXTS, contextsFor, type Kind } from './store/contexts.ts';
import type { Peer } from './peer.ts';

/**
 * Those of the kinds (SOP class and transfer syntax; the first 128 different ones count) that the peer accepts, by an
 * association that proposes them and is released at once. Throws DimseError as associate() does.
 */
export async function accepts(peer: Peer, kinds: readonly Kind[], signal?: AbortSignal): Promise<Kind[]> {
  const contexts = contextsFor(kinds);
  if (contexts.length === 0) return [];
  const association = await associate(peer, contexts, signal);
  const { accepted } = association.contexts;
  await release(association, peer);
  return contexts
    .filter(({ id }) => accepted.has(id))
    .map(({ abstractSyntax, transferSyntaxes: [transferSyntax = ''] }) => ({
      sopClassUid: abstractSyntax,
      transferSyntax,
    }));
}

/** Kinds that one call can ask for. */
export const ACCEPTS_AT_ONCE = CONTEXTS;
