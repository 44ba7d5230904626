/** What cal2wl shows: of its passes by HTTP, whether it can work, metrics for Prometheus, and how trials of its calendars end. */
import { defined, given } from '@scanflow/failure/defined';
import {
  type FastifyInstance,
  type Fault,
  type Health,
  Counter,
  addGauge,
  Gauge,
  Histogram,
  type Registry,
} from '@scanflow/runtime';
import { readIsolated } from '@scanflow/calendar';
import type { Config } from '@scanflow/config';
import { placeOf } from '@scanflow/sources';
import { failure, ok, skipped, type Check, type Finding } from '@scanflow/transfer/doctor/check';
import { TRIAL_MS } from '@scanflow/transfer/doctor/trials';
import type { Failure } from '@scanflow/failure';
import { count, outcomeView, type CalendarReport, type PassReport } from './report.ts';
import type { Reader } from './reader.ts';

/** Why a calendar takes no answers, if so. */
type Unanswered = (calendar: string) => Failure | undefined;

export function addRoutes(
  app: FastifyInstance,
  last: () => PassReport | undefined,
  unanswered: Unanswered = () => undefined,
): void {
  app.get('/api/calendars', () => ({ calendars: calendarViews(last(), unanswered) }));
  app.get('/api/bookings', () => bookingViews(last()));
}

function calendarViews(report: PassReport | undefined, unanswered: Unanswered): object[] {
  const now = Temporal.Now.instant();
  return (report?.calendars ?? []).map(
    ({ calendar, scanner, state, waiting, failure, outcomes, held, projects, notes, ...more }) => ({
      calendar,
      scanner,
      state,
      ...(waiting ? { waiting } : {}),
      ...freshness(more, now),
      ...defined({ failure }),
      ...(notes.length === 0 ? {} : { notes }),
      ...defined({ projects, answer: unanswered(calendar) }),
      bookings: count(outcomes, 'booking'),
      skipped: count(outcomes, 'skipped'),
      rejected: count(outcomes, 'rejected'),
      held,
    }),
  );
}

function freshness(
  { lastGood, notBefore, clockSkewMs }: Pick<CalendarReport, 'lastGood' | 'notBefore' | 'clockSkewMs'>,
  now: Temporal.Instant,
): object {
  return {
    ...defined({
      lastGood: lastGood?.toString(),
      ageSeconds: lastGood && age(lastGood, now),
      notBefore: notBefore?.toString(),
      clockSkewSeconds: given(clockSkewMs, (clockSkewMs) => Math.round(clockSkewMs / 1000)),
    }),
  };
}

/** In whole seconds; 0 if our clock was set back since. */
const age = (time: Temporal.Instant, now: Temporal.Instant): number =>
  Math.max(0, Math.round(now.since(time).total('seconds')));

function bookingViews(report: PassReport | undefined): object {
  const views = (report?.calendars ?? []).flatMap(({ calendar, outcomes }) =>
    outcomes.map((outcome) => outcomeView(outcome, calendar)),
  );
  return {
    ...given(report, (report) => ({
      at: report.at.toString(),
      from: report.window.from.toString(),
      to: report.window.to.toString(),
    })),
    bookings: views.filter(({ outcome }) => outcome === 'booking'),
    skipped: views.filter(({ outcome }) => outcome === 'skipped'),
    rejected: views.filter(({ outcome }) => outcome === 'rejected'),
  };
}

/** With cron the time between passes is unknown: a day without a pass is too long. */
const CRON_LIMIT_MS = 86_400_000;
/** Time for a pass on top of its interval. Fetches have their own time limits. */
const GRACE_MS = 600_000;

interface HealthOptions {
  readonly every: number;
  readonly cron?: string | undefined;
  readonly unanswered?: Unanswered;
}

/**
 * A calendar that does not answer, or takes no answers, is a fault that leaves the service ready. Only names and codes: a failure's
 * message may hold the name of a file.
 */
export function healthOf(
  last: PassReport | undefined,
  now: Temporal.Instant,
  { every, cron, unanswered = () => undefined }: HealthOptions,
): Health {
  if (last === undefined)
    return { ok: false, detail: { why: 'the first pass over the calendars is not done yet' } };
  const calendars = Object.fromEntries(
    last.calendars.map(({ calendar, state, failure }) => [
      calendar,
      failure === undefined ? state : `${state}: ${failure.code}`,
    ]),
  );
  const faults = last.calendars.flatMap((one) => [...faultOf(one), ...unansweredFault(one, unanswered)]);
  const detail = { lastPass: last.at.toString(), items: last.items, calendars };
  const age = now.since(last.at).total('milliseconds');
  const limit = cron === undefined ? 3 * every + GRACE_MS : CRON_LIMIT_MS + GRACE_MS;
  if (age > limit)
    return { ok: false, detail: { ...detail, why: 'no pass has ended for too long; see the log' }, faults };
  const { unwritten } = last;
  if (unwritten !== undefined) {
    const { code, message } = unwritten;
    const failing = { state: 'failing', code, message } as const;
    return { ok: false, detail: { ...detail, why: message }, faults: [failing, ...faults] };
  }
  const degraded = faults.length > 0 || last.calendars.some(({ state }) => state !== 'good');
  return { ok: true, ready: true, detail: { ...detail, degraded }, faults };
}

function faultOf({ calendar, state, lastGood, failure }: CalendarReport): Fault[] {
  // one that is fetched for the first time has no failure
  if (state === 'good' || failure === undefined) return [];
  const since = defined({ since: lastGood?.toString({ smallestUnit: 'second' }) });
  // its message has names of calendars alone
  if (failure.code === 'CALENDAR_RENAMED')
    return [{ state: 'failing', code: failure.code, message: failure.message, ...since }];
  const what =
    lastGood === undefined
      ? `${calendar} was never read: nothing of it is on the worklist.`
      : `${calendar} cannot be read: what it last said stays on the worklist.`;
  return [
    {
      state: 'degraded',
      code: failure.code,
      message: `${what} scanflow doctor calendars says why, docs/operations.md#calendars what to do.`,
      ...since,
    },
  ];
}

function unansweredFault({ calendar, state }: CalendarReport, unanswered: Unanswered): Fault[] {
  const failure = unanswered(calendar);
  // one that cannot be read gets no answers for that reason
  if (failure === undefined || state !== 'good') return [];
  const what = `${calendar} takes no answers: its events do not say what became of them; the worklist is complete.`;
  const message = `${what} scanflow doctor calendars says why, docs/booking-reference.md#answers-in-the-calendar what to do.`;
  return [{ state: 'degraded', code: failure.code, message }];
}

const PREFIX = 'scanflow_cal2wl_';

/** Whether calendars take answers, looked at with each scrape. */
export function addAnswerMetrics(
  registry: Registry,
  calendars: () => readonly string[],
  unanswered: Unanswered,
): void {
  addGauge(
    registry,
    `${PREFIX}calendar_answers_ok`,
    '1 if the calendar takes what became of its events, 0 if not. Absent without answer in the configuration.',
    (gauge) => {
      gauge.reset();
      for (const calendar of calendars()) gauge.set({ calendar }, unanswered(calendar) === undefined ? 1 : 0);
    },
    'calendar',
  );
}

/** What a cal2wl counted while it led is old once another leads. */
export function forgetPasses(registry: Registry): void {
  for (const { name } of registry.getMetricsAsArray())
    if (name.startsWith(PREFIX)) registry.getSingleMetric(name)?.reset();
}

/** Registers the metrics. Call the result after each pass. Label values come only from the configuration and our own code. */
export function createMetrics(registry: Registry): (report: PassReport) => void {
  const registers = [registry];
  const seconds = new Histogram({
    name: `${PREFIX}pass_seconds`,
    help: 'Time of one pass over all calendars.',
    registers,
  });
  const items = new Gauge({
    name: `${PREFIX}items`,
    help: 'Items that cal2wl keeps on the worklist.',
    registers,
  });
  const ofCalendar = calendarMetrics(registry);
  return (report) => {
    seconds.observe(report.ms / 1000);
    items.set(report.items);
    report.calendars.forEach(ofCalendar);
  };
}

function calendarMetrics(registry: Registry): (report: CalendarReport) => void {
  const registers = [registry];
  const gauge = (name: string, help: string): Gauge<'calendar'> =>
    new Gauge({ name: `${PREFIX}${name}`, help, labelNames: ['calendar'], registers });
  const good = gauge('calendar_good', '1 if the calendar gave a readable answer in the last pass, 0 if not.');
  const lastGood = gauge(
    'calendar_last_good_timestamp_seconds',
    'When the calendar last gave a readable answer. Absent if never.',
  );
  const held = gauge('calendar_held', 'Removals that wait for a second answer.');
  const ofFetch = fetchMetrics(registry);
  const events = new Gauge({
    name: `${PREFIX}events`,
    help: 'Events in the window, by what became of them: booking, skipped (no booking), rejected (somebody has to correct it).',
    labelNames: ['calendar', 'outcome'],
    registers,
  });
  const actions = new Counter({
    name: `${PREFIX}actions_total`,
    help: 'What passes did with items since the start, by kind.',
    labelNames: ['calendar', 'kind'],
    registers,
  });
  return (report) => {
    const label = { calendar: report.calendar };
    good.set(label, report.state === 'good' ? 1 : 0);
    if (report.lastGood !== undefined) lastGood.set(label, report.lastGood.epochMilliseconds / 1000);
    held.set(label, report.held);
    ofFetch(report);
    for (const outcome of ['booking', 'skipped', 'rejected'] as const)
      events.set({ ...label, outcome }, count(report.outcomes, outcome));
    for (const [kind, times] of Object.entries(report.actions)) actions.inc({ ...label, kind }, times);
  };
}

function fetchMetrics(registry: Registry): (report: CalendarReport) => void {
  const registers = [registry];
  const fetches = new Counter({
    name: `${PREFIX}fetches_total`,
    help: 'Answers of calendars since the start: new content, unchanged, or failed.',
    labelNames: ['calendar', 'outcome'],
    registers,
  });
  const seconds = new Histogram({
    name: `${PREFIX}fetch_seconds`,
    help: 'Time to fetch a calendar and to read it.',
    labelNames: ['calendar'],
    buckets: [0.01, 0.1, 0.5, 1, 5, 15, 60, 300],
    registers,
  });
  const bytes = new Gauge({
    name: `${PREFIX}calendar_bytes`,
    help: 'Size of the last body that the calendar gave, unpacked.',
    labelNames: ['calendar'],
    registers,
  });
  const skew = new Gauge({
    name: `${PREFIX}calendar_clock_skew_seconds`,
    help: "The clock of the calendar's server minus ours.",
    labelNames: ['calendar'],
    registers,
  });
  return ({ calendar, fetch, clockSkewMs }) => {
    if (clockSkewMs !== undefined) skew.set({ calendar }, clockSkewMs / 1000);
    if (fetch === undefined) return;
    fetches.inc({ calendar, outcome: fetch.outcome });
    seconds.observe({ calendar }, fetch.ms / 1000);
    if (fetch.bytes > 0) bytes.set({ calendar }, fetch.bytes);
  };
}

/** Tries out each calendar for the page Health: asks its server, as a pass does, and keeps nothing of the answer. */
export const calendarTrials = (
  { calendars, facility }: Pick<Config, 'calendars' | 'facility'>,
  readers: () => ReadonlyMap<string, Pick<Reader, 'standing'>>,
): Check[] =>
  Object.entries(calendars).map(([name, settings]) => ({
    name,
    run: (signal) => tryOut(settings, readers().get(name)?.standing() ?? {}, facility.timezone, signal),
  }));

async function tryOut(
  settings: Config['calendars'][string],
  { validators = {}, notBefore }: Partial<ReturnType<Reader['standing']>>,
  zone: string,
  signal: AbortSignal,
): Promise<Finding> {
  const now = Temporal.Now.instant();
  if (notBefore !== undefined && Temporal.Instant.compare(now, notBefore) < 0)
    return skipped(
      `its server asked us to wait until ${notBefore.toString({ smallestUnit: 'second' })}`,
      'Wait: cal2wl asks again by itself.',
    );
  const fetched = await placeOf(settings).source.fetch(validators, signal);
  if (fetched.kind === 'failed') return failure(fetched.failure);
  if (fetched.kind === 'notModified') return ok('it answers: unchanged since it was last read');
  const { bytes, charset = '' } = fetched;
  const window = { from: now, to: now.add({ hours: 24 }) };
  const read = await readIsolated(bytes, { window, zone, charset, timeoutMs: TRIAL_MS });
  if (!read.ok) return failure(read.error);
  const size = `${Math.ceil(bytes.length / 1000)} kB`;
  const { events } = read.content;
  return ok(`it answers with a calendar of ${size}; ${events.length} events in the next 24 hours`);
}
