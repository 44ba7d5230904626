/** What a report shows of destinations beside the legs of a series: why it does not go there, and until when a destination waits. */
import type { Opening } from '../work/pace.ts';
import { judge, traitsOf, type Verdict } from '../model/rule.ts';
import type { SeriesView } from '../ledger/rows.ts';
import type { Pause } from '../ledger/pauses.ts';
import type { OpenDestination } from './types.ts';
import type { Reason } from '../model/series.ts';

/** A series that does not go to a destination. */
export interface NotSent {
  readonly target: string;
  readonly code: string;
  readonly message: string;
}

export interface Waits {
  /** Milliseconds since the epoch. */
  readonly until: number;
  readonly message: string;
}

export interface Outlook {
  /** The destinations to which a stored series does not go. */
  readonly notSent: (view: SeriesView) => readonly NotSent[];
  /** Undefined if it may be sent to now, or is none of the destinations. */
  readonly waits: (target: string) => Waits | undefined;
  /** What a leg of a paused destination waits for, in words. */
  readonly paused: (pause: Pause) => string;
  /** The destinations that wait now, by name. */
  readonly waiting: () => Readonly<Record<string, string>>;
}

type Destinations = readonly Pick<OpenDestination, 'name' | 'when' | 'hours' | 'schedule'>[];

/** `timeZone`: of the facility. */
export function createOutlook(destinations: Destinations, now: () => number, timeZone = 'UTC'): Outlook {
  const waits = (target: string): Waits | undefined => {
    const destination = destinations.find(({ name }) => name === target);
    const opening = destination?.hours?.(now());
    return opening === undefined || opening.open
      ? undefined
      : waitsOf(opening, now(), destination?.schedule?.timeZone ?? 'UTC');
  };
  return {
    waits,
    paused: ({ since, by, reason }) =>
      `paused since ${shortTime(since, now(), timeZone)} by ${by}: ${reason}`,
    waiting: () =>
      Object.fromEntries(
        destinations.flatMap(({ name }) => {
          const found = waits(name);
          return found === undefined ? [] : [[name, found.message]];
        }),
      ),
    notSent: (view) => {
      if (view.stored === 0) return [];
      const served = new Set(view.legs.map(({ target }) => target));
      const traits = traitsOf(view.attributes, view.labels);
      return destinations
        .filter(({ name }) => !served.has(name))
        .map(({ name, when }) => ({ target: name, ...reasonOf(judge(when, traits)) }));
    },
  };
}

function reasonOf(verdict: Verdict): Reason {
  if (verdict.wanted)
    return {
      code: 'DEST_CAME_LATER',
      message:
        'It was stored before this destination, or its rule, let it go there. To send it: scanflow series retry ID --target NAME.',
    };
  if (verdict.undecided)
    return {
      code: 'DEST_UNDECIDED',
      message: `Its project is not known, so when.${verdict.because} cannot be decided. Give it one by a booking or a pattern, and store it anew.`,
    };
  return {
    code: 'DEST_NOT_WANTED',
    message: `The rule of this destination leaves it out: when.${verdict.because}.`,
  };
}

const zoned = (millis: number, timeZone: string): Temporal.ZonedDateTime =>
  Temporal.Instant.fromEpochMilliseconds(millis).toZonedDateTimeISO(timeZone);

function waitsOf({ until }: Opening, now: number, timeZone: string): Waits {
  const opens = zoned(until, timeZone);
  const today = opens.toPlainDate().equals(zoned(now, timeZone).toPlainDate());
  const day = today ? '' : `${opens.toPlainDate().toLocaleString('en-GB', { weekday: 'short' })} `;
  return { until, message: `waits until ${day}${opens.toPlainTime().toString({ smallestUnit: 'minute' })}` };
}

/** `14:02` of today, `2026-11-28 14:02` of any other day. */
function shortTime(at: number, now: number, timeZone: string): string {
  const then = zoned(at, timeZone);
  const today = then.toPlainDate().equals(zoned(now, timeZone).toPlainDate());
  const time = then.toPlainTime().toString({ smallestUnit: 'minute' });
  return today ? time : `${then.toPlainDate().toString()} ${time}`;
}
