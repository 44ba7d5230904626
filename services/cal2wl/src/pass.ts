/** One pass over all calendars. It reads, judges and publishes each by itself, so that one failure affects no other. */
import { encodeBookingRecord, warn, warning, type BookingRecord, type Outcome } from '@scanflow/booking';
import type { CalendarContent, Window } from '@scanflow/calendar';
import { calendarId } from '@scanflow/config';
import { codeOf, messageOf, type Failure } from '@scanflow/failure';
import { pool, type Log } from '@scanflow/runtime';
import { calendarRenamed, type Plan } from '@scanflow/identity';
import { type Rejections, publish } from './publish.ts';
import type { RunningExams } from './adapters/running-exams.ts';
import { windowAt } from './domain/expand.ts';
import {
  withHistory,
  encodeItem,
  type ScannerSettings,
  reconcile,
  sweep,
  type Action,
  type Published,
  type Wanted,
} from './domain/reconcile.ts';
import { Identities, type IdentitiesOptions } from './identities.ts';
import { Judge, type ProjectList } from './judge.ts';
import { isLeaseGone } from './lead.ts';
import {
  emptyReport,
  flagged,
  isWaiting,
  readingReport,
  viewOf,
  countActions,
  type CalendarReport,
  type PassReport,
  outcomeView,
} from './report.ts';
import type { Reader } from './reader.ts';
import type { Update } from './update.ts';
import { withoutWalkIns } from './walk-in/plan.ts';
import { WalkIns } from './walk-in/walk-ins.ts';

export interface PassOptions extends IdentitiesOptions {
  readonly running: RunningExams;
  readonly update: Update;
  readonly rejections: Rejections;
  /** By calendar. */
  readonly readers: ReadonlyMap<string, Reader>;
  /** By calendar, for calendars with a list; that of walk-ins is the facility's. */
  readonly projects: ReadonlyMap<string, ProjectList>;
}

/** Calendars that a pass reads at the same time. */
const AT_ONCE = 4;

const FROZEN = warning(
  'FROZEN',
  'The scan runs, so the scanner keeps what it shows. The change is carried out once the exam has ended.',
);

interface CalendarPass {
  readonly report: CalendarReport;
  readonly wanted: readonly string[];
}

interface PassContext {
  readonly now: Temporal.Instant;
  readonly signal: AbortSignal;
  /** All booking records, extended by the bookings of each pass. */
  readonly published: Map<string, Published>;
  readonly frozen: ReadonlySet<string>;
  readonly before: ReadonlyMap<string, Uint8Array>;
}

export class Passes {
  readonly walkIns: WalkIns;
  readonly readers: PassOptions['readers'];
  readonly #options: PassOptions;
  readonly #judges: ReadonlyMap<string, Judge>;
  /** Encoded items by record and scanner: a pass with nothing new encodes nothing. */
  #items = new Map<string, Uint8Array>();
  readonly #identities: Identities;
  #frozen: ReadonlySet<string> = new Set();

  constructor(options: PassOptions) {
    this.#options = options;
    this.readers = options.readers;
    const { config, projects } = options;
    this.#identities = new Identities(options);
    this.walkIns = new WalkIns({ ...options, past: () => this.#identities.all() });
    this.#judges = new Map(
      Object.keys(config.calendars).map((name) => [name, new Judge(config, name, projects.get(name))]),
    );
  }

  /** Whether a booking's labels are erased. */
  isErased(one: Outcome): boolean {
    return one.outcome === 'booking' && this.#options.erasures.hasLabels(one.record.labels);
  }

  /** Throws where this cal2wl no longer leads. */
  async run(now: Temporal.Instant, signal: AbortSignal): Promise<PassReport> {
    const { config, shelf, log } = this.#options;
    const began = performance.now();
    const past = await this.walkIns.inTurn(async () => {
      await this.#identities.erase();
      return this.#identities.all();
    });
    const frozen = await this.#running(now);
    await shelf.look();
    const published = new Map(await shelf.read(await shelf.list()));
    const unkept = await this.walkIns.keep(now, frozen, published);
    const before = this.#items;
    this.#items = new Map();
    const done = await pool(Object.keys(config.calendars), AT_ONCE, (calendar) =>
      this.#calendar(calendar, { now, signal, published, frozen, before }),
    );
    const reports = flagged(
      done.map(({ report }) => report),
      past,
    );
    const wanted = new Set(done.flatMap((one) => one.wanted));
    const allRead = reports.every(({ state }) => state !== 'unknown');
    const calendars = this.#identities.staying(reports, now);
    const swept = await this.#publish(sweep(published, { calendars, wanted, frozen, allRead }), log);
    const unwritten = swept ?? unkept ?? reports.find((one) => one.unwritten !== undefined)?.unwritten;
    return {
      at: now,
      ms: performance.now() - began,
      window: windowAt(now, config.bookings.window),
      calendars: reports,
      items: (await shelf.list()).length,
      unwritten: unwritten ?? (await this.#reject(reports)),
    };
  }

  async #calendar(calendar: string, pass: PassContext): Promise<CalendarPass> {
    const { config, log: passLog } = this.#options;
    const log = passLog.child({ calendar });
    try {
      return await this.#readAndPublish(calendar, pass, log);
    } catch (error) {
      if (isLeaseGone(error)) throw error;
      log.error('the calendar could not be worked on; what it published stays', { error });
      const failure: Failure = {
        kind: 'transient',
        code: codeOf(error) ?? 'UNEXPECTED',
        message: messageOf(error),
      };
      return {
        wanted: [],
        report: {
          ...emptyReport(calendar, config.calendars[calendar]?.scanner),
          failure,
          // /healthz shows it to anybody, and the message may hold the name of a file
          unwritten: {
            ...failure,
            message: `The calendar ${calendar} could not be worked on (${failure.code}); the log says why.`,
          },
        },
      };
    }
  }

  async #readAndPublish(calendar: string, pass: PassContext, log: Log): Promise<CalendarPass> {
    const { config } = this.#options;
    const [reader, judge] = [this.readers.get(calendar), this.#judges.get(calendar)];
    if (reader === undefined || judge === undefined) throw new Error('it has no reader');
    const { now, signal, frozen } = pass;
    const window = this.#window(calendar, now);
    const id = calendarId(config, calendar);
    const known = this.#identities.ofCalendar(id, window.from);
    const planned = async (content: CalendarContent): Promise<Plan> =>
      (await judge.judge(content, now, signal)).plan;
    const keeps = await this.#options.update.keeps({ calendar: id, known, now, plan: planned });
    const reading = await reader.read(window, now, signal);
    const { plan, failure: projects } = await judge.judge(reading.content, now, signal);
    const view = viewOf(id, reading, plan);
    const empty = emptyReport(calendar, config.calendars[calendar]?.scanner);
    const former = this.#identities.formerName(calendar, { plan, view, window });
    if (former !== undefined) {
      await reader.remember(reading.suspicion);
      // it counts as one that was never read, so that all that is published stays
      return { wanted: [], report: { ...empty, failure: calendarRenamed(calendar, former) } };
    }
    const outcomes = this.#identities.identify({ plan, view, window }, keeps);
    const booked = this.#wanted(outcomes, pass.before);
    const accessions = booked.map(({ record }) => record.accessionNumber);
    await this.#complete(pass.published, id, accessions, window);
    // a calendar that is called walk-in cannot lose the walk-ins of the board
    const published = withoutWalkIns(pass.published);
    const remembering = (record: BookingRecord): BookingRecord =>
      withHistory(record, published.get(record.accessionNumber)?.record, now);
    const wanted = booked.map(({ record, item }) => ({ record: remembering(record), item }));
    const { actions, suspicion, waiting } = reconcile({ view, wanted, published, window, frozen });
    const written = actions.map((one) =>
      'record' in one ? { ...one, record: remembering(one.record) } : one,
    );
    const unwritten = await this.#publish(written, log);
    await reader.remember(suspicion);
    return {
      wanted: accessions,
      report: {
        ...empty,
        ...readingReport(reading),
        outcomes: outcomes.map((one) => (isWaiting(one, waiting) ? warn(one, FROZEN) : one)),
        projects,
        actions: countActions(actions),
        held: actions.filter((action) => action.kind === 'keep' && action.why === 'held').length,
        unwritten,
      },
    };
  }

  #wanted(outcomes: readonly Outcome[], before: ReadonlyMap<string, Uint8Array>): Wanted[] {
    const zone = this.#options.config.facility.timezone;
    return outcomes.flatMap((one): Wanted[] => {
      // the calendar may hold it still
      if (one.outcome !== 'booking' || this.#options.erasures.hasLabels(one.record.labels)) return [];
      const key = encodeBookingRecord(one.record);
      const item = before.get(key) ?? encodeItem(one.record, this.#scanner(one.record.scanner), zone);
      this.#items.set(key, item);
      return [{ record: one.record, item }];
    });
  }

  /** Adds wanted bookings that are not on the worklist, and future bookings that left it and may be gone for good. */
  async #complete(
    published: Map<string, Published>,
    calendar: string,
    accessions: readonly string[],
    window: Window,
  ): Promise<void> {
    const missing = accessions.filter((accession) => !published.has(accession));
    for (const [accession, one] of await this.#options.shelf.read(missing)) published.set(accession, one);
    for (const record of this.#identities.ofCalendar(calendar, window.from).toCome()) {
      const { accessionNumber, status } = record;
      if (status === 'scheduled' && !published.has(accessionNumber))
        published.set(accessionNumber, { accessionNumber, record, item: undefined });
    }
  }

  async #running(now: Temporal.Instant): Promise<ReadonlySet<string>> {
    try {
      this.#frozen = await this.#options.running.accessions(now);
    } catch (error) {
      this.#options.log.warn('cannot read which exams run; the last known state counts', {
        code: codeOf(error) ?? 'UNEXPECTED',
      });
    }
    return this.#frozen;
  }

  #publish(actions: readonly Action[], log: Log): Promise<Failure | undefined> {
    const { shelf } = this.#options;
    return publish(actions, { shelf, log, written: this.#identities.set.bind(this.#identities) });
  }

  async #reject(reports: readonly CalendarReport[]): Promise<Failure | undefined> {
    try {
      await this.#options.rejections.write(
        reports.flatMap(({ calendar, outcomes }) =>
          outcomes.flatMap((one) => (one.outcome === 'rejected' ? [outcomeView(one, calendar)] : [])),
        ),
      );
      return undefined;
    } catch (error) {
      if (isLeaseGone(error)) throw error;
      const code = codeOf(error) ?? 'UNEXPECTED';
      const message = `bookings/rejected.json could not be written (${code}): check space and permissions of the data folder.`;
      return { kind: 'transient', code: 'PUBLISH', message };
    }
  }

  #window(calendar: string, now: Temporal.Instant): Window {
    const { calendars, bookings } = this.#options.config;
    const own = calendars[calendar]?.window;
    const { before, after } = bookings.window;
    return windowAt(now, { before: own?.before ?? before, after: own?.after ?? after });
  }

  #scanner(name: string): ScannerSettings {
    const settings = this.#options.config.scanners[name];
    if (settings === undefined) throw new Error(`there is no scanner ${name}`);
    return settings;
  }
}
