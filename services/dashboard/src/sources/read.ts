/** The services' answers as facts of a day. Pure. */
import type { z } from 'zod';
import type { DayBooking, DayExam, DayItem, DaySession } from '../day/board.ts';
import { overlaps, type Span } from '../day/span.ts';
import type { DeliveryFacts, SeriesFacts } from '../journey/facts.ts';
import type {
  bookingsAnswer,
  hooksAnswer,
  OutcomeAnswer,
  performedAnswer,
  sessionsAnswer,
  worklistAnswer,
} from './answers.ts';

/** The events of a day. An event without a time cannot stand on a board. */
export function bookingsOf(answer: z.infer<typeof bookingsAnswer>, span: Span): DayBooking[] {
  const kinds = [
    ['booking', answer.bookings],
    ['rejected', answer.rejected],
    ['skipped', answer.skipped],
  ] as const;
  return kinds.flatMap(([outcome, events]) =>
    events.flatMap((event) => {
      const { start, end = start } = event;
      if (start === undefined || end === undefined || !overlaps(start, end, span)) return [];
      return [bookingOf(event, outcome, start, end)];
    }),
  );
}

function bookingOf(
  event: OutcomeAnswer,
  outcome: DayBooking['outcome'],
  start: number,
  end: number,
): DayBooking {
  const { calendar, scanner, uid, recurrenceId, code, reason, summary, accessionNumber, warnings } = event;
  const { project, subject, session } = event;
  const labelled = project !== undefined && subject !== undefined && session !== undefined;
  return {
    id: [calendar, uid, recurrenceId].join('/'),
    calendar,
    scanner,
    outcome,
    start,
    end,
    ...(accessionNumber !== undefined && { accessionNumber }),
    ...(labelled && { labels: { project, subject, session } }),
    ...(!labelled && summary !== undefined && { title: summary }),
    ...((outcome !== 'booking' || warnings.length > 0) && { reason: { code, message: reason } }),
  };
}

export const itemsOf = ({ items, left }: z.infer<typeof worklistAnswer>): DayItem[] => [
  ...items,
  ...left.map(({ accessionNumber, why }) => ({ accessionNumber, state: why })),
];

/** The exams that touch a day: begun before its end, and not over before its begin. */
export const examsOf = ({ steps }: z.infer<typeof performedAnswer>, span: Span): DayExam[] =>
  steps
    .filter(({ started, created, ended, updated }) => overlaps(started ?? created, ended ?? updated, span))
    .map(({ sopInstanceUid, scanner, links, items, series, started, ended, ...exam }) => ({
      ...exam,
      id: sopInstanceUid,
      ...(started !== undefined && { started }),
      ...(ended !== undefined && { ended }),
      ...(scanner !== null && { scanner }),
      studyInstanceUids: [...new Set(links.flatMap((link) => link.studyInstanceUids))],
      accessionNumbers: [...new Set(items.map(({ accessionNumber }) => accessionNumber))],
      series: series.map(({ seriesInstanceUid, images, others }) => ({
        seriesInstanceUid,
        made: images + others,
      })),
    }));

/** All sessions: which of them belong to a day, its bookings and exams say. */
export function sessionsOf(
  { sessions }: z.infer<typeof sessionsAnswer>,
  { hooks }: z.infer<typeof hooksAnswer>,
): DaySession[] {
  const deliveries = Map.groupBy(hooks, ({ subject }) => subject);
  const of = (subject: string): DeliveryFacts[] =>
    (deliveries.get(subject) ?? []).map(({ target, state, failure }) => ({
      hook: target.replace(/^hook:/, ''),
      state,
      ...(failure && { failure }),
    }));
  return sessions.map(({ labels, folder, failure, ...session }) => ({
    ...session,
    ...(labels && { labels }),
    ...(folder !== undefined && { folder }),
    ...(failure && { failure }),
    series: session.series.map(seriesOf),
    deliveries: [session.id, ...session.series.map(({ id }) => id)].flatMap(of),
  }));
}

function seriesOf({
  images,
  reason,
  reasonCode,
  expected,
  legs,
  ...series
}: z.infer<typeof sessionsAnswer>['sessions'][number]['series'][number]): SeriesFacts {
  return {
    ...series,
    // clean-up deletes from Orthanc what is stored
    arrived: Math.max(images.inOrthanc, images.stored),
    stored: images.stored,
    ...(expected !== undefined && { expected }),
    ...(reason !== undefined && { reason: { code: reasonCode ?? '', message: reason } }),
    legs: legs.map(({ nextTry, failure, ...leg }) => ({
      ...leg,
      ...(nextTry !== undefined && { nextTry }),
      ...(failure && { failure }),
    })),
  };
}
