/** C-STORE as SCU: files to a peer, over associations side by side, each file with exactly one outcome. */
import { SEND_HELD, type Failure } from '@scanflow/failure';
import { silent } from '../../scp/types.ts';
import { cancelled, failureOf, nameOf, type Peer } from '../associate.ts';
import { type StoreItem, type StoreOptions, failed, type StoreOutcome, type Subject } from './order.ts';
import type { Instance } from './instance.ts';
import { StoreLine } from './line.ts';
import { StoreWindow } from './window.ts';

/** Most outcomes that nobody has read yet; sending pauses beyond that. */
const UNREAD = 16;
/** Requests under way at once, where the peer grants it. */
export const OPERATIONS = 8;

/**
 * Sends the items and yields one outcome for each, whatever happens; the order is that of the items, save where more
 * than one association is needed or used, and for files that cannot be sent, which are reported at once. Never throws
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

/** One call of store(): lines side by side that share the files, and what has become of each. */
class StoreJob {
  readonly #peer: Peer;
  readonly #options: StoreOptions;
  readonly #window: StoreWindow;
  readonly #outcomes: StoreOutcome[] = [];
  /** Settled once nothing more will come; rejects with what the source threw. */
  readonly done: Promise<void>;
  #lanes = 0;
  #stopped: Failure | undefined;
  #abandoned = false;
  #over = false;
  #reader: (() => void) | undefined;
  #space: (() => void)[] = [];

  constructor(peer: Peer, items: AsyncIterable<StoreItem> | Iterable<StoreItem>, options: StoreOptions) {
    this.#peer = peer;
    this.#options = options;
    this.#window = new StoreWindow(items, {
      inPlace: options.inPlace ?? false,
      unfit: (item, failure) => this.#came(failed({ item }, failure)),
    });
    this.done = this.#run().finally(() => {
      this.#over = true;
      this.#reader?.();
    });
    // whoever reads the outcomes gets to see it
    this.done.catch(() => undefined);
  }

  /** The next outcome; undefined after the last. */
  async next(): Promise<StoreOutcome | undefined> {
    while (this.#outcomes.length === 0 && !this.#over) {
      await new Promise<void>((resolve) => (this.#reader = resolve));
    }
    const outcome = this.#outcomes.shift();
    if (this.#space.length > 0) for (const resume of this.#space.splice(0)) resume();
    return outcome;
  }

  /** Nobody wants outcomes any more: what is under way is finished, and the associations are released. */
  async abandon(): Promise<void> {
    this.#abandoned = true;
    this.#window.close();
    for (const resume of this.#space.splice(0)) resume();
    await this.done.catch(() => undefined);
  }

  async #run(): Promise<void> {
    const { signal, associations = 1 } = this.#options;
    const onAbort = (): void => this.#stop(cancelled().failure);
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted === true) onAbort();
    try {
      this.#lanes = associations;
      await Promise.all(Array.from({ length: associations }, () => this.#lane()));
      if (!this.#abandoned) await this.#failRest();
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#window.close();
      this.#window.discard();
    }
  }

  /** One association after the other, as few as will do. */
  async #lane(): Promise<void> {
    let line: StoreLine | undefined;
    try {
      for (;;) {
        const usable = line?.open === true ? line : undefined;
        const instance = await this.#window.take((next) => usable?.covers(next) === true);
        if (instance === undefined) return;
        if (!(await this.#admitted(instance))) return;
        if (line?.brokeOff === true) {
          this.#endLane(line, instance);
          return;
        }
        if (line?.open !== true || !line.covers(instance)) {
          await this.#close(line);
          line = await this.#openFor(instance);
          if (line === undefined) return;
        }
        if (!(await this.#send(line, instance))) return;
      }
    } finally {
      this.#lanes -= 1;
      await this.#close(line);
    }
  }

  /** False: nothing more may be sent. */
  async #admitted(instance: Instance): Promise<boolean> {
    const { gate } = this.#options;
    if (gate === undefined || (await gate.admits())) return true;
    this.#window.putBack(instance);
    this.#stop(SEND_HELD);
    return false;
  }

  /** False: this lane has come to its end. */
  async #send(line: StoreLine, instance: Instance): Promise<boolean> {
    const sending = line.send(instance, (outcome) => {
      instance.close();
      this.#came(outcome);
    });
    // while the peer is at work
    this.#window.ahead();
    const how = await sending;
    while (this.#outcomes.length >= UNREAD && !this.#abandoned) {
      await new Promise<void>((resolve) => this.#space.push(resolve));
    }
    if (how !== 'not begun' && (line.open || (how === 'failed' && this.#stopped === undefined))) return true;
    this.#endLane(line, how === 'not begun' ? instance : undefined);
    return false;
  }

  /** An association that the peer ended is not opened again; where there are others, they go on. */
  #endLane(line: StoreLine, notBegun: Instance | undefined): void {
    if (notBegun !== undefined) this.#window.putBack(notBegun);
    if (this.#lanes === 1) this.#stop(line.failure);
  }

  /** An association for this one and what comes after it; undefined where there is none to be had. */
  async #openFor(instance: Instance): Promise<StoreLine | undefined> {
    const { signal, operations = OPERATIONS, gate } = this.#options;
    try {
      const following = await this.#window.survey();
      return await StoreLine.open([instance, ...following], {
        peer: this.#peer,
        signal,
        operations,
        gate,
        wanted: () => !this.#abandoned,
      });
    } catch (error) {
      // a peer that takes fewer associations than we should like is served by those that it took
      if (this.#lanes === 1) this.#stop(failureOf(error));
      this.#window.putBack(instance);
      return undefined;
    }
  }

  async #close(line: StoreLine | undefined): Promise<void> {
    if (line === undefined) return;
    const inOrder = await line.close();
    if (!inOrder) (this.#options.log ?? silent).info('store.not-released', { peer: nameOf(this.#peer) });
  }

  #stop(failure: Failure): void {
    this.#stopped ??= failure;
    this.#window.close();
  }

  async #failRest(): Promise<void> {
    for await (const { item, instance } of this.#window.rest()) {
      const subject: Subject = instance ?? { item };
      this.#came(failed(subject, this.#stopped ?? cancelled().failure));
      instance?.close();
      while (this.#outcomes.length >= UNREAD && !this.#abandoned) {
        await new Promise<void>((resolve) => this.#space.push(resolve));
      }
    }
  }

  #came(outcome: StoreOutcome): void {
    this.#outcomes.push(outcome);
    this.#reader?.();
    this.#reader = undefined;
  }
}
