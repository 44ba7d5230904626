/** What a title and a description become, by the rules of one calendar, before anybody books. */
import { interpret, type BookableEvent, type Outcome } from '@scanflow/booking';
import { bookingRules, type Config } from '@scanflow/config';

export interface Trial {
  readonly calendar: string;
  readonly summary: string;
  readonly description: string;
}

export type Judge = (trial: Trial) => Outcome | undefined;

const HOUR_MS = 3_600_000;

/** Undefined for a calendar that the configuration does not have. Lists of projects do not count here: cal2wl has them. */
export const judgeBy =
  (config: Config, now: () => number): Judge =>
  ({ calendar, summary, description }) => {
    if (!Object.hasOwn(config.calendars, calendar)) return undefined;
    const start = Temporal.Instant.fromEpochMilliseconds(now() + 24 * HOUR_MS);
    const event: BookableEvent = {
      uid: 'try-it',
      start,
      end: start.add({ hours: 1 }),
      allDay: false,
      summary,
      description,
      attendees: [],
      status: 'CONFIRMED',
      transparency: 'OPAQUE',
      class: 'PUBLIC',
    };
    return interpret(event, bookingRules(config, calendar));
  };
