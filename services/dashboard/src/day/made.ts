/** What a row of the day takes of its exams and sessions: its size, its labels, and when it was made. Pure. */
import { defined } from '@scanflow/failure/defined';
import { isAway, type Away, type BidsFacts } from '../journey/facts.ts';
import type { DayExam, DaySession, Row } from './facts.ts';

export const listOf = <T>(part: readonly T[] | Away): readonly T[] => (isAway(part) ? [] : part);

/** An exam that was chosen by mistake made nothing of this. Without an exam, the first image is its beginning, the last news its end. */
export function madeOf(
  exams: readonly DayExam[] | Away,
  sessions: readonly DaySession[] | Away,
): Pick<Row, 'made'> {
  const own = listOf(exams).filter(({ wrongItem }) => !wrongItem);
  if (own.length > 0) {
    const ends = own.map(({ ended, state, stale, updated }) =>
      state === 'IN PROGRESS' && !stale ? undefined : (ended ?? updated),
    );
    const last = ends.includes(undefined) ? undefined : Math.max(...ends.map((end) => end ?? 0));
    const from = Math.min(...own.map(({ started, created }) => started ?? created));
    return { made: { from, ...(last !== undefined && { to: last }) } };
  }
  const images = listOf(sessions).flatMap((one) => one.series.map(({ firstSeen }) => firstSeen));
  return images.length === 0 ? {} : { made: { from: Math.min(...images), to: Math.max(...images) } };
}

/** Sessions of one booking as one: a booking's images may come under several studies. */
export function together(sessions: readonly DaySession[] | Away): readonly DaySession[] | Away {
  if (isAway(sessions)) return sessions;
  const [head, ...more] = sessions;
  if (head === undefined || more.length === 0) return sessions;
  return [
    {
      ...head,
      complete: sessions.every(({ complete }) => complete),
      updated: Math.max(...sessions.map(({ updated }) => updated)),
      series: sessions.flatMap(({ series }) => series),
      deliveries: sessions.flatMap(({ deliveries }) => deliveries),
      ...defined({
        bids: worstOf(sessions.flatMap(({ bids }) => bids ?? [])),
        failure: sessions.find(({ failure }) => failure !== undefined)?.failure,
      }),
    },
  ];
}

const BAD_FIRST = ['failed', 'invalid', 'lacking', 'waiting', 'valid'] as const;

const worstOf = (all: readonly BidsFacts[]): BidsFacts | undefined =>
  all.toSorted((a, b) => BAD_FIRST.indexOf(a.became) - BAD_FIRST.indexOf(b.became))[0];

export function sizeOf(sessions: readonly DaySession[] | Away): Pick<Row, 'series' | 'images' | 'folder'> {
  if (isAway(sessions)) return { series: 0, images: 0 };
  const series = sessions.flatMap((one) => one.series);
  const folder = sessions.find((one) => one.folder !== undefined)?.folder;
  return {
    series: series.length,
    images: series.reduce((sum, { arrived }) => sum + arrived, 0),
    ...(folder !== undefined && { folder }),
  };
}

export const labelsOf = (sessions: readonly DaySession[] | Away): Pick<Row, 'labels'> => {
  const labels = isAway(sessions) ? undefined : sessions.find((one) => one.labels !== undefined)?.labels;
  return labels === undefined ? {} : { labels };
};
