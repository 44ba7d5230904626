/** Writes into booking calendars what became of their events, where the configuration wants it (`calendars.NAME.answer`). */
import { rowOf, type Outcome } from '@scanflow/booking';
import type { Config } from '@scanflow/config';
import { ALONE, type Guard } from '@scanflow/database/leadership';
import type { Failure } from '@scanflow/failure';
import type { Log } from '@scanflow/runtime';
import { CATEGORIES, MARK, type Answer, type Answered, type Source } from '@scanflow/sources';
import { isLeaseGone } from './lead.ts';
import type { CalendarReport, PassReport } from './report.ts';

type Wish = NonNullable<Config['calendars'][string]['answer']>;

/** Most events of a calendar that one pass writes. */
const MOST_PER_PASS = 20;
/** Most requests to write one event in a day: also a server that alters what is written, or a person who removes it, ends there. */
const MOST_PER_EVENT = 5;
const DAY_MS = 86_400_000;
/** Pause after a server that does not answer. */
const PAUSE_MS = 600_000;

interface WishOptions {
  readonly wish: Wish;
  readonly isErased: (one: Outcome) => boolean;
  readonly zone: string;
}

type State = 'rejected' | 'taken' | 'skipped';

/** The answer of each event, by UID. A series has one answer for all its occurrences. A UID of several events has none. Pure. */
export function wishesOf(
  outcomes: readonly Outcome[],
  options: WishOptions,
): Map<string, Answer | undefined> {
  const byUid = Map.groupBy(outcomes, ({ uid }) => uid);
  const wishes = new Map<string, Answer | undefined>();
  for (const [uid, all] of byUid) {
    const occurrences = new Set(all.map(({ recurrenceId }) => recurrenceId));
    if (uid !== undefined && occurrences.size === all.length) wishes.set(uid, wishOf(all, options));
  }
  return wishes;
}

function wishOf(all: readonly Outcome[], { wish, isErased, zone }: WishOptions): Answer | undefined {
  const { property, when } = wish;
  const stateOf = (one: Outcome): State =>
    isErased(one) ? 'skipped' : one.outcome === 'booking' ? 'taken' : one.outcome;
  const known = all.flatMap((one) => {
    const state = stateOf(one);
    return state === 'skipped' ? [] : [{ one, state, text: textOf(one) }];
  });
  const wanted = known.filter(({ state }) => when.includes(state));
  const [first] = wanted;
  if (first === undefined) return undefined;
  const isWhole = (same: (one: (typeof known)[number]) => boolean): boolean =>
    wanted.length === known.length && wanted.every(same);
  if (property === 'categories')
    return isWhole(({ state }) => state === first.state)
      ? { property, text: CATEGORIES[first.state] }
      : undefined;
  if (isWhole(({ text }) => text === first.text)) return { property, text: `${MARK}${first.text}` };
  const parts = [...Map.groupBy(wanted, ({ text }) => text)].map(
    ([text, some]) => `${some.map(({ one }) => timeOf(one, zone)).join(', ')}: ${text}`,
  );
  return { property, text: `${MARK}${parts.join(' ')}` };
}

function textOf(one: Outcome): string {
  if (one.outcome !== 'booking') return `rejected. ${one.reason}`;
  const { project, subject, session } = one.record.labels;
  return `taken as ${project} · ${subject} · ${session}.`;
}

/** Start of an occurrence, as people read it. */
function timeOf(one: Outcome, zone: string): string {
  const { start } = rowOf(one);
  if (start === undefined) return 'at an unknown time';
  const local = Temporal.Instant.from(start).toZonedDateTimeISO(zone).toPlainDateTime();
  return local.toString({ smallestUnit: 'minute' }).replace('T', ' ');
}

export interface AnswersOptions {
  readonly config: Pick<Config, 'calendars' | 'facility'>;
  readonly sources: ReadonlyMap<string, Source>;
  readonly isErased: (one: Outcome) => boolean;
  readonly log: Log;
  readonly guard?: Guard;
  /** Milliseconds of a clock that only goes on. */
  readonly now?: () => number;
}

export class Answers {
  readonly #calendars: ReadonlyMap<string, OneCalendar>;
  #running: Promise<unknown> | undefined;

  constructor({
    config,
    sources,
    isErased,
    log,
    guard = ALONE,
    now = () => performance.now(),
  }: AnswersOptions) {
    this.#calendars = new Map(
      Object.entries(config.calendars).flatMap(([name, { answer }]) => {
        const write = sources.get(name)?.answer;
        if (answer === undefined || write === undefined) return [];
        const { timezone: zone } = config.facility;
        const options = {
          wish: answer,
          write,
          isErased,
          zone,
          log: log.child({ calendar: name }),
          guard,
          now,
        };
        return [[name, new OneCalendar(options)]];
      }),
    );
  }

  /** Begins with the answers of a pass, unless those of an earlier one are still on their way. No pass waits for it. */
  after({ calendars }: Pick<PassReport, 'calendars'>, signal: AbortSignal): void {
    if (this.#calendars.size === 0 || this.#running !== undefined) return;
    const all = calendars.flatMap((one) => this.#calendars.get(one.calendar)?.give(one, signal) ?? []);
    this.#running = Promise.all(all).finally(() => (this.#running = undefined));
  }

  /** Resolves when nothing is on its way. */
  async settled(): Promise<void> {
    await this.#running;
  }

  /** Why a calendar takes no answers, if so. */
  failureOf(calendar: string): Failure | undefined {
    return this.#calendars.get(calendar)?.failure;
  }

  /** Calendars that get answers. */
  get calendars(): readonly string[] {
    return [...this.#calendars.keys()];
  }
}

interface CalendarOptions extends WishOptions {
  readonly write: NonNullable<Source['answer']>;
  readonly log: Log;
  readonly guard: Guard;
  readonly now: () => number;
}

class OneCalendar {
  failure: Failure | undefined;
  readonly #options: CalendarOptions;
  /** Times of requests to write, by UID, of the last day. */
  readonly #tried = new Map<string, readonly number[]>();
  #pausedUntil = -Infinity;
  #hasWritten = false;

  constructor(options: CalendarOptions) {
    this.#options = options;
  }

  /** It never throws. */
  async give(report: CalendarReport, signal: AbortSignal): Promise<void> {
    const { write, log, guard, now } = this.#options;
    if (!isCertain(report) || now() < this.#pausedUntil) return;
    const answers = wishesOf(report.outcomes, this.#options);
    this.#forget();
    let room = MOST_PER_PASS;
    const mayWrite = (uid: string): boolean => {
      // what the calendar's server gets from now on is another cal2wl's to write
      if (!guard.holds()) return false;
      const times = this.#tried.get(uid) ?? [];
      if (room === 0 || times.length >= MOST_PER_EVENT) return false;
      room -= 1;
      this.#tried.set(uid, [...times, now()]);
      return true;
    };
    try {
      await guard.require();
      const answered = await write({ answers, mayWrite }, signal);
      // the service ends: the request was cut off by us
      if (!signal.aborted) this.#take(answered);
    } catch (error) {
      if (isLeaseGone(error)) return;
      log.error('what became of events could not be written into the calendar', { error });
      this.#pausedUntil = now() + PAUSE_MS;
    }
  }

  #forget(): void {
    const since = this.#options.now() - DAY_MS;
    for (const [uid, times] of this.#tried) {
      const left = times.filter((time) => time > since);
      if (left.length === 0) this.#tried.delete(uid);
      else this.#tried.set(uid, left);
    }
  }

  #take({ written, refused, failure, retryAfterMs = PAUSE_MS }: Answered): void {
    const { log, now } = this.#options;
    if (written > 0) log.info('what became of events is written into the calendar', { events: written });
    if (written > 0) [this.#hasWritten, this.failure] = [true, undefined];
    else if (failure === undefined && this.failure?.code !== 'ANSWER_REFUSED') this.failure = undefined;
    // a refused event is not tried again for a day
    for (const uid of refused.keys()) this.#tried.set(uid, new Array<number>(MOST_PER_EVENT).fill(now()));
    const [status] = refused.values();
    if (status !== undefined) this.#fail(refusal(status));
    else if (failure !== undefined) this.#fail(failure);
    // a calendar that never took anything gives no permission; of others, only these events are refused
    if (status !== undefined && !this.#hasWritten) this.#pausedUntil = now() + DAY_MS;
    else if (failure !== undefined) this.#pausedUntil = now() + Math.max(retryAfterMs, PAUSE_MS);
  }

  #fail(failure: Failure): void {
    const isKnown = this.failure?.code === failure.code && this.failure.message === failure.message;
    this.failure = failure;
    const { code, message: reason } = failure;
    if (!isKnown) this.#options.log.warn('the calendar takes no answers', { code, reason });
  }
}

/** Only a calendar that answered in this pass, and whose outcomes hold, gets answers. */
const isCertain = ({ state, fetch, failure, projects, unwritten }: CalendarReport): boolean =>
  state === 'good' &&
  fetch !== undefined &&
  failure === undefined &&
  projects === undefined &&
  unwritten === undefined;

const refusal = (status: number): Failure => ({
  kind: 'permanent',
  code: 'ANSWER_REFUSED',
  message: `the calendar's server answered ${status} when an event was written: give its user permission to write, enter the final address under caldav, or take answer out of the configuration. It is tried again after a day or a restart.`,
});
