/** Sends all there is, and what failed for now again, with growing pauses. */
import { setTimeout as pause } from 'node:timers/promises';
import { store, type Peer, type StoreItem } from '@scanflow/dimse/store';
import type { PrivateTag } from '@scanflow/dicom';
import type { Found } from './found.ts';
import { filesOf, isPlain, plainFiles, type Input } from './inputs.ts';
import { lookFor, type Seen } from './look.ts';
import { seeRest } from './rest.ts';
import { Spool } from './spool.ts';
import { Tally } from './tally.ts';

export interface Order {
  readonly inputs: readonly Input[];
  readonly peer: Peer;
  readonly tag: PrivateTag | undefined;
  readonly associations: number;
  /** How long what failed for now is tried again, in milliseconds. */
  readonly retryMs: number;
  readonly signal: AbortSignal;
  readonly progress: (tally: Tally) => void;
  /** Is told of each pause before another attempt. */
  readonly retrying: (files: number, pauseMs: number, why: string) => void;
}

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

export async function sendAll(order: Order): Promise<Tally> {
  const tally = new Tally();
  const spool = new Spool();
  const until = performance.now() + order.retryMs;
  try {
    await round(order, tally, spool, undefined);
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      const { open, failures } = tally;
      const [first] = open;
      if (first === undefined || order.signal.aborted || performance.now() + pauseMs > until) break;
      order.retrying(open.size, pauseMs, failures.get(first)?.failure.message ?? '');
      await pause(pauseMs, undefined, { signal: order.signal }).catch(() => undefined);
      await round(order, tally, spool, open);
    }
    await seeRest(order, tally, spool);
  } finally {
    await spool.close();
  }
  return tally;
}

/** Every file once; `only`: those that failed. */
async function round(
  order: Order,
  tally: Tally,
  spool: Spool,
  only: ReadonlySet<string> | undefined,
): Promise<void> {
  const { inputs, peer, tag, associations, signal } = order;
  const underWay = new Map<string, { found: Found; seen?: Seen }>();
  const itemOf = (found: Found): StoreItem => {
    const entry: { found: Found; seen?: Seen } = { found };
    underWay.set(found.id, entry);
    const { id, path, bytes, open } = found;
    const look = lookFor(tag, tally.known, (seen) => (entry.seen = seen));
    return {
      id,
      look,
      ...(path === undefined ? {} : { path }),
      ...(bytes === undefined ? {} : { bytes }),
      ...(open === undefined ? {} : { open }),
    };
  };
  const wanted = (id: string): boolean => only?.has(id) ?? true;
  const trouble = (source: string, message: string): void => void tally.troubles.set(source, message);
  const options = {
    signal,
    associations,
    inPlace: true,
    // a peer that broke off is not asked for several at a time again
    ...(only === undefined ? {} : { operations: 1 }),
  };
  const items = inputs.every(isPlain)
    ? mapped(inputs, (input) => plainFiles(input, { wanted, trouble }), itemOf)
    : mappedLater(filesOf(inputs, { wanted, spool, trouble }), itemOf);
  for await (const outcome of store(peer, items, options)) {
    const entry = underWay.get(outcome.id);
    underWay.delete(outcome.id);
    if (entry === undefined) continue;
    entry.found.drop?.();
    tally.outcome(outcome, entry.found, entry.seen ?? known(entry.found));
    order.progress(tally);
  }
}

/** What is known of a file that nobody looked into. */
const known = ({ facts }: Found): Seen | undefined =>
  facts === undefined ? undefined : { series: facts, size: 0 };

function* mapped<T>(
  inputs: readonly T[],
  files: (input: T) => Iterable<Found>,
  itemOf: (found: Found) => StoreItem,
): Generator<StoreItem, void, undefined> {
  for (const input of inputs) for (const found of files(input)) yield itemOf(found);
}

async function* mappedLater(
  files: AsyncIterable<Found>,
  itemOf: (found: Found) => StoreItem,
): AsyncGenerator<StoreItem, void, undefined> {
  for await (const found of files) yield itemOf(found);
}
