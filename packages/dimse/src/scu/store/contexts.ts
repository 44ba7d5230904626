/** Which presentation contexts instances need, and which of them a peer accepts. */
import type { ProposedContext } from '../../ul/pdu.ts';
import { associate, release, type Peer } from '../associate.ts';

/** Of one association: ids are odd and fit a byte (PS3.8 9.3.2.2). */
export const CONTEXTS = 128;

/** A SOP class in a transfer syntax. */
export interface Kind {
  readonly sopClassUid: string;
  readonly transferSyntax: string;
}

/** Two are the same kind where this is the same. */
export const kindOf = ({ sopClassUid, transferSyntax }: Kind): string => `${sopClassUid} ${transferSyntax}`;

/**
 * One context per SOP class and transfer syntax, so that the peer's choice cannot be another than the file's; the
 * first 128 kinds of the list.
 */
export function contextsFor(instances: Iterable<Kind>): ProposedContext[] {
  const kinds = new Map<string, Kind>();
  for (const instance of instances) {
    if (kinds.size === CONTEXTS) break;
    kinds.set(kindOf(instance), instance);
  }
  return [...kinds.values()].map(({ sopClassUid, transferSyntax }, index) => ({
    id: 2 * index + 1,
    abstractSyntax: sopClassUid,
    transferSyntaxes: [transferSyntax],
  }));
}

/**
 * Those of the kinds (SOP class and transfer syntax; the first 128 different ones count) that the peer accepts, by an
 * association that proposes them and is released at once. Throws FailureError as associate() does.
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
