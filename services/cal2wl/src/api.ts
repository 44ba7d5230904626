/** What people and programs can ask cal2wl over HTTP. */
import type { FastifyInstance } from '@scanflow/chassis';
import type { Planned } from './domain/plan.ts';
import type { PassReport } from './report.ts';

/** One event and what became of it; times as UTC instants. */
export interface OutcomeView {
  readonly outcome: Planned['outcome'];
  readonly code: string;
  readonly reason: string;
  readonly calendar: string;
  readonly scanner: string;
  readonly uid?: string;
  readonly recurrenceId?: string;
  readonly start?: string;
  readonly end?: string;
  readonly summary?: string;
  readonly project?: string;
  readonly subject?: string;
  readonly session?: string;
  readonly accessionNumber?: string;
  readonly studyInstanceUid?: string;
}

export function addRoutes(app: FastifyInstance, last: () => PassReport | undefined): void {
  app.get('/api/calendars', () => ({ calendars: calendarViews(last()) }));
  app.get('/api/bookings', () => bookingViews(last()));
}

function calendarViews(report: PassReport | undefined): object[] {
  const now = Temporal.Now.instant();
  return (report?.calendars ?? []).map(({ calendar, scanner, state, lastGood, failure, outcomes, held }) => ({
    calendar,
    scanner,
    state,
    ...(lastGood === undefined
      ? {}
      : { lastGood: lastGood.toString(), ageSeconds: Math.round(now.since(lastGood).total('seconds')) }),
    ...(failure === undefined ? {} : { failure }),
    bookings: count(outcomes, 'booking'),
    skipped: count(outcomes, 'skipped'),
    rejected: count(outcomes, 'rejected'),
    held,
  }));
}

export const count = (outcomes: readonly Planned[], kind: Planned['outcome']): number =>
  outcomes.filter(({ outcome }) => outcome === kind).length;

function bookingViews(report: PassReport | undefined): object {
  const views = (report?.calendars ?? []).flatMap(({ calendar, scanner, outcomes }) =>
    outcomes.map((outcome) => outcomeView(outcome, calendar, scanner)),
  );
  const of = (kind: Planned['outcome']): OutcomeView[] => views.filter(({ outcome }) => outcome === kind);
  return {
    ...(report === undefined
      ? {}
      : { at: report.at.toString(), from: report.window.from.toString(), to: report.window.to.toString() }),
    bookings: of('booking'),
    skipped: of('skipped'),
    rejected: of('rejected'),
  };
}

export function outcomeView(planned: Planned, calendar: string, scanner: string): OutcomeView {
  const { outcome, code, reason, uid, recurrenceId, start, end, summary, record } = planned;
  const known = {
    uid,
    recurrenceId,
    start: record?.start ?? start?.toString(),
    end: record?.end ?? end?.toString(),
    summary,
    ...record?.labels,
    accessionNumber: record?.accessionNumber,
    studyInstanceUid: record?.studyInstanceUid,
  };
  const given = Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined));
  return { outcome, code, reason, calendar, scanner, ...given };
}
