/**
 * How much memory strangers may take up with what they send: one budget for a listener, and one for each peer. Bytes count
 * from the first of an unfinished PDU or message until the request is answered. Whoever exceeds it last is refused.
 */
import type { Room } from '../ul/reader.ts';
import type { NoRoom, ScpLimits } from './types.ts';

type BudgetLimits = Pick<ScpLimits, 'heldBytes' | 'heldBytesPerPeer' | 'freeBytes'>;
export class Budget {
  readonly #limits: BudgetLimits;
  readonly #perPeer = new Map<string, number>();
  #total = 0;

  constructor(limits: BudgetLimits) {
    this.#limits = limits;
  }

  /** Bytes that are taken at this moment, without what is free. */
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
