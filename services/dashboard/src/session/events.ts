/** What happened to a session, in the order of time. Pure. */
import { isAway } from '../journey/facts.ts';
import type { SeriesAnswer } from '../sources/answers.ts';
import type { Found } from '../sources/gather.ts';
import { t } from '../texts/pages.ts';

export interface Event {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly text: string;
}

export function eventsOf({ bookings, exams, answer }: Pick<Found, 'bookings' | 'exams' | 'answer'>): Event[] {
  const { events: e } = t.session;
  const event = (at: number | undefined, text: string): Event[] => (at === undefined ? [] : [{ at, text }]);
  const booked = isAway(bookings) ? [] : bookings;
  const reported = isAway(exams) ? [] : exams;
  const sessions = isAway(answer) ? [] : answer.sessions;
  return [
    ...booked.flatMap(({ start, end }) => [...event(start, e.slotBegins), ...event(end, e.slotEnds)]),
    ...reported.flatMap(({ started, created, ended }) => [
      ...event(started ?? created, e.examBegins),
      ...event(ended, e.examEnds),
    ]),
    ...sessions.flatMap(({ updated, series }) => [
      ...series.flatMap(eventsOfSeries),
      ...event(updated, e.news),
    ]),
  ].toSorted((a, b) => a.at - b.at);
}

function eventsOfSeries(series: SeriesAnswer): Event[] {
  const { firstSeen, decision, verification } = series;
  const { events: e } = t.session;
  const name = seriesName(series);
  return [
    { at: firstSeen, text: e.firstImage(name) },
    ...(decision === undefined
      ? []
      : [{ at: decision.at, text: e.decided(name, decision.kind, decision.by) }]),
    ...verification.flatMap(({ good }) => (good === undefined ? [] : [{ at: good, text: e.verified(name) }])),
  ];
}

/** `3 t1_mprage`, as the console shows it. */
export const seriesName = ({ seriesNumber, seriesDescription, modality }: SeriesAnswer): string =>
  `${seriesNumber} ${seriesDescription === '' ? modality : seriesDescription}`.trim();
