/** Fetches and reads one calendar over many passes, and falls back to its last good state. */
import { readIsolated, type CalendarContent, type Window } from '@scanflow/calendar';
import type { Failure } from '@scanflow/failure';
import { sleep } from '@scanflow/runtime';
import { covers, cut, readAhead } from './domain/expand.ts';
import { sha256, type Memory, type Remembered } from './adapters/memory.ts';
import type { Source, Validators } from '@scanflow/sources';

export interface Reading {
  /** Whether the calendar answered in this pass. */
  readonly answered: boolean;
  /** A request runs without an answer so far; the last good state counts. */
  readonly waiting: boolean;
  /** Its latest readable content for the window; undefined before the first. */
  readonly content: CalendarContent | undefined;
  /** Why there is no answer. */
  readonly failure: Failure | undefined;
  readonly lastGood: Temporal.Instant | undefined;
  readonly suspicion: string | undefined;
  /** Whether a person accepts the removals that the shrink guard holds back. */
  readonly accepted: boolean;
  /** The earliest next request that its server allows (Retry-After). */
  readonly notBefore: Temporal.Instant | undefined;
  /** Its server's clock minus ours, in milliseconds. */
  readonly clockSkewMs: number | undefined;
  /** The answer of this pass, if one came. */
  readonly fetch: FetchReport | undefined;
}

export interface FetchReport {
  readonly outcome: 'new' | 'unchanged' | 'failed';
  /** Milliseconds for the fetch and the reading. */
  readonly ms: number;
  /** Bytes of the decoded body; 0 without a body. */
  readonly bytes: number;
}

export interface ReaderOptions {
  /** Its id: its state is kept under it. */
  readonly calendar: string;
  /** Address or path. Another one voids the validators. */
  readonly address: string;
  readonly source: Source;
  readonly memory: Memory;
  /** IANA zone of times without one. */
  readonly zone: string;
  /** Milliseconds that a pass waits for the answer. Afterwards the next pass takes the answer. */
  readonly patienceMs: number;
  /** Milliseconds until a calendar without an answer counts as failed. Its source should have timed out before. */
  readonly overdueMs: number;
}

const PARSE_TIMEOUT_MS = 60_000;
/** A body that took too long or too much memory is read again after this time. */
const REFUSED_MS = 600_000;
/** Most lag of the last good answer's time on disk, so that not each pass writes it. */
const LAST_GOOD_SLACK = Temporal.Duration.from({ minutes: 10 });
/** A Retry-After further ahead than this comes from a wrong clock. */
const LONGEST_WAIT = Temporal.Duration.from({ hours: 25 });

/** The content of a body, for the window and one more day. */
interface Read {
  readonly hash: string;
  readonly charset: string;
  readonly window: Window;
  readonly content: CalendarContent;
}

/** The outcome of a request. It counts once a pass takes it. */
type Answer = { readonly clockSkewMs?: number | undefined } & (
  | { readonly kind: 'failed'; readonly failure: Failure; readonly retryAfterMs?: number }
  /** A body that was no calendar. */
  | { readonly kind: 'refused'; readonly failure: Failure; readonly hash: string; readonly bytes: number }
  | {
      readonly kind: 'unchanged';
      readonly validators: Validators;
      readonly charset: string;
      readonly bytes: number;
    }
  | {
      readonly kind: 'new';
      readonly validators: Validators;
      readonly body: Uint8Array;
      readonly read: Read;
      readonly bytes: number;
    }
);

interface Asking {
  /** In the time of `performance.now()`. */
  readonly began: number;
  /** Set when it is done. */
  answer?: Answer & { readonly ms: number };
  readonly done: Promise<void>;
}

export class Reader {
  readonly #options: ReaderOptions;
  #state: Remembered | undefined;
  #saved: Remembered = { validators: {} };
  #read: Read | undefined;
  #failure: Failure | undefined;
  /** The last body that was no calendar. The reader does not read the same body again. */
  #refused: { readonly hash: string; readonly failure: Failure; readonly at: number } | undefined;
  /** At most one request runs at a time, however long it takes. */
  #asking: Asking | undefined;
  #clockSkewMs: number | undefined;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  get source(): Source {
    return this.#options.source;
  }

  /** Fetches and reads. A calendar without a usable answer keeps its last good state. */
  async read(window: Window, now: Temporal.Instant, signal: AbortSignal): Promise<Reading> {
    await this.#load(window);
    const accepted = await this.#options.memory.takeAcceptance(this.#options.calendar);
    const answer = await this.#hear(window, now, signal);
    if (answer !== undefined) await this.#take(answer, now);
    const { lastGood, suspicion, notBefore } = this.#current();
    return {
      answered: answer?.kind === 'new' || answer?.kind === 'unchanged',
      waiting: this.#asking !== undefined,
      content: await this.#content(window),
      failure: this.#failure,
      lastGood,
      suspicion,
      accepted,
      notBefore: isAhead(notBefore, now) ? notBefore : undefined,
      clockSkewMs: this.#clockSkewMs,
      fetch: answer === undefined ? undefined : reportOf(answer),
    };
  }

  /** Saves the suspicion of the shrink guard and all other new state for a restart. */
  async remember(suspicion: string | undefined): Promise<void> {
    const { suspicion: _, ...rest } = this.#current();
    this.#state = suspicion === undefined ? rest : { ...rest, suspicion };
    if (!isNews(this.#saved, this.#state)) return;
    const { memory, calendar, address } = this.#options;
    await memory.save(calendar, address, this.#state);
    this.#saved = this.#state;
  }

  /** With what the next request asks whether the calendar changed, and when its server allows it. */
  standing(): Pick<Remembered, 'validators' | 'notBefore'> {
    return this.#current();
  }

  #current(): Remembered {
    return this.#state ?? { validators: {} };
  }

  /** The state, first from disk. Its validators count only while its body is readable. */
  async #load(window: Window): Promise<void> {
    if (this.#state === undefined) {
      this.#state = await this.#options.memory.load(this.#options.calendar, this.#options.address);
      this.#saved = this.#state;
    }
    if ((await this.#lastGood(window)) !== undefined) return;
    const { bodyHash: _, ...rest } = this.#state;
    this.#state = { ...rest, validators: {} };
  }

  /** The answer to this pass or an earlier one, if it comes in time. */
  async #hear(
    window: Window,
    now: Temporal.Instant,
    signal: AbortSignal,
  ): Promise<Asking['answer'] | undefined> {
    if (this.#asking === undefined) {
      if (isAhead(this.#current().notBefore, now)) return undefined;
      const asking = this.#begin(window, signal);
      this.#asking = asking;
      const enough = new AbortController();
      const patience = sleep(this.#options.patienceMs, enough.signal);
      await Promise.race([asking.done, patience]).finally(() => enough.abort());
    }
    const { answer, began } = this.#asking;
    const waited = performance.now() - began;
    if (answer !== undefined) this.#asking = undefined;
    else if (waited > this.#options.overdueMs) this.#failure = overdue(waited);
    return answer;
  }

  #begin(window: Window, signal: AbortSignal): Asking {
    const began = performance.now();
    const ask = async (): Promise<void> => {
      const answer = await this.#ask(window, signal).catch(unexpected);
      asking.answer = { ...answer, ms: performance.now() - began };
    };
    // begun a turn later, so that `asking` is there
    const asking: Asking = { began, done: Promise.resolve().then(ask) };
    return asking;
  }

  async #ask(window: Window, signal: AbortSignal): Promise<Answer> {
    const { validators: before, bodyHash, charset: declared = '' } = this.#current();
    const fetched = await this.#options.source.fetch(before, signal);
    if (fetched.kind === 'failed') return fetched;
    const { clockSkewMs } = fetched;
    if (fetched.kind === 'notModified')
      return { kind: 'unchanged', validators: before, charset: declared, bytes: 0, clockSkewMs };
    const { bytes: body, charset = '', validators } = fetched;
    const [hash, bytes] = [sha256(body), body.length];
    if (hash === bodyHash && charset === declared)
      return { kind: 'unchanged', validators, charset, bytes, clockSkewMs };
    const refused = this.#refused;
    if (refused?.hash === hash && isStillRefused(refused))
      return { kind: 'refused', hash, failure: refused.failure, bytes, clockSkewMs };
    const read = await this.#parse(body, { hash, charset }, window);
    return 'code' in read
      ? { kind: 'refused', failure: read, hash, bytes, clockSkewMs }
      : { kind: 'new', validators, body, read, bytes, clockSkewMs };
  }

  /** Only a readable calendar replaces the last good body. */
  async #take(answer: Answer, now: Temporal.Instant): Promise<void> {
    this.#clockSkewMs = answer.clockSkewMs ?? this.#clockSkewMs;
    const { notBefore: _, ...state } = this.#current();
    this.#failure = 'failure' in answer ? answer.failure : undefined;
    if (answer.kind === 'failed') {
      const { retryAfterMs: ms } = answer;
      this.#state =
        ms === undefined ? state : { ...state, notBefore: now.add({ milliseconds: Math.ceil(ms) }) };
      return;
    }
    this.#state = state;
    if (answer.kind === 'refused') {
      this.#refuse(answer);
      return;
    }
    this.#refused = undefined;
    const heard = { ...state, validators: answer.validators, lastGood: now };
    if (answer.kind === 'new') {
      await this.#options.memory.saveBody(this.#options.calendar, answer.body);
      this.#read = answer.read;
    }
    // save the body before its ETag: otherwise a crash turns the next 304 into lost bookings
    this.#state =
      answer.kind === 'new'
        ? { ...heard, bodyHash: answer.read.hash, charset: answer.read.charset }
        : { ...heard, charset: answer.charset };
  }

  #refuse({ hash, failure }: { hash: string; failure: Failure }): void {
    const known = this.#refused;
    const isKnown = known?.hash === hash && isStillRefused(known);
    this.#refused = isKnown ? known : { hash, failure, at: performance.now() };
  }

  async #parse(
    bytes: Uint8Array,
    { hash, charset }: Pick<Read, 'hash' | 'charset'>,
    wanted: Window,
  ): Promise<Read | Failure> {
    const window = readAhead(wanted);
    const { zone } = this.#options;
    const read = await readIsolated(bytes, { window, zone, charset, timeoutMs: PARSE_TIMEOUT_MS });
    return read.ok ? { hash, charset, window, content: read.content } : { kind: 'transient', ...read.error };
  }

  async #content(window: Window): Promise<CalendarContent | undefined> {
    const read = await this.#lastGood(window);
    return read === undefined ? undefined : cut(read.content, window);
  }

  /** The last good content. It is read again from disk about once a day, when the window has moved on. */
  async #lastGood(window: Window): Promise<Read | undefined> {
    const { bodyHash: hash, charset = '' } = this.#current();
    if (hash === undefined) return undefined;
    if (this.#read?.hash === hash && covers(this.#read.window, window)) return this.#read;
    const bytes = await this.#options.memory.loadBody(this.#options.calendar, hash);
    const read = bytes === undefined ? undefined : await this.#parse(bytes, { hash, charset }, window);
    if (read === undefined || 'code' in read) return undefined;
    this.#read = read;
    return read;
  }
}

/** The same bytes give the same result, except for failures of this machine: memory, time, the reader itself. */
function isStillRefused({ failure, at }: { readonly failure: Failure; readonly at: number }): boolean {
  if (failure.code === 'FEED_UNEXPECTED') return false;
  const mayPass = failure.code === 'FEED_TIMEOUT' || failure.code === 'FEED_TOO_MUCH';
  return !mayPass || performance.now() - at < REFUSED_MS;
}

/** A source that throws is defective. Its message may hold an address. */
const unexpected = (error: unknown): Answer => ({
  kind: 'failed',
  failure: {
    kind: 'transient',
    code: 'FETCH_UNEXPECTED',
    message: `The calendar could not be fetched (${error instanceof Error ? error.name : 'unknown'}); it is tried again.`,
  },
});

const overdue = (ms: number): Failure => ({
  kind: 'transient',
  code: 'FETCH_TIMEOUT',
  message: `The calendar has not answered for ${Math.round(ms / 1000)} s: check that the place where it lies, such as a network folder, responds.`,
});

const reportOf = (answer: Answer & { readonly ms: number }): FetchReport => ({
  outcome: answer.kind === 'new' || answer.kind === 'unchanged' ? answer.kind : 'failed',
  ms: answer.ms,
  bytes: 'bytes' in answer ? answer.bytes : 0,
});

const isAhead = (time: Temporal.Instant | undefined, now: Temporal.Instant): boolean =>
  time !== undefined &&
  Temporal.Instant.compare(now, time) < 0 &&
  Temporal.Instant.compare(time, now.add(LONGEST_WAIT)) < 0;

function isNews(saved: Remembered, state: Remembered): boolean {
  const { lastGood: before, ...oldRest } = saved;
  const { lastGood: after, ...newRest } = state;
  if (JSON.stringify(oldRest) !== JSON.stringify(newRest)) return true;
  if (after === undefined) return false;
  return before === undefined || Temporal.Duration.compare(after.since(before), LAST_GOOD_SLACK) > 0;
}
