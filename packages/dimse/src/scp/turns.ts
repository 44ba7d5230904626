/**
 * Everybody gets a turn: work on requests goes in slices of some milliseconds. Once a round of the event loop has been
 * used up, the next slice goes to the peer that has waited for longest, however many requests another one has.
 */
const SLICE_MS = 5;
/** Work of one round of the event loop, after which all further work waits in line. */
const ROUND_MS = 10;

export class Turns {
  /** What waits, by peer; the first peer is next. */
  readonly #lines = new Map<string, (() => void)[]>();
  #roundBegan: number | undefined;

  /** The line of a peer. */
  of(peer: string): Turn {
    return new Turn((isFirst) => this.#enter(peer, isFirst));
  }

  /** Undefined: go on at once, which only the first slice of a request may. */
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
