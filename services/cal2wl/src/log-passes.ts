/** Logs what changed from pass to pass, without titles and labels. */
import type { Log } from '@scanflow/runtime';
import { count } from './api.ts';
import type { CalendarReport, PassReport } from './report.ts';

/** Call the result after each pass. */
export function createPassLog(log: Log): (report: PassReport) => void {
  const told = new Map<string, string>();
  return (report) => {
    for (const one of report.calendars) {
      const news = JSON.stringify([
        one.state,
        one.failure?.code,
        one.held,
        isSkewed(one),
        one.notes,
        ...counts(one),
      ]);
      const ofCalendar = log.child({ calendar: one.calendar });
      if (told.get(one.calendar) !== news) tell(one, ofCalendar);
      if (one.accepted) ofCalendar.info('a person accepts what the calendar lost', { stillHeld: one.held });
      told.set(one.calendar, news);
    }
    log.debug('pass done', { ms: Math.round(report.ms), items: report.items });
  };
}

const SKEW_MS = 300_000;
const isSkewed = ({ clockSkewMs }: CalendarReport): boolean => Math.abs(clockSkewMs ?? 0) > SKEW_MS;

const counts = ({ outcomes }: CalendarReport): number[] =>
  (['booking', 'skipped', 'rejected'] as const).map((kind) => count(outcomes, kind));

function tell(report: CalendarReport, log: Log): void {
  const { state, failure, notes, lastGood, held } = report;
  const [bookings, skipped, rejected] = counts(report);
  if (failure === undefined) log.info('calendar read', { bookings, skipped, rejected });
  else
    log.warn('the calendar cannot be read; its last good state stays', {
      state,
      code: failure.code,
      reason: failure.message,
      ...(lastGood === undefined ? {} : { lastGood: lastGood.toString() }),
    });
  for (const { code, message } of notes)
    log.warn('the calendar was read, but is odd', { code, reason: message });
  if (held > 0)
    log.warn(
      `the calendar lost many bookings at once; they stay until it says so a second time, or somebody accepts it: scanflow calendars accept ${report.calendar}`,
      { held },
    );
  if (isSkewed(report))
    log.warn("this machine's clock and that of the calendar's server differ; check the time service (NTP)", {
      seconds: Math.round((report.clockSkewMs ?? 0) / 1000),
    });
}
