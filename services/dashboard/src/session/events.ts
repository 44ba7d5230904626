/** What happened to a session, in the order of time. Pure. */
import type { DayBooking, DayChange } from '../day/facts.ts';
import { isAway } from '../journey/facts.ts';
import type { AuditEntry } from '../access/store.ts';
import type { SeriesAnswer, SessionsAnswer } from '../sources/streamer-answers.ts';
import type { Found } from '../sources/gather.ts';
import { t } from '../texts/pages.ts';

export interface Event {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly text: string;
}

/** What is known beside what the services say of the session. */
export interface Around {
  /** What people did by the board with these series. */
  readonly audit?: readonly AuditEntry[];
  /** Pauses of destinations. */
  readonly pauses?: Pauses;
}

export interface Pauses {
  readonly open: readonly {
    readonly destination: string;
    readonly since: number;
    readonly by: string;
    readonly reason: string;
  }[];
  readonly ended: readonly (Pauses['open'][number] & { readonly until: number; readonly endedBy: string })[];
}

export function eventsOf(
  { bookings, exams, answer }: Pick<Found, 'bookings' | 'exams' | 'answer'>,
  { audit = [], pauses = { open: [], ended: [] } }: Around = {},
): Event[] {
  const { events: e } = t.session;
  const event = (at: number | undefined, text: string): Event[] => (at === undefined ? [] : [{ at, text }]);
  const booked = isAway(bookings) ? [] : bookings;
  const reported = isAway(exams) ? [] : exams;
  const sessions = isAway(answer) ? [] : answer.sessions;
  return [
    ...booked.flatMap(({ start, end }) => [...event(start, e.slotBegins), ...event(end, e.slotEnds)]),
    ...booked.flatMap(changesOf).map(({ at, status }) => ({
      at,
      text: status === undefined ? e.bookingMoved : e.bookingBecame[status],
    })),
    ...reported.flatMap(({ started, created, ended }) => [
      ...event(started ?? created, e.examBegins),
      ...event(ended, e.examEnds),
    ]),
    ...sessions.flatMap(({ updated, series }) => [
      ...series.flatMap(eventsOfSeries),
      ...event(updated, e.news),
    ]),
    ...(isAway(answer) ? [] : [...hookEvents(answer), ...pauseEvents(answer, pauses)]),
    ...audit.flatMap(({ at, who, what, subject, result }) =>
      event(at, e.did(who, what, nameIn(sessions, subject), result)),
    ),
  ].toSorted((a, b) => a.at - b.at);
}

/** A change of a booking: its former values beside those that it got. */
export interface Changed {
  readonly at: number;
  readonly slot?: { readonly from: Slot; readonly to: Slot };
  readonly scanner?: { readonly from: string; readonly to: string };
  /** What it became. */
  readonly status?: NonNullable<DayChange['status']>;
}
type Slot = Pick<DayBooking, 'start' | 'end'>;

const STATUSES = { booking: 'scheduled', cancelled: 'cancelled', superseded: 'superseded' } as const;

/** A record keeps what was; each value that it got is the one that the next change replaced. */
export function changesOf({ changes = [], start, end, scanner, outcome }: DayBooking): Changed[] {
  let now = {
    start,
    end,
    scanner,
    status: outcome === 'rejected' || outcome === 'skipped' ? undefined : STATUSES[outcome],
  };
  return changes
    .toReversed()
    .map(({ at, ...was }): Changed => {
      const to = now;
      now = {
        start: was.start ?? to.start,
        end: was.end ?? to.end,
        scanner: was.scanner ?? to.scanner,
        status: was.status ?? to.status,
      };
      const slotMoved = was.start !== undefined || was.end !== undefined;
      return {
        at,
        ...(slotMoved && { slot: { from: now, to } }),
        ...(was.scanner !== undefined && { scanner: { from: was.scanner, to: to.scanner } }),
        ...(was.status !== undefined && to.status !== undefined && { status: to.status }),
      };
    })
    .toReversed();
}

function eventsOfSeries(series: SeriesAnswer): Event[] {
  const { firstSeen, decision, verification, moved, cleaned } = series;
  const { events: e } = t.session;
  const name = seriesName(series);
  return [
    { at: firstSeen, text: e.firstImage(name) },
    // a move stands below, with both paths
    ...(decision === undefined || moved.some(({ at }) => at === decision.at)
      ? []
      : [{ at: decision.at, text: e.decided(name, decision.kind, decision.by) }]),
    ...moved.map(({ at, by, reason, from, to }) => ({
      at,
      text: e.moved(name, by, reason, from.path, to.path),
    })),
    ...verification.flatMap(({ good, looked, failure }) => [
      ...(good === undefined ? [] : [{ at: good, text: e.verified(name) }]),
      ...(looked === undefined || failure === undefined
        ? []
        : [{ at: looked, text: e.damaged(name, failure.message) }]),
    ]),
    ...(cleaned === undefined ? [] : [{ at: cleaned, text: e.cleaned(name) }]),
  ];
}

const SKIPPED = 'HOOK_SKIPPED';

function hookEvents({ sessions, hooks }: SessionsAnswer): Event[] {
  const { events: e } = t.session;
  return hooks.flatMap(({ subject, target, state, failure, updated }) => {
    if (updated === undefined) return [];
    const became = e.hookStates[failure?.code === SKIPPED ? 'skipped' : state];
    return [{ at: updated, text: e.hook(target.replace(/^hook:/, ''), nameIn(sessions, subject), became) }];
  });
}

/** The name of a series, or the words for the session. */
const nameIn = (sessions: SessionsAnswer['sessions'], subject: string): string => {
  const series = sessions.flatMap((one) => one.series).find(({ id }) => id === subject);
  return series === undefined ? t.session.events.session : seriesName(series);
};

/** Of destinations to which the session goes, while it had something to send. */
function pauseEvents({ sessions }: SessionsAnswer, { open, ended }: Pauses): Event[] {
  const { events: e } = t.session;
  const series = sessions.flatMap((one) => one.series);
  const first = Math.min(...series.map(({ firstSeen }) => firstSeen));
  const last = Math.max(...sessions.map(({ updated }) => updated));
  const targets = new Set(series.flatMap(({ legs }) => legs.map(({ target }) => target)));
  const goes = ({ destination, since }: Pauses['open'][number]): boolean =>
    targets.has(destination) && since <= last;
  const waits = ({ destination }: Pauses['open'][number]): boolean =>
    series.some(({ legs }) =>
      legs.some(({ target, paused }) => target === destination && paused !== undefined),
    );
  return [
    ...open.filter(waits).map(({ destination, since, by, reason }) => ({
      at: since,
      text: e.paused(destination, by, reason),
    })),
    ...ended
      .filter((one) => goes(one) && one.until >= first)
      .flatMap(({ destination, since, by, reason, until, endedBy }) => [
        { at: since, text: e.paused(destination, by, reason) },
        { at: until, text: e.resumed(destination, endedBy) },
      ]),
  ];
}

/** `3 t1_mprage`, as the console shows it. */
export const seriesName = ({ seriesNumber, seriesDescription, modality }: SeriesAnswer): string =>
  `${seriesNumber} ${seriesDescription === '' ? modality : seriesDescription}`.trim();
