/** What `scanflow send` does: C-STORE of files, folders, archives and images at Orthanc. What fails goes behind the others, and again after growing pauses. */
import { open } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { defined, given } from '@scanflow/failure/defined';
import type { PrivateTag } from '@scanflow/dicom';
import { store, type Peer, type StoreItem, type StoreOutcome } from '@scanflow/dimse/store';
import { Spool, type Found, type Wanted } from './found.ts';
import { filesOf, isPlain, plainFiles, type Input } from './inputs.ts';
import { lookFor, refusedFile, type Seen } from './look.ts';
import type { Notes } from './notes.ts';
import { Tally } from './tally.ts';

export { countFiles, lookAt, type Input, type OrthancInput } from './inputs.ts';
export type { Notes } from './notes.ts';
export type { FailedFile, SeriesRow, Tally } from './tally.ts';

/** What to send, where to, and how. */
export interface Order {
  readonly inputs: readonly Input[];
  readonly peer: Peer;
  readonly tag: PrivateTag | undefined;
  readonly associations: number;
  /** How long to retry while nothing succeeds, in milliseconds. 0: no retry. */
  readonly retryMs: number;
  readonly signal: AbortSignal;
  /** The journal: what an earlier run sent, and what this run sends. Undefined: none. */
  readonly notes: Notes | undefined;
  readonly progress: (tally: Tally) => void;
  /** Called before a retry. `pauseMs` is 0 if the association ended because of another file. */
  readonly retrying: (files: number, pauseMs: number, why: string) => void;
}

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
/** How often in a row a peer may break off without taking anything before there is a pause. */
const BARREN = 3;
/** Files that were never begun start at another place after each failed turn: never near the last one. */
const GOLDEN = 0.618_034;

/**
 * Sends every file by C-STORE, and retries what failed for now. Each file counts once in the result.
 *
 * Never rejects for what a peer or a file does: those are failures in the tally. When the signal aborts, files that were
 * not sent stay there as failures.
 */
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
  /** The inputs of the order, and archives in their folders. */
  inputs: readonly Input[];

  constructor(order: Order) {
    this.#order = order;
    this.inputs = order.inputs;
  }

  /** Every file once. Archives that lie in folders come last. */
  async first(): Promise<void> {
    const { inputs } = this.#order;
    const archives = await this.#pass(inputs, undefined);
    if (archives.length === 0) return;
    this.inputs = [...inputs, ...archives];
    // an archive in an archive is not among what is found
    await this.#pass(archives, undefined);
  }

  /** Retries what failed for now, until all is sent or nothing succeeds during the retry time. */
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

  /** Group after group. Stops if the peer takes nothing at all: the others would fail alike. */
  async #turn(groups: readonly (readonly string[])[]): Promise<void> {
    for (const group of groups) {
      if (group.length === 0 || this.#order.signal.aborted) continue;
      const before = this.tally.begun;
      await this.#pass(this.inputs, new Set(group));
      if (this.tally.begun === before) return;
    }
  }

  /** Sends the files of the inputs once, or `only` these. Returns archives that lie in folders. */
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
      // a peer that broke off gets one operation at a time
      ...defined({ operations: given(only, () => 1) }),
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

  /** Wants files that no earlier run has sent. */
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
      ...defined({ path, bytes, open }),
    };
  }

  #came(outcome: StoreOutcome, { found, seen }: UnderWay, archives: Input[]): void {
    const { tally } = this;
    const more = outcome.result === 'failed' ? refusedFile(found, outcome.failure) : undefined;
    found.drop?.();
    if (outcome.result !== 'failed') this.#order.notes?.sent(found.id, seen?.stat);
    if (more === undefined) tally.outcome(outcome, found, seen ?? known(found));
    else if ('archive' in more) archives.push(more.archive);
    else if ('trouble' in more) tally.troubles.set(found.id, more.trouble);
    else tally.outcome({ id: outcome.id, result: 'failed', failure: more.failure }, found, undefined);
  }
}

/** The pause before the next turn, and how long nothing may succeed. */
class Patience {
  readonly #retryMs: number;
  #until: number;
  pauseMs = FIRST_PAUSE_MS;
  /** Turns in a row without progress. */
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

/** The files from another place at each failed turn: first those behind it, then those before it. */
function turned(files: readonly string[], barren: number): string[][] {
  const at = Math.floor(files.length * ((barren * GOLDEN) % 1));
  return [files.slice(at), files.slice(0, at)];
}

/** What is known of a file that nobody read. */
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

const HEAD = 262_144;

/** Reads files that nobody read before they were given up, so that the report has their series. */
async function seeRest(
  { inputs, signal }: { readonly inputs: readonly Input[]; readonly signal: AbortSignal },
  tally: Tally,
  spool: Spool,
): Promise<void> {
  const { unseen } = tally;
  if (unseen.size === 0 || signal.aborted) return;
  const wanted = (id: string): boolean => unseen.has(id);
  // what cannot be read was reported before
  const options = { wanted, spool, trouble: () => undefined };
  for await (const found of filesOf(inputs, options)) {
    const seen = await see(found, tally).catch(() => undefined);
    found.drop?.();
    if (seen === 'no image') tally.skip(found.id);
    else if (seen !== undefined) tally.place(found, seen);
  }
}

async function see({ path, bytes }: Found, { known }: Tally): Promise<Seen | 'no image' | undefined> {
  const { head, size } = bytes === undefined ? await headOf(path ?? '') : { head: bytes, size: bytes.length };
  // an empty file, or a DICOM file that breaks off, stays a failure
  if (size === 0) return undefined;
  if (Buffer.from(head.subarray(128, 132)).toString('latin1') !== 'DICM') return 'no image';
  let seen: Seen | undefined;
  const look = lookFor(undefined, known, (what) => (seen = what));
  const result = look({ head, complete: head.length === size, size });
  return 'failure' in result ? 'no image' : seen;
}

async function headOf(path: string): Promise<{ head: Uint8Array; size: number }> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(HEAD, size)), 0);
    return { head: buffer.subarray(0, bytesRead), size };
  } finally {
    await file.close();
  }
}
