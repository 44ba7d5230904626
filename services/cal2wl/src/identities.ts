/** All bookings that cal2wl ever published: which identity a booking keeps, and whether a calendar is one of before under a new name. */
import { WALK_IN, warn, type BookingRecord, type Outcome } from '@scanflow/booking';
import type { Window } from '@scanflow/calendar';
import { calendarId, type Config } from '@scanflow/config';
import { recordNotes } from '@scanflow/dicom';
import {
  adopt,
  fateOf,
  formerIdIn,
  formerName,
  Past,
  type CalendarView,
  type Keeps,
  type KnownBookings,
  type Plan,
} from '@scanflow/identity';
import type { Erasures, Log } from '@scanflow/runtime';
import type { Shelf } from './adapters/shelf.ts';
import type { CalendarReport } from './report.ts';
import { isWalkIn } from './walk-in/plan.ts';

export interface IdentitiesOptions {
  readonly config: Config;
  readonly shelf: Shelf;
  readonly erasures: Erasures;
  readonly log: Log;
}

/** A calendar as this pass read it. */
interface ReadCalendar {
  readonly plan: Plan;
  readonly view: CalendarView;
  readonly window: Window;
}

export class Identities {
  readonly #options: IdentitiesOptions;
  /** Ids of the calendars, and of walk-ins. */
  readonly #ids: ReadonlySet<string>;
  #past: Past | undefined;
  #reading: Promise<Past> | undefined;

  constructor(options: IdentitiesOptions) {
    this.#options = options;
    const { config } = options;
    this.#ids = new Set([...Object.keys(config.calendars).map((name) => calendarId(config, name)), WALK_IN]);
  }

  /** All records. One read suffices, because only this service writes them. */
  all(): Promise<Past> {
    this.#reading ??= this.#readPast().catch((error: unknown) => {
      this.#reading = undefined;
      throw error;
    });
    return this.#reading;
  }

  async #readPast(): Promise<Past> {
    const past = new Past();
    for await (const record of this.#options.shelf.records()) past.set(record);
    this.#past = past;
    return past;
  }

  /** Keeps what a pass published. */
  set(record: BookingRecord): void {
    this.#past?.set(record);
  }

  /** `calendar`: its id. `from`: slots that end by then are over. */
  ofCalendar(calendar: string, from: Temporal.Instant): KnownBookings {
    return (this.#past ?? new Past()).ofCalendar(calendar, from);
  }

  /** Erases here what the streamer erases. Throws if the erasures are unreadable, and then the pass publishes nothing. */
  async erase(): Promise<void> {
    const { erasures, shelf, log } = this.#options;
    if (!(await erasures.refresh())) return;
    const erased = await shelf.erase(
      ({ labels, accessionNumber }) =>
        erasures.hasLabels(labels) || erasures.has('accession', accessionNumber),
    );
    // what is remembered of them goes with the next reading
    this.#past = undefined;
    this.#reading = undefined;
    if (erased > 0) log.warn('bookings erased', { bookings: erased });
  }

  /** Bookings under the identity that they keep, with warnings about texts that their scanner cannot show. */
  identify({ plan, view, window }: ReadCalendar, keeps: Keeps): Outcome[] {
    const known = this.ofCalendar(view.calendar, window.from);
    const isLost = (record: BookingRecord): boolean =>
      record.status === 'scheduled' && !isWalkIn(record) && fateOf(record, view, window) === 'lost';
    const { scanners } = this.#options.config;
    return adopt(plan.outcomes, { known, isLost, formerId: formerIdIn(plan), keeps }).map((one) =>
      one.outcome === 'booking'
        ? warn(one, ...recordNotes(one.record, scanners[one.record.scanner]?.characterSet ?? 'ISO_IR 192'))
        : one,
    );
  }

  /** The id of the calendar that this one seems to have been under another name. An id that a person chose is meant. */
  formerName(name: string, { plan, view, window }: ReadCalendar): string | undefined {
    if (this.#hasChosenId(name) || this.#past === undefined) return undefined;
    const { outcomes } = plan;
    return formerName({ past: this.#past, configured: this.#ids, view, outcomes, window });
  }

  /**
   * Ids of the calendars whose items stay on the worklist: those of the configuration. A calendar that was never read may be any of
   * before under a new name, so that all stay until it is read, and until a person has decided.
   */
  staying(reports: readonly CalendarReport[], now: Temporal.Instant): ReadonlySet<string> {
    const hasOwn = (name: string): boolean =>
      this.ofCalendar(name, now)
        .toCome()
        .some(({ status }) => status === 'scheduled');
    const isUndecided = reports.some(
      ({ calendar: name, state, failure }) =>
        failure?.code === 'CALENDAR_RENAMED' ||
        (state === 'unknown' && !this.#hasChosenId(name) && !hasOwn(name)),
    );
    return isUndecided ? new Set([...this.#ids, ...(this.#past?.calendars() ?? [])]) : this.#ids;
  }

  readonly #hasChosenId = (name: string): boolean => this.#options.config.calendars[name]?.id !== undefined;
}
