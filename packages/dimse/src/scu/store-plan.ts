/** Which presentation contexts the instances need, and how they spread over associations. Pure. */
import type { ProposedContext } from '../ul/pdu.ts';
import type { Instance } from './store-source.ts';

/** Ids are odd and fit a byte (PS3.8 9.3.2.2). */
export const CONTEXTS = 128;

/** One association's share. */
export interface Plan {
  readonly contexts: readonly ProposedContext[];
  readonly instances: readonly Instance[];
}

type Kind = Pick<Instance, 'sopClassUid' | 'transferSyntax'>;
export const kindOf = ({ sopClassUid, transferSyntax }: Kind): string => `${sopClassUid} ${transferSyntax}`;

/**
 * One context per SOP class and transfer syntax, so that the peer's choice cannot be another than the file's.
 * Instances keep their order within each association.
 */
export function plan(instances: readonly Instance[]): Plan[] {
  const kinds = new Map<string, Instance>();
  for (const instance of instances) if (!kinds.has(kindOf(instance))) kinds.set(kindOf(instance), instance);
  const all = [...kinds.values()];
  const plans: Plan[] = [];
  for (let start = 0; start < all.length; start += CONTEXTS) {
    const share = all.slice(start, start + CONTEXTS);
    const contexts = share.map(({ sopClassUid, transferSyntax }, index) => ({
      id: 2 * index + 1,
      abstractSyntax: sopClassUid,
      transferSyntaxes: [transferSyntax],
    }));
    const members = new Set(share.map(kindOf));
    plans.push({ contexts, instances: instances.filter((instance) => members.has(kindOf(instance))) });
  }
  return plans;
}

/** Cuts a list that may be endless into pieces of at most `size`. */
export async function* batches<T>(items: AsyncIterable<T> | Iterable<T>, size: number): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
