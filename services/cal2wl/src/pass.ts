/** One pass over all calendars: each is read, judged and published for itself, and none costs another. */
import { encodeRecord, type BookingRecord } from '@scanflow/booking';
import { codeOf, messageOf, type Config, type Failure, type Log } from '@scanflow/chassis';
import type { Window } from '@scanflow/calendar';
import type { Shelf } from './adapters/shelf.ts';
import { windowAt } from './domain/expand.ts';
import { encodeItem } from './domain/item.ts';
import { planCalendar, type Plan } from './domain/plan.ts';
import { reconcile, sweep, type Action, type CalendarView, type Published } from './domain/reconcile.ts';
import type { Reader, Reading } from './reader.ts';
import { countActions, type CalendarReport, type PassReport } from './report.ts';

export interface PassOptions {
  readonly config: Config;
  readonly shelf: Shelf;
  /** By calendar. */
  readonly readers: ReadonlyMap<string, Reader>;
  readonly log: Log;
}

/** Calendars that are asked at the same time. */
const AT_ONCE = 4;

interface CalendarPass {
  readonly report: CalendarReport;
  readonly wanted: readonly string[];
}

export class Passes {
  readonly #options: PassOptions;
  /** Encoded items by record and scanner: a pass with nothing new encodes nothing. */
  #items = new Map<string, Uint8Array>();

  constructor(options: PassOptions) {
    this.#options = options;
  }

  async run(now: Temporal.Instant, signal: AbortSignal): Promise<PassReport> {
    const { config, shelf, log } = this.#options;
    const began = performance.now();
    const window = windowAt(now, config.bookings.window);
    const published = new Map(await shelf.read(await shelf.list()));
    const before = this.#items;
    this.#items = new Map();
    const done = await inTurns(Object.keys(config.calendars), AT_ONCE, (calendar) =>
      this.#calendar(calendar, { window, now, signal, published, before }),
    );
    const reports = done.map(({ report }) => report);
    const wanted = new Set(done.flatMap((one) => one.wanted));
    const allRead = reports.every(({ state }) => state !== 'unknown');
    const calendars = new Set(Object.keys(config.calendars));
    const strays = sweep(published, { calendars, wanted, allRead });
    const swept = await this.#apply(strays, log);
    return {
      at: now,
      ms: performance.now() - began,
      window,
      calendars: reports,
      items: (await shelf.list()).length,
      unwritten: swept ?? reports.find(({ unwritten }) => unwritten !== undefined)?.unwritten,
    };
  }

  async #calendar(calendar: string, pass: PassContext): Promise<CalendarPass> {
    const log = this.#options.log.child({ calendar });
    try {
      return await this.#readAndPublish(calendar, pass, log);
    } catch (error) {
      log.error('the calendar could not be worked on; what it published stays', { error });
      const failure: Failure = {
        kind: 'transient',
        code: codeOf(error) ?? 'UNEXPECTED',
        message: messageOf(error),
      };
      return { wanted: [], report: { ...this.#empty(calendar), failure, unwritten: failure } };
    }
  }

  async #readAndPublish(calendar: string, pass: PassContext, log: Log): Promise<CalendarPass> {
    const reader = this.#options.readers.get(calendar);
    if (reader === undefined) throw new Error('it has no reader');
    const { window, now, signal, published } = pass;
    const reading = await reader.read(window, now, signal);
    const plan = this.#plan(calendar, reading, pass.before);
    const accessions = plan.wanted.map(({ record }) => record.accessionNumber);
    const more = await this.#options.shelf.read(accessions.filter((accession) => !published.has(accession)));
    for (const [accession, one] of more) published.set(accession, one);
    const { actions, suspicion } = reconcile(viewOf(calendar, reading, plan), published, window);
    const unwritten = await this.#apply(actions, log);
    await reader.remember(suspicion);
    return {
      wanted: accessions,
      report: {
        ...this.#empty(calendar),
        state: reading.answered ? 'good' : reading.content === undefined ? 'unknown' : 'stale',
        lastGood: reading.lastGood,
        failure: reading.failure,
        outcomes: plan.outcomes,
        actions: countActions(actions),
        held: actions.filter((action) => action.kind === 'keep' && action.why === 'held').length,
        unwritten,
      },
    };
  }

  #plan(calendar: string, { content }: Reading, before: ReadonlyMap<string, Uint8Array>): Plan {
    const { config } = this.#options;
    const scanner = this.#scanner(calendar);
    const settings = config.scanners[scanner];
    if (settings === undefined) throw new Error(`there is no scanner ${scanner}`);
    const { patterns, patientId, patientName } = config.bookings;
    const zone = config.facility.timezone;
    const encode = (record: BookingRecord): Uint8Array => {
      const key = encodeRecord(record);
      const item = before.get(key) ?? encodeItem(record, settings, zone);
      this.#items.set(key, item);
      return item;
    };
    return planCalendar(content ?? { events: [], problems: [], outside: new Set() }, {
      calendar,
      scanner,
      patterns,
      modality: settings.modality,
      patientId,
      patientName,
      encode,
    });
  }

  /** Carries out what was decided; a disk that takes nothing more fails each write, and the next pass tries again. */
  async #apply(actions: readonly Action[], log: Log): Promise<Failure | undefined> {
    let failure: Failure | undefined;
    for (const action of actions) {
      try {
        await this.#options.shelf.apply(action);
        tell(action, log);
      } catch (error) {
        const code = codeOf(error) ?? 'UNEXPECTED';
        failure = {
          kind: 'transient',
          code: 'PUBLISH',
          message: `A booking could not be written (${code}): check space and permissions of the data folder.`,
        };
        log.error('a booking could not be written', { error });
      }
    }
    return failure;
  }

  #scanner(calendar: string): string {
    return this.#options.config.calendars[calendar]?.scanner ?? '';
  }

  #empty(calendar: string): CalendarReport {
    return {
      calendar,
      scanner: this.#scanner(calendar),
      state: 'unknown',
      lastGood: undefined,
      failure: undefined,
      outcomes: [],
      actions: {},
      held: 0,
      unwritten: undefined,
    };
  }
}

interface PassContext {
  readonly window: Window;
  readonly now: Temporal.Instant;
  readonly signal: AbortSignal;
  /** Grows by what each calendar asks for. */
  readonly published: Map<string, Published>;
  readonly before: ReadonlyMap<string, Uint8Array>;
}

const viewOf = (calendar: string, reading: Reading, plan: Plan): CalendarView => ({
  calendar,
  answered: reading.answered,
  wanted: plan.wanted,
  present: plan.present,
  outside: reading.content?.outside ?? new Set(),
  unreadable: plan.unreadable,
  unknown: reading.content === undefined,
  suspicion: reading.suspicion,
});

function tell(action: Action, log: Log): void {
  if (action.kind === 'publish')
    log.info(action.isNew ? 'booking published' : 'booking changed', {
      accessionNumber: action.wanted.record.accessionNumber,
      scanner: action.wanted.record.scanner,
      start: action.wanted.record.start,
    });
  if (action.kind === 'cancel') log.info('booking cancelled', { accessionNumber: action.accessionNumber });
  if (action.kind === 'withdraw')
    log.info('booking left the worklist', { accessionNumber: action.accessionNumber });
}

/** Works on all entries, some at a time; results in their order. */
async function inTurns<T, R>(
  entries: readonly T[],
  atOnce: number,
  work: (entry: T) => Promise<R>,
): Promise<R[]> {
  const results = new Map<number, R>();
  const queue = [...entries.entries()];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift())
      results.set(next[0], await work(next[1]));
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return [...results].sort(([a], [b]) => a - b).map(([, result]) => result);
}
