/** Metrics of cal2wl for Prometheus. Label values come only from the configuration and our own code. */
import { Counter, Gauge, Histogram, type Registry } from '@scanflow/runtime';
import { count, type CalendarReport, type PassReport } from './report.ts';

const PREFIX = 'scanflow_cal2wl_';

/** Registers the metrics. Call the result after each pass. */
export function createMetrics(registry: Registry): (report: PassReport) => void {
  const registers = [registry];
  const seconds = new Histogram({
    name: `${PREFIX}pass_seconds`,
    help: 'Time of one pass over all calendars.',
    registers,
  });
  const items = new Gauge({ name: `${PREFIX}items`, help: 'Items on the worklist.', registers });
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
  const good = gauge('calendar_good', '1 when the calendar answered in the last pass.');
  const lastGood = gauge(
    'calendar_last_good_timestamp_seconds',
    'When the calendar last gave a readable answer.',
  );
  const held = gauge('calendar_held', 'Removals that wait for a second answer.');
  const ofFetch = fetchMetrics(registry);
  const events = new Gauge({
    name: `${PREFIX}events`,
    help: 'Events in the window by what became of them.',
    labelNames: ['calendar', 'outcome'],
    registers,
  });
  const actions = new Counter({
    name: `${PREFIX}actions_total`,
    help: 'What passes did.',
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
    help: 'Answers of calendars: new content, unchanged, or failed.',
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
