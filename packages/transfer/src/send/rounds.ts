/** Sends all there is. What fails goes behind the others, and again with growing pauses. */
import { setTimeout as pause } from 'node:timers/promises';
import { store, type Peer, type StoreItem, type StoreOutcome } from '@scanflow/dimse/store';
import type { PrivateTag } from '@scanflow/dicom';
import type { Found, Wanted } from './found.ts';
import { filesOf, isPlain, plainFiles, type Input } from './inputs.ts';
import { lookFor, type Seen } from './look.ts';
import type { Notes } from './notes.ts';
import { refusedFile } from './packed.ts';
import { seeRest } from './rest.ts';
import { Spool } from './spool.ts';
import { Tally } from './tally.ts';

export interface Order {
  readonly inputs: readonly Input[];
  readonly peer: Peer;
  readonly tag: PrivateTag | undefined;
  readonly associations: number;
  /** How long what failed for now is tried again, in milliseconds, while nothing of it gets any further. */
  readonly retryMs: number;
  readonly signal: AbortSignal;
  /** Of what an earlier run sent, and of what this one does. */
  readonly notes: Notes | undefined;
  readonly progress: (tally: Tally) => void;
  /** Is told before files are tried again; without a pause, where the association ended over another one. */
  readonly retrying: (files: number, pauseMs: number, why: string) => void;
}

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
/** So often in a row a peer may break off without taking anything before it is given a pause. */
const BARREN = 3;
/** Where files that were never begun are begun next, after each time that nothing got further: never near the last place. */
const GOLDEN = 0.618_034;

export async function sendAll(order: Order): Promise<Tally> {
  const sending = new Sending(order);
  try {
    await sending.first();
    await sending.again();
    await seeRest({ inputs: sending.inputs, signal: order.signal }, sending.tally, sending.spool);
  } finally {
    await sending.spool.close();
  }
  return sending.tally;
}

class Sending {
  readonly tally = new Tally();
  readonly spool = new Spool();
  readonly #order: Order;
  /** What was named, and archives that were found in its folders. */
  inputs: readonly Input[];

  constructor(order: Order) {
    this.#order = order;
    this.inputs = order.inputs;
  }

  /** Every file once, those of archives in folders at the end. */
  async first(): Promise<void> {
    const { inputs } = this.#order;
    const archives = await this.#pass(inputs, undefined);
    if (archives.length === 0) return;
    this.inputs = [...inputs, ...archives];
    // an archive in an archive is not among what is found
    await this.#pass(archives, undefined);
  }

  /** What failed for now, until it has gone or nothing has got further for the retry time. */
  async again(): Promise<void> {
    const { tally } = this;
    const patience = new Patience(this.#order.retryMs);
    for (let begun = tally.begun > 0; tally.open.length > 0 && !this.#order.signal.aborted;) {
      const before = { settled: tally.settled, begun: tally.begun };
      const { open, untried } = tally;
      const atOnce = begun && untried.length > 0 && patience.barren < BARREN;
      const pauseMs = atOnce ? 0 : patience.pauseMs;
      if (pauseMs > patience.leftMs) return;
      const [next = [], ...rest] = open;
      const first = untried.length > 0 ? turned(next, patience.barren) : [next];
      await this.#rest(
        atOnce ? untried.length : open.flat().length,
        pauseMs,
        (untried.length > 0 ? open.at(-1) : next)?.[0],
      );
      await this.#turn(atOnce ? first : [...first, ...rest]);
      begun = tally.begun > before.begun;
      patience.turned(tally.settled > before.settled, atOnce);
    }
  }

  /** `of`: the file whose failure says why. */
  async #rest(files: number, pauseMs: number, of = ''): Promise<void> {
    const { signal, retrying } = this.#order;
    retrying(files, pauseMs, this.tally.failures.get(of)?.failure.message ?? '');
    if (pauseMs > 0) await pause(pauseMs, undefined, { signal }).catch(() => undefined);
  }

  /** Group after group; where the peer takes nothing at all, the others would find the same. */
  async #turn(groups: readonly (readonly string[])[]): Promise<void> {
    for (const group of groups) {
      if (group.length === 0 || this.#order.signal.aborted) continue;
      const before = this.tally.begun;
      await this.#pass(this.inputs, new Set(group));
      if (this.tally.begun === before) return;
    }
  }

  /** Files of the inputs once; `only`: these. Gives archives that were come across in folders. */
  async #pass(inputs: readonly Input[], only: ReadonlySet<string> | undefined): Promise<Input[]> {
    const { peer, associations, signal, progress } = this.#order;
    const { tally, spool } = this;
    const underWay = new Map<string, UnderWay>();
    const archives: Input[] = [];
    const wanted = only === undefined ? this.#unsent() : (id: string): boolean => only.has(id);
    const trouble = (source: string, message: string): void => void tally.troubles.set(source, message);
    const itemOf = (found: Found): StoreItem => this.#item(found, underWay);
    const items = inputs.every(isPlain)
      ? mapped(inputs, (input) => plainFiles(input, { wanted, trouble }), itemOf)
      : mappedLater(filesOf(inputs, { wanted, spool, trouble }), itemOf);
    const options = {
      signal,
      associations,
      inPlace: true,
      // a peer that broke off is not asked for several at a time again
      ...(only === undefined ? {} : { operations: 1 }),
    };
    for await (const outcome of store(peer, items, options)) {
      const entry = underWay.get(outcome.id);
      underWay.delete(outcome.id);
      if (entry === undefined) continue;
      this.#came(outcome, entry, archives);
      progress(tally);
    }
    return archives;
  }

  /** Those that no earlier run has sent. */
  #unsent(): Wanted {
    const { notes } = this.#order;
    if (notes === undefined) return () => true;
    return (id, version) => {
      if (!notes.hasSent(id, version)) return true;
      this.tally.earlier += 1;
      return false;
    };
  }

  #item(found: Found, underWay: Map<string, UnderWay>): StoreItem {
    const entry: UnderWay = { found };
    underWay.set(found.id, entry);
    const { id, path, bytes, open } = found;
    const look = lookFor(this.#order.tag, this.tally.known, (seen) => (entry.seen = seen));
    return {
      id,
      look,
      ...(path === undefined ? {} : { path }),
      ...(bytes === undefined ? {} : { bytes }),
      ...(open === undefined ? {} : { open }),
    };
  }

  #came(outcome: StoreOutcome, { found, seen }: UnderWay, archives: Input[]): void {
    const { tally } = this;
    const more = outcome.result === 'failed' ? refusedFile(found, outcome.failure) : undefined;
    found.drop?.();
    if (outcome.result !== 'failed') this.#order.notes?.sent(found.id);
    if (more === undefined) tally.outcome(outcome, found, seen ?? known(found));
    else if ('archive' in more) archives.push(more.archive);
    else if ('trouble' in more) tally.troubles.set(found.id, more.trouble);
    else tally.outcome({ id: outcome.id, result: 'failed', failure: more.failure }, found, undefined);
  }
}

/** How long is waited before the next turn, and for how long nothing may get any further. */
class Patience {
  readonly #retryMs: number;
  #until: number;
  pauseMs = FIRST_PAUSE_MS;
  /** Turns in a row in which nothing got any further. */
  barren = 0;

  constructor(retryMs: number) {
    this.#retryMs = retryMs;
    this.#until = performance.now() + retryMs;
  }

  get leftMs(): number {
    return Math.max(0, this.#until - performance.now());
  }

  turned(further: boolean, atOnce: boolean): void {
    this.barren = further ? 0 : this.barren + 1;
    if (!atOnce) this.pauseMs = Math.min(2 * this.pauseMs, LONGEST_PAUSE_MS);
    if (!further) return;
    this.pauseMs = FIRST_PAUSE_MS;
    this.#until = performance.now() + this.#retryMs;
  }
}

interface UnderWay {
  readonly found: Found;
  seen?: Seen;
}

/** From another place each time. */
function turned(files: readonly string[], barren: number): string[][] {
  const at = Math.floor(files.length * ((barren * GOLDEN) % 1));
  return [files.slice(at), files.slice(0, at)];
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
