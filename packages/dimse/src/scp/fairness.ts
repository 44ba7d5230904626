/** Limits what one stranger takes from others: memory by a `Budget`, time by `Turns`. */
import type { Room } from '../ul/reader.ts';
import type { NoRoom, ScpLimits } from './types.ts';

type BudgetLimits = Pick<ScpLimits, 'heldBytes' | 'heldBytesPerPeer' | 'freeBytes'>;

/**
 * How much memory requests take up: one budget for a listener, and one for each peer. Bytes count from the first byte of
 * an unfinished PDU or message until the request is answered. The listener refuses whoever exceeds the budget last.
 */
export class Budget {
  readonly #limits: BudgetLimits;
  readonly #perPeer = new Map<string, number>();
  #total = 0;

  constructor(limits: BudgetLimits) {
    this.#limits = limits;
  }

  /** Bytes in use at this moment, without the free ones. */
  get taken(): number {
    return this.#total;
  }

  /** Room for one connection from `address`; `onFull` is called when it finds none. */
  open(address: string, onFull: (why: NoRoom) => void): Account {
    return new Account(this.#limits.freeBytes, {
      take: (bytes) => {
        const why = this.#take(address, bytes);
        if (why !== undefined) onFull(why);
        return why === undefined;
      },
      give: (bytes) => this.#add(address, -bytes),
    });
  }

  #take(address: string, bytes: number): NoRoom | undefined {
    if ((this.#perPeer.get(address) ?? 0) + bytes > this.#limits.heldBytesPerPeer) return 'bytes per peer';
    if (this.#total + bytes > this.#limits.heldBytes) return 'bytes';
    this.#add(address, bytes);
    return undefined;
  }

  #add(address: string, bytes: number): void {
    this.#total += bytes;
    const now = (this.#perPeer.get(address) ?? 0) + bytes;
    // addresses that hold nothing are forgotten: there are many of them
    if (now === 0) this.#perPeer.delete(address);
    else this.#perPeer.set(address, now);
  }
}

/** The room of one connection. Its first bytes are free, so that a query is answered however much others hold. */
export class Account implements Room {
  readonly #free: number;
  readonly #budget: Room;
  #held = 0;
  #since: number | undefined;
  #closed = false;

  constructor(free: number, budget: Room) {
    this.#free = free;
    this.#budget = budget;
  }

  /** Since when it holds bytes without a break, by performance.now(). */
  get heldSince(): number | undefined {
    return this.#since;
  }

  take(bytes: number): boolean {
    if (this.#closed) return false;
    const more = this.#counted(this.#held + bytes) - this.#counted(this.#held);
    if (more > 0 && !this.#budget.take(more)) return false;
    this.#held += bytes;
    this.#since ??= performance.now();
    return true;
  }

  give(bytes: number): void {
    if (this.#closed) return;
    const less = this.#counted(this.#held) - this.#counted(this.#held - bytes);
    if (less > 0) this.#budget.give(less);
    this.#held -= bytes;
    if (this.#held === 0) this.#since = undefined;
  }

  /** Gives back all that it holds, for good. */
  close(): void {
    this.give(this.#held);
    this.#closed = true;
  }

  #counted(held: number): number {
    return Math.max(0, held - this.#free);
  }
}

const SLICE_MS = 5;
/** After this much work in one round of the event loop, all further work waits in line. */
const ROUND_MS = 10;

/**
 * Everybody gets a turn: work on requests goes in slices of some milliseconds. Once a round of the event loop has been
 * used up, the next slice goes to the peer that has waited longest, however many requests another peer has.
 */
export class Turns {
  /** What waits, by peer; the first peer is next. */
  readonly #lines = new Map<string, (() => void)[]>();
  #roundBegan: number | undefined;

  /** The line of a peer. */
  of(peer: string): Turn {
    return new Turn((isFirst) => this.#enter(peer, isFirst));
  }

  /** Undefined: go on at once; only the first slice of a request may. */
  #enter(peer: string, isFirst: boolean): Promise<void> | undefined {
    const now = performance.now();
    if (this.#roundBegan === undefined) {
      this.#roundBegan = now;
      setImmediate(() => this.#nextRound());
    }
    if (isFirst && this.#lines.size === 0 && now - this.#roundBegan < ROUND_MS) return undefined;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const line = this.#lines.get(peer);
    const go = (): void => resolve(undefined);
    if (line === undefined) this.#lines.set(peer, [go]);
    else line.push(go);
    return promise;
  }

  #nextRound(): void {
    this.#roundBegan = undefined;
    const [first] = this.#lines;
    if (first === undefined) return;
    const [peer, [go, ...rest]] = first;
    this.#lines.delete(peer);
    // behind the others
    if (rest.length > 0) this.#lines.set(peer, rest);
    this.#roundBegan = performance.now();
    setImmediate(() => this.#nextRound());
    go?.();
  }
}

/** The slices of one request. */
export class Turn {
  readonly #enter: (isFirst: boolean) => Promise<void> | undefined;
  #began: number | undefined;

  constructor(enter: (isFirst: boolean) => Promise<void> | undefined) {
    this.#enter = enter;
  }

  /** Whether the slice has been used up. */
  get isOver(): boolean {
    return performance.now() - (this.#began ?? 0) > SLICE_MS;
  }

  /** Waits for the next slice. The first one may begin at once; before each other the event loop goes round. */
  async next(): Promise<void> {
    const wait = this.#enter(this.#began === undefined);
    if (wait !== undefined) await wait;
    this.#began = performance.now();
  }
}
