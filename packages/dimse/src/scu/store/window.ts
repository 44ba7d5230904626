/** The files that come next, read ahead; and the presentation contexts that an association needs for them. */
import type { Failure } from '@scanflow/failure';
import type { ProposedContext } from '../../ul/pdu.ts';
import { associate, release, type Peer, failureOf } from '../associate.ts';
import { Buffers, SLOT } from './file.ts';
import type { StoreItem } from './order.ts';
import { openInstance, type Instance } from './instance.ts';

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

// The files that come next, read ahead, with what must be known of them to propose an association.

/** Looked at before an association is proposed: files, and bytes of them in memory. */
const MOST = 500;
const MOST_BYTES = 8_388_608;
/** Opened at a time for that. */
const STEP = 8;
/** Read ahead while sending. */
const AHEAD = 3;
/** So long is waited for a source that takes its time before what has come is sent, in milliseconds. */
const PATIENCE_MS = 50;

interface Entry {
  readonly item: StoreItem;
  /** Undefined while it is being read. */
  instance?: Instance;
}

interface WindowOptions {
  readonly inPlace: boolean;
  /** Gets files that cannot be sent. */
  readonly unfit: (item: StoreItem, failure: Failure) => void;
}

/** Shared by the lines of one destination. */
export class StoreWindow {
  readonly #source: AsyncIterator<StoreItem> | Iterator<StoreItem>;
  readonly #options: WindowOptions;
  readonly #buffers = new Buffers(SLOT);
  readonly #entries: Entry[] = [];
  #waiting: (() => void)[] = [];
  #pulling = false;
  #ended = false;
  #closed = false;
  #trouble: { readonly error: unknown } | undefined;

  constructor(items: AsyncIterable<StoreItem> | Iterable<StoreItem>, options: WindowOptions) {
    this.#source = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
    this.#options = options;
  }

  /**
   * The next instance that fits, else the next one; undefined at the end or once closed. In order, save where one
   * that does not fit has to wait for another association. Throws what the source throws.
   */
  async take(fits: (instance: Instance) => boolean): Promise<Instance | undefined> {
    for (;;) {
      if (this.#closed) return undefined;
      this.ahead();
      const [first] = this.#entries;
      if (first?.instance !== undefined) {
        const index = this.#entries.findIndex(({ instance }) => instance !== undefined && fits(instance));
        return this.#entries.splice(Math.max(index, 0), 1)[0]?.instance;
      }
      if (first === undefined && this.#ended) {
        if (this.#trouble !== undefined) throw this.#trouble.error;
        return undefined;
      }
      await this.#change();
    }
  }

  /** For one that was taken and not sent. */
  putBack(instance: Instance): void {
    this.#entries.unshift({ item: instance.item, instance });
    this.#changed();
  }

  /** Reads ahead until so many files are held. */
  ahead(count = AHEAD): void {
    while (this.#entries.length < count && !this.#pulling && !this.#ended && !this.#closed) this.#pull();
  }

  /** Looks at what comes next, as far as it is there, and gives what is known of it, in order. */
  async survey(): Promise<Instance[]> {
    const until = performance.now() + PATIENCE_MS;
    const patience = setTimeout(() => this.#changed(), PATIENCE_MS);
    for (let wanted = STEP; wanted <= MOST && this.#held < MOST_BYTES; wanted += STEP) {
      for (;;) {
        this.ahead(wanted);
        const settled = this.#ended || this.#entries.length >= wanted;
        if (settled && this.#entries.every(({ instance }) => instance !== undefined)) break;
        if (this.#closed || (performance.now() >= until && this.#entries.some((entry) => entry.instance))) {
          wanted = MOST;
          break;
        }
        await this.#change();
      }
      if (this.#ended) break;
    }
    clearTimeout(patience);
    return this.#entries.flatMap(({ instance }) => instance ?? []);
  }

  /** Nothing is taken any more; whoever waits is let go. */
  close(): void {
    this.#closed = true;
    this.#changed();
  }

  /** After close(): what was not taken, files unopened; ends with the source. */
  async *rest(): AsyncGenerator<{ item: StoreItem; instance?: Instance }, void, undefined> {
    for (;;) {
      const entry = this.#entries.shift();
      if (entry !== undefined) yield entry;
      else if (this.#ended) return;
      else if (this.#pulling) await this.#change();
      else this.#pull();
    }
  }

  /** After close(): lets go of all that is held, and of the source. */
  discard(): void {
    for (const { instance } of this.#entries) instance?.close();
    this.#entries.length = 0;
    this.#ended = true;
    // a source that is waiting for something is not waited for
    void Promise.resolve(this.#source.return?.()).catch(() => undefined);
  }

  get #held(): number {
    return this.#entries.reduce((sum, { instance }) => sum + (instance?.held ?? 0), 0);
  }

  #pull(): void {
    try {
      const next = this.#source.next();
      if (!(next instanceof Promise)) {
        this.#came(next);
        return;
      }
      this.#pulling = true;
      next.then(
        (result) => this.#came(result),
        (error: unknown) => this.#end({ error }),
      );
    } catch (error) {
      this.#end({ error });
    }
  }

  #came(next: IteratorResult<StoreItem, unknown>): void {
    this.#pulling = false;
    if (next.done === true) {
      this.#end();
      return;
    }
    const entry: Entry = { item: next.value };
    this.#entries.push(entry);
    if (!this.#closed) void this.#open(entry);
    this.#changed();
  }

  #end(trouble?: { readonly error: unknown }): void {
    this.#pulling = false;
    this.#ended = true;
    this.#trouble = trouble;
    this.#changed();
  }

  async #open(entry: Entry): Promise<void> {
    try {
      const instance = await openInstance(entry.item, this.#buffers, this.#options.inPlace);
      if (this.#entries.includes(entry)) entry.instance = instance;
      else instance.close();
    } catch (error) {
      const index = this.#entries.indexOf(entry);
      if (index >= 0) {
        this.#entries.splice(index, 1);
        this.#options.unfit(entry.item, failureOf(error));
      }
    }
    this.#changed();
  }

  async #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #changed(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }
}
