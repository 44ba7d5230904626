/** The steps of a journey: each one decides by the facts alone what to say. */
import {
  isAway,
  type BidsFacts,
  type BookingFacts,
  type DeliveryFacts,
  type ExamFacts,
  type Facts,
  type LegFacts,
  type Reason,
  type SeriesFacts,
  type SessionFacts,
} from './facts.ts';
import { t } from '../texts/pages.ts';

export const STEP_NAMES = [
  'understood',
  'worklist',
  'scanned',
  'arrived',
  'stored',
  'sent',
  'bids',
  'done',
] as const;
export type StepName = (typeof STEP_NAMES)[number];

/**
 * `done`: looked at, and so. `now`: it happens. `waiting`: it should have happened, or waits for something. `failed`: a person
 * has to do something. `ahead`: its time has not come. `none`: not applicable. `unknown`: its service is away.
 */
export type StepState = 'done' | 'now' | 'waiting' | 'failed' | 'ahead' | 'none' | 'unknown';

export interface Step {
  readonly state: StepState;
  /** What the page's texts say of it, `arrived.some`; the numbers and names that the text needs. */
  readonly text: string;
  readonly values?: Readonly<Record<string, string | number>>;
  /** When it happened, began, or will be tried again. */
  readonly at?: number;
  readonly failure?: Reason;
  /** Its service is away since then, in epoch milliseconds: this was so before. */
  readonly stale?: number;
}

const ahead = (text: string): Step => ({ state: 'ahead', text });
const none = (text: string): Step => ({ state: 'none', text });
const away = ({ since }: { readonly since: number }): Step => ({ state: 'unknown', text: 'away', at: since });

/** Whether the event reserves the scanner. Rejected, skipped and cancelled events go nowhere. */
const isBooked = (booking: Facts['booking']): booking is BookingFacts =>
  booking !== undefined && !isAway(booking) && booking.outcome === 'booking';

/** Whether no images can be on their way: nothing was booked, and nobody was scanned. */
const expectsNothing = ({ booking, exams }: Facts): boolean =>
  !isAway(exams) && exams.every(({ wrongItem }) => wrongItem) && !isAway(booking) && !isBooked(booking);

/** How the calendar's event was read. */
export function understood({ booking }: Facts): Step {
  if (booking === undefined) return none('understood.notBooked');
  if (isAway(booking)) return away(booking);
  const { outcome, reason } = booking;
  if (outcome === 'booking') return { state: 'done', text: 'understood', ...(reason && { failure: reason }) };
  if (outcome === 'rejected')
    return { state: 'failed', text: 'understood.rejected', ...(reason && { failure: reason }) };
  return { state: 'none', text: `understood.${outcome}`, ...(reason && { failure: reason }) };
}

/** Whether scanners see it. An item that left for its exam was on the list. */
export function onWorklist({ booking, item, exams }: Facts, now: number): Step {
  if (booking === undefined) return none('worklist.none');
  if (isAway(booking)) return away(booking);
  if (!isBooked(booking)) return none('worklist.none');
  if (isAway(item)) return away(item);
  if (item !== undefined)
    return { state: 'done', text: item.state === 'over' ? 'worklist.over' : 'worklist' };
  // an exam that names the booking read the list before
  if (!isAway(exams) && exams.length > 0) return { state: 'done', text: 'worklist' };
  return now < booking.end
    ? { state: 'waiting', text: 'worklist.notYet' }
    : { state: 'waiting', text: 'worklist.gone' };
}

/** Whether somebody was in the scanner. Images show it where the scanner reports no exams. */
export function scanned({ booking, exams, session }: Facts, now: number): Step {
  if (isAway(exams)) return away(exams);
  const counted = exams.filter(({ wrongItem }) => !wrongItem);
  const running = counted.find(({ state }) => state === 'IN PROGRESS');
  if (running !== undefined) return inProgress(running);
  const completed = counted.find(({ state }) => state === 'COMPLETED');
  if (completed !== undefined)
    return { state: 'done', text: 'scanned', at: completed.ended ?? completed.updated };
  const stopped = counted[0];
  if (stopped !== undefined)
    return { state: 'waiting', text: 'scanned.stopped', at: stopped.ended ?? stopped.updated };
  const seen = seriesOf(session).map(({ firstSeen }) => firstSeen);
  if (seen.length > 0) return { state: 'done', text: 'scanned.byImages', at: Math.min(...seen) };
  if (booking !== undefined && isAway(booking)) return away(booking);
  if (!isBooked(booking)) return none('scanned.none');
  if (isAway(session)) return away(session);
  return now < booking.end ? ahead('scanned.ahead') : { state: 'waiting', text: 'scanned.noExam' };
}

function inProgress({ stale, started, created }: ExamFacts): Step {
  const at = started ?? created;
  return stale ? { state: 'waiting', text: 'scanned.noEnd', at } : { state: 'now', text: 'scanned.now', at };
}

/** Images here, of those that the scanner made where it said how many. */
export function arrived(facts: Facts, now: number): Step {
  const { session, exams } = facts;
  if (isAway(session)) return away(session);
  const series = seriesOf(session);
  const here = series.reduce((sum, one) => sum + one.arrived, 0);
  const made = madeOf(exams, series);
  const values = made === undefined ? { here } : { here, made };
  if (here === 0) return nothingArrived(facts, made, now);
  const first = Math.min(...series.map(({ firstSeen }) => firstSeen));
  if (series.some(({ state }) => state === 'collecting') || isScanning(exams))
    return { state: 'now', text: 'arrived.some', values, at: first };
  return made !== undefined && here < made
    ? { state: 'failed', text: 'arrived.missing', values, failure: lacking(series, here, made) }
    : { state: 'done', text: made === undefined ? 'arrived.counted' : 'arrived.all', values };
}

function nothingArrived({ booking, exams }: Facts, made: number | undefined, now: number): Step {
  if (isAway(exams)) return away(exams);
  const happened = exams.some(({ wrongItem }) => !wrongItem);
  if (happened && made !== 0)
    return isScanning(exams) ? ahead('arrived.ahead') : { state: 'waiting', text: 'arrived.nothing' };
  if (happened) return none('arrived.madeNone');
  if (booking !== undefined && isAway(booking)) return away(booking);
  if (!isBooked(booking)) return none('arrived.none');
  return now < booking.end ? ahead('arrived.ahead') : { state: 'waiting', text: 'arrived.nothing' };
}

const isScanning = (exams: Facts['exams']): boolean =>
  !isAway(exams) &&
  exams.some(({ state, stale, wrongItem }) => state === 'IN PROGRESS' && !stale && !wrongItem);

/** How many images the scanner says that it made; undefined where it said nothing. A series that both name counts once. */
function madeOf(exams: Facts['exams'], series: readonly SeriesFacts[]): number | undefined {
  const made = new Map<string, number>();
  for (const { seriesInstanceUid, expected } of series)
    if (expected !== undefined) made.set(seriesInstanceUid, expected);
  if (!isAway(exams))
    for (const one of exams.filter(({ state }) => state !== 'IN PROGRESS').flatMap((exam) => exam.series))
      made.set(one.seriesInstanceUid, Math.max(one.made, made.get(one.seriesInstanceUid) ?? 0));
  const total = [...made.values()].reduce((sum, one) => sum + one, 0);
  if (made.size === 0) return undefined;
  // series of which the scanner said nothing are whole as far as anybody knows
  const unsaid = series.filter(({ seriesInstanceUid }) => !made.has(seriesInstanceUid));
  return total + unsaid.reduce((sum, one) => sum + one.arrived, 0);
}

const lacking = (series: readonly SeriesFacts[], here: number, made: number): Reason =>
  series.find(({ reason }) => reason?.code === 'SERIES_INCOMPLETE')?.reason ?? {
    code: 'SERIES_INCOMPLETE',
    message: t.session.incomplete(made, here),
  };

/** Whether every series that arrived lies on project storage. */
export function stored(facts: Facts): Step {
  const { session } = facts;
  if (isAway(session)) return away(session);
  const series = seriesOf(session);
  if (series.length === 0) return expectsNothing(facts) ? none('stored.none') : ahead('stored.ahead');
  const quarantined = series.filter(({ state }) => state === 'quarantined');
  const [first] = quarantined;
  if (first !== undefined)
    return {
      state: 'failed',
      text: 'stored.quarantined',
      values: { series: quarantined.length },
      at: first.firstSeen,
      ...(first.reason && { failure: first.reason }),
    };
  return ofLegs(
    series.map(({ legs }) => legs.find(({ target }) => target === 'storage')),
    'stored',
    series,
  );
}

/** Whether every destination has what it should get. */
export function sent(facts: Facts): Step {
  const { session } = facts;
  if (isAway(session)) return away(session);
  const series = seriesOf(session);
  if (series.length === 0) return expectsNothing(facts) ? none('sent.none') : ahead('sent.ahead');
  const legs = series.flatMap((one) => one.legs.filter((leg) => leg.target !== 'storage' && !isGivenUp(leg)));
  if (legs.length > 0) return ofLegs(legs, 'sent', series);
  return series.every(({ state }) => state === 'complete') ? none('sent.none') : ahead('sent.ahead');
}

/** A person gave the destination up: nothing waits for it, and nothing was sent. */
const isGivenUp = ({ state, failure }: LegFacts): boolean =>
  state === 'done' && failure?.code === 'DEST_SKIPPED';

/** The worst of some legs. A series without the leg is still on its way to it. */
function ofLegs(
  legs: readonly (LegFacts | undefined)[],
  step: 'stored' | 'sent',
  series: readonly SeriesFacts[],
): Step {
  const known = legs.filter((leg) => leg !== undefined);
  const targets = (some: readonly LegFacts[]): string =>
    [...new Set(some.map(({ target }) => target))].sort().join(', ');
  const failed = known.filter(({ state }) => state === 'failed');
  if (failed.length > 0)
    return {
      state: 'failed',
      text: `${step}.failed`,
      values: { targets: targets(failed) },
      ...(failed[0]?.failure && { failure: failed[0].failure }),
    };
  const pending = known.filter(({ state }) => state === 'pending');
  const paused = pending.filter((leg) => leg.paused !== undefined);
  if (paused.length > 0)
    return { state: 'waiting', text: 'sent.paused', values: { targets: targets(paused) } };
  const stuck = pending.find(({ failure, attempts }) => failure !== undefined && attempts > 0);
  if (stuck !== undefined)
    return {
      state: 'waiting',
      text: `${step}.waits`,
      values: { targets: targets(pending.filter(({ failure }) => failure !== undefined)) },
      ...(stuck.nextTry !== undefined && { at: stuck.nextTry }),
      ...(stuck.failure && { failure: stuck.failure }),
    };
  const count = known.filter(({ state }) => state === 'done').length;
  if (pending.length === 0 && known.length === legs.length && series.every(isQuiet))
    return { state: 'done', text: step };
  return {
    state: count > 0 || pending.length > 0 ? 'now' : 'ahead',
    text: `${step}.some`,
    values: { count, of: legs.length },
  };
}

const isQuiet = ({ state }: SeriesFacts): boolean => state !== 'collecting';

/** What the validator says of its dataset. `none` without a dataset: pages leave the step out. */
export function converted({ session, converts = false }: Facts): Step {
  if (session !== undefined && isAway(session)) return converts ? away(session) : none('bids.none');
  const bids = session?.bids;
  if (bids === undefined)
    return converts && session?.complete !== true ? ahead('bids.ahead') : none('bids.none');
  return becameOf(bids);
}

function becameOf({ became, count = 0, failure, at }: BidsFacts): Step {
  const more = { ...(at !== undefined && { at }), ...(failure && { failure }) };
  if (became === 'valid') return { state: 'done', text: 'bids.valid' };
  if (became === 'waiting')
    return { state: failure === undefined ? 'now' : 'waiting', text: 'bids.waiting', ...more };
  if (became === 'failed') return { state: 'failed', text: 'bids.failed', ...more };
  const one = count === 1 ? 'One' : '';
  return { state: 'failed', text: `bids.${became}${one}`, values: { count } };
}

/** Whether the session is closed and its hooks ran. Never of a session of which images are missing. */
export function finished(facts: Facts, before: readonly Step[]): Step {
  const { session } = facts;
  if (isAway(session)) return away(session);
  if (session === undefined || session.series.length === 0)
    return expectsNothing(facts) ? none('done.none') : ahead('done.ahead');
  const { deliveries, complete, failure, updated, bids } = session;
  // the conversion to BIDS has a step of its own
  const hook = hooked(bids === undefined ? deliveries : deliveries.filter((one) => one.hook !== BIDS));
  if (hook?.state === 'failed') return hook;
  if (failure !== undefined) return { state: 'waiting', text: 'done.noReport', failure };
  if (hook !== undefined) return hook;
  const whole = before.every(({ state }) => state === 'done' || state === 'none');
  return complete && whole ? { state: 'done', text: 'done', at: updated } : ahead('done.ahead');
}

const BIDS = 'bids';

/** The worst of the hooks; undefined where all of them ran. */
function hooked(deliveries: readonly DeliveryFacts[]): Step | undefined {
  const told = (one: DeliveryFacts, state: StepState, text: string): Step => ({
    state,
    text,
    values: { hook: one.hook },
    ...(one.failure && { failure: one.failure }),
  });
  const failed = deliveries.find(({ state }) => state === 'failed');
  if (failed !== undefined) return told(failed, 'failed', 'done.hookFailed');
  const pending = deliveries.filter(({ state }) => state === 'pending');
  const stuck = pending.find((one) => one.failure !== undefined);
  if (stuck !== undefined) return told(stuck, 'waiting', 'done.hookRuns');
  return pending[0] && told(pending[0], 'now', 'done.hookRuns');
}

const seriesOf = (session: SessionFacts | { readonly since: number } | undefined): readonly SeriesFacts[] =>
  session === undefined || isAway(session) ? [] : session.series;
