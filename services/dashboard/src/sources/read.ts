/** The services' answers as facts of a day. Pure. */
import type { z } from 'zod';
import { defined } from '@scanflow/failure/defined';
import {
  type DayBooking,
  type DayExam,
  type DayItem,
  type DaySession,
  overlaps,
  type Span,
} from '../day/facts.ts';
import type { BidsFacts, DeliveryFacts, SeriesFacts } from '../journey/facts.ts';
import type { bookingsAnswer, OutcomeAnswer, performedAnswer, worklistAnswer } from './answers.ts';
import type { SeriesAnswer, SessionsAnswer } from './streamer-answers.ts';

/** The events of a day. An event without a time cannot stand on a board. */
export const bookingsOf = ({ bookings }: z.infer<typeof bookingsAnswer>): DayBooking[] =>
  bookings.flatMap((event) => {
    const { start, end = start } = event;
    return start === undefined || end === undefined ? [] : [bookingOf(event, start, end)];
  });

function bookingOf(event: OutcomeAnswer, start: number, end: number): DayBooking {
  const { outcome, calendar, scanner, uid, recurrenceId, code, reason, summary, warnings } = event;
  const { project, subject, session, accessionNumber, studyInstanceUid, booker, bookers, changes } = event;
  const labelled = project !== undefined && subject !== undefined && session !== undefined;
  return {
    id: [calendar, uid, recurrenceId].join('/'),
    calendar,
    scanner,
    outcome,
    start,
    end,
    ...(accessionNumber !== undefined && { accessionNumber }),
    ...(studyInstanceUid !== undefined && { studyInstanceUid }),
    ...(booker !== undefined && { booker }),
    ...(bookers !== undefined && { bookers }),
    ...(changes !== undefined && { changes }),
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

type Converted = NonNullable<SessionsAnswer['sessions'][number]['bids']>;

/** Undefined where nothing was converted, and nothing waits: a project without a dataset, or a person gave it up. */
function bidsOf({ state, result, failure, nextTry }: Converted): BidsFacts | undefined {
  if (state !== 'done')
    return { became: state === 'failed' ? 'failed' : 'waiting', ...defined({ failure, at: nextTry }) };
  if (result?.verdict === undefined) return undefined;
  if (result.verdict === 'invalid') return { became: 'invalid', count: result.errorCount };
  return result.counts.failed > 0 ? { became: 'lacking', count: result.counts.failed } : { became: 'valid' };
}

/** All sessions: which of them belong to a day, its bookings and exams say. */
export function sessionsOf({ sessions, hooks }: SessionsAnswer): DaySession[] {
  const deliveries = Map.groupBy(hooks, ({ subject }) => subject);
  const of = (subject: string): DeliveryFacts[] =>
    (deliveries.get(subject) ?? []).map(({ target, state, failure }) => ({
      hook: target.replace(/^hook:/, ''),
      state,
      ...(failure && { failure }),
    }));
  return sessions.map(({ labels, folder, failure, bids, ...session }) => ({
    ...session,
    ...defined({ bids: bids && bidsOf(bids) }),
    ...(labels && { labels }),
    ...(folder !== undefined && { folder }),
    ...(failure && { failure }),
    series: session.series.map(seriesOf),
    deliveries: [session.id, ...session.series.map(({ id }) => id)].flatMap(of),
  }));
}

function seriesOf({ images, reason, reasonCode, expected, legs, ...series }: SeriesAnswer): SeriesFacts {
  const { id, seriesInstanceUid, state, firstSeen, labels } = series;
  return {
    id,
    seriesInstanceUid,
    ...(labels && { project: labels.project }),
    state,
    firstSeen,
    // clean-up deletes from Orthanc what is stored
    arrived: Math.max(images.inOrthanc, images.stored),
    stored: images.stored,
    ...(expected !== undefined && { expected }),
    ...(reason !== undefined && { reason: { code: reasonCode ?? '', message: reason } }),
    legs: legs.map(({ nextTry, failure, path: _, ...leg }) => ({
      ...leg,
      ...(nextTry !== undefined && { nextTry }),
      ...(failure && { failure }),
    })),
  };
}
