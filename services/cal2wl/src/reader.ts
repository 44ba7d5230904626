/** One calendar over many passes: asks for it, reads it, and falls back on what it last said. */
import { readIsolated, type CalendarContent, type Window } from '@scanflow/calendar';
import type { Failure } from '@scanflow/chassis';
import { covers, cut, readAhead } from './domain/expand.ts';
import { sha256, type Memory, type Remembered } from './adapters/memory.ts';
import type { Fetched, Source } from './source.ts';

export interface Reading {
  /** Whether the calendar itself was heard in this pass. */
  readonly answered: boolean;
  /** What it says about the window, now or last; undefined when it was never read. */
  readonly content: CalendarContent | undefined;
  /** Why it was not heard. */
  readonly failure: Failure | undefined;
  readonly lastGood: Temporal.Instant | undefined;
  readonly suspicion: string | undefined;
}

export interface ReaderOptions {
  readonly calendar: string;
  /** Address or path: another one makes validators void. */
  readonly address: string;
  readonly source: Source;
  readonly memory: Memory;
  /** IANA zone of times without one. */
  readonly zone: string;
  readonly parseTimeoutMs?: number;
}

const PARSE_TIMEOUT_MS = 60_000;
/** How old the time of the last good answer on disk may be: it is no reason to write at each pass. */
const LAST_GOOD_SLACK = Temporal.Duration.from({ minutes: 10 });

export class Reader {
  readonly #options: ReaderOptions;
  #state: Remembered | undefined;
  #saved: Remembered = { validators: {} };
  #read: { hash: string; window: Window; content: CalendarContent } | undefined;
  #notBefore: Temporal.Instant | undefined;
  #failure: Failure | undefined;
  /** The last body that was no calendar: the same again is not read again. */
  #refused: { hash: string; failure: Failure } | undefined;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /** Asks and reads; a calendar that does not answer, or answers nonsense, gives what it last said. */
  async read(window: Window, now: Temporal.Instant, signal: AbortSignal): Promise<Reading> {
    const state = await this.#load(window);
    const patient = this.#notBefore !== undefined && Temporal.Instant.compare(now, this.#notBefore) < 0;
    if (!patient) this.#failure = await this.#ask(state, window, now, signal);
    const answered = !patient && this.#failure === undefined;
    const { lastGood, suspicion } = this.#current();
    return { answered, content: await this.#content(window), failure: this.#failure, lastGood, suspicion };
  }

  /** Keeps what the shrink guard holds back, and all else that is new, over a restart. */
  async remember(suspicion: string | undefined): Promise<void> {
    const { suspicion: _, ...rest } = this.#current();
    this.#state = suspicion === undefined ? rest : { ...rest, suspicion };
    if (!isNews(this.#saved, this.#state)) return;
    const { memory, calendar, address } = this.#options;
    await memory.save(calendar, address, this.#state);
    this.#saved = this.#state;
  }

  #current(): Remembered {
    return this.#state ?? { validators: {} };
  }

  /** At first the state on disk; its validators count only while its body can be read. */
  async #load(window: Window): Promise<Remembered> {
    if (this.#state === undefined) {
      this.#state = await this.#options.memory.load(this.#options.calendar, this.#options.address);
      this.#saved = this.#state;
    }
    if ((await this.#content(window)) === undefined) {
      const { bodyHash: _, ...rest } = this.#state;
      this.#state = { ...rest, validators: {} };
    }
    return this.#state;
  }

  async #ask(
    state: Remembered,
    window: Window,
    now: Temporal.Instant,
    signal: AbortSignal,
  ): Promise<Failure | undefined> {
    const fetched = await this.#options.source.fetch(state.validators, signal);
    this.#notBefore = notBefore(fetched, now);
    if (fetched.kind === 'failed') return fetched.failure;
    if (fetched.kind === 'notModified') {
      this.#state = { ...state, lastGood: now };
      return undefined;
    }
    const hash = sha256(fetched.bytes);
    if (hash !== state.bodyHash) {
      const failure = await this.#take(fetched.bytes, hash, window);
      if (failure !== undefined) return failure;
    }
    this.#state = { ...state, validators: fetched.validators, bodyHash: hash, lastGood: now };
    return undefined;
  }

  /** Reads a new body, and only if it is a calendar puts it in the place of the last good one. */
  async #take(bytes: Uint8Array, hash: string, window: Window): Promise<Failure | undefined> {
    if (this.#refused?.hash === hash) return this.#refused.failure;
    const failure = await this.#parse(bytes, hash, window);
    this.#refused = failure === undefined ? undefined : { hash, failure };
    if (failure === undefined) await this.#options.memory.saveBody(this.#options.calendar, bytes);
    return failure;
  }

  async #parse(bytes: Uint8Array, hash: string, wanted: Window): Promise<Failure | undefined> {
    const window = readAhead(wanted);
    const { zone, parseTimeoutMs: timeoutMs = PARSE_TIMEOUT_MS } = this.#options;
    const read = await readIsolated(bytes, { window, zone, timeoutMs });
    if (!read.ok) return { kind: 'transient', ...read.error };
    this.#read = { hash, window, content: read.content };
    return undefined;
  }

  /** The last good content in the window; read again from disk about once a day, when the window has moved on. */
  async #content(window: Window): Promise<CalendarContent | undefined> {
    const hash = this.#current().bodyHash;
    if (hash === undefined) return undefined;
    if (this.#read?.hash !== hash || !covers(this.#read.window, window)) {
      const bytes = await this.#options.memory.loadBody(this.#options.calendar, hash);
      if (bytes === undefined || (await this.#parse(bytes, hash, window)) !== undefined) return undefined;
    }
    return this.#read === undefined ? undefined : cut(this.#read.content, window);
  }
}

const notBefore = (fetched: Fetched, now: Temporal.Instant): Temporal.Instant | undefined =>
  fetched.kind === 'failed' && fetched.retryAfterMs !== undefined
    ? now.add({ milliseconds: Math.ceil(fetched.retryAfterMs) })
    : undefined;

function isNews(saved: Remembered, state: Remembered): boolean {
  const { lastGood: before, ...oldRest } = saved;
  const { lastGood: after, ...newRest } = state;
  if (JSON.stringify(oldRest) !== JSON.stringify(newRest)) return true;
  if (after === undefined) return false;
  return before === undefined || Temporal.Duration.compare(after.since(before), LAST_GOOD_SLACK) > 0;
}
