/** C-STORE as SCU: files to a peer, each with exactly one outcome. */
import { failureOf, type Failure } from '../failure.ts';
import { silent, type DimseLog } from '../log.ts';
import { cancelled, nameOf, type Peer } from './peer.ts';
import { StoreLine, type StoreOutcome } from './store-line.ts';
import { batches, plan, type Plan } from './store-plan.ts';
import { InstanceReader, readInstance, type Instance, type StoreItem, type Stretch } from './store-source.ts';

export interface StoreOptions {
  /** Aborts the association; what was not sent fails with CANCELLED. */
  readonly signal?: AbortSignal;
  readonly log?: DimseLog;
  /** How many items are looked at before an association is proposed. Default 500. */
  readonly batch?: number;
}

/** Files whose heads are read at a time. */
const PEEKS = 8;

/**
 * Sends the items and yields one outcome for each, whatever happens; the order is that of the items, save where more
 * than one association is needed. Never throws for what a peer or a file does. An association that the peer ends is
 * not opened again: what was not sent fails as transient, for the caller to retry. An instance that was sent whole
 * and not answered is ambiguous.
 */
export async function* store(
  peer: Peer,
  items: AsyncIterable<StoreItem> | Iterable<StoreItem>,
  options: StoreOptions = {},
): AsyncGenerator<StoreOutcome, void, undefined> {
  const sender = new Sender(peer, options);
  try {
    for await (const batch of batches(items, options.batch ?? 500)) yield* sender.send(batch);
  } finally {
    await sender.close();
  }
}

class Sender {
  readonly #peer: Peer;
  readonly #options: StoreOptions;
  #line: StoreLine | undefined;
  /** Set once there is no use in going on. */
  #stopped: Failure | undefined;

  constructor(peer: Peer, options: StoreOptions) {
    this.#peer = peer;
    this.#options = options;
  }

  async *send(batch: readonly StoreItem[]): AsyncGenerator<StoreOutcome, void, undefined> {
    const instances: Instance[] = [];
    for (const result of await peek(batch)) {
      if ('result' in result) yield result;
      else instances.push(result);
    }
    for (const share of plan(instances)) yield* this.#sendShare(share);
  }

  async close(): Promise<void> {
    const line = this.#line;
    this.#line = undefined;
    if (line === undefined) return;
    const inOrder = await line.close();
    if (!inOrder) (this.#options.log ?? silent).info('store.not-released', { peer: nameOf(this.#peer) });
  }

  async *#sendShare({ contexts, instances }: Plan): AsyncGenerator<StoreOutcome, void, undefined> {
    const readers = new ReadAhead(instances);
    try {
      for (const [index, instance] of instances.entries()) {
        const line = await this.#lineFor(contexts, instances.slice(index, index + 1));
        if (line === undefined) {
          yield failed(instance.item, this.#stopped ?? cancelled().failure, instance);
          continue;
        }
        const { reader, first } = readers.take(index, line.stretchBytes);
        const outcome = await line.send(instance, reader, first);
        await reader.close();
        this.#judge(line, outcome);
        yield outcome;
      }
    } finally {
      await readers.close();
    }
  }

  /** The open association if it will do, else a new one; undefined when there is no use. */
  async #lineFor(contexts: Plan['contexts'], instances: readonly Instance[]): Promise<StoreLine | undefined> {
    if (this.#stopped !== undefined) return undefined;
    if (this.#line?.open === true && this.#line.covers(instances)) return this.#line;
    // before the first instance of a share, and after a file failed half-way
    await this.close();
    try {
      this.#line = await StoreLine.open(this.#peer, contexts, this.#options.signal);
    } catch (error) {
      this.#stopped = failureOf(error);
    }
    return this.#line;
  }

  /** An association that ended, but not for a file of ours, is the end of the matter. */
  #judge(line: StoreLine, outcome: StoreOutcome): void {
    if (line.open) return;
    const ours = outcome.result === 'failed' && outcome.failure.code.startsWith('FILE_');
    if (!ours || this.#options.signal?.aborted === true) this.#stopped = line.failure;
  }
}

/** Reads the next file while the one before is on its way. */
class ReadAhead {
  readonly #instances: readonly Instance[];
  readonly #begun = new Map<number, { reader: InstanceReader; first: Promise<Stretch> }>();

  constructor(instances: readonly Instance[]) {
    this.#instances = instances;
  }

  take(index: number, stretchBytes: number): { reader: InstanceReader; first: Promise<Stretch> } {
    const taken = this.#begin(index, stretchBytes);
    this.#begun.delete(index);
    if (index + 1 < this.#instances.length) this.#begin(index + 1, stretchBytes);
    return taken;
  }

  async close(): Promise<void> {
    for (const { reader, first } of this.#begun.values()) {
      await first.catch(() => undefined);
      await reader.close();
    }
  }

  #begin(index: number, stretchBytes: number): { reader: InstanceReader; first: Promise<Stretch> } {
    const begun = this.#begun.get(index);
    if (begun !== undefined) return begun;
    const instance = this.#instances[index];
    if (instance === undefined) throw new RangeError('no such instance');
    const reader = new InstanceReader(instance, stretchBytes);
    const first = reader.next();
    // it is looked at when its turn comes
    first.catch(() => undefined);
    this.#begun.set(index, { reader, first });
    return { reader, first };
  }
}

/** Heads of all items, in their order; an outcome instead where one cannot be sent. */
async function peek(items: readonly StoreItem[]): Promise<(Instance | StoreOutcome)[]> {
  const results: (Instance | StoreOutcome)[] = [];
  for (let start = 0; start < items.length; start += PEEKS) {
    results.push(...(await Promise.all(items.slice(start, start + PEEKS).map(peekOne))));
  }
  return results;
}

async function peekOne(item: StoreItem): Promise<Instance | StoreOutcome> {
  try {
    return await readInstance(item);
  } catch (error) {
    return failed(item, failureOf(error));
  }
}

function failed(item: StoreItem, failure: Failure, instance?: Instance): StoreOutcome {
  const known = instance === undefined ? {} : { sopInstanceUid: instance.sopInstanceUid };
  return { id: item.id, ...known, result: 'failed', failure };
}
