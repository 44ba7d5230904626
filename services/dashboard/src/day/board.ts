/** The board of a day: its rows, with what each takes of its exams and sessions. Pure. */
import { defined } from '@scanflow/failure/defined';
import { isAway, type Away, type BidsFacts, type Facts } from '../journey/facts.ts';
import {
  type DayExam,
  type DaySession,
  type Row,
  type DayFacts,
  type DayParts,
  type Board,
  likelyOf,
  unbookedBy,
  spanOf,
} from './facts.ts';
import { journeyOf, withLast, type Journey } from '../journey/journey.ts';

const listOf = <T>(part: readonly T[] | Away): readonly T[] => (isAway(part) ? [] : part);

/** An exam that was chosen by mistake made nothing of this. Without an exam, the first image is its beginning, the last news its end. */
function madeOf(exams: readonly DayExam[] | Away, sessions: readonly DaySession[] | Away): Pick<Row, 'made'> {
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
function together(sessions: readonly DaySession[] | Away): readonly DaySession[] | Away {
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

function sizeOf(sessions: readonly DaySession[] | Away): Pick<Row, 'series' | 'images' | 'folder'> {
  if (isAway(sessions)) return { series: 0, images: 0 };
  const series = sessions.flatMap((one) => one.series);
  const folder = sessions.find((one) => one.folder !== undefined)?.folder;
  return {
    series: series.length,
    images: series.reduce((sum, { arrived }) => sum + arrived, 0),
    ...(folder !== undefined && { folder }),
  };
}

const labelsOf = (sessions: readonly DaySession[] | Away): Pick<Row, 'labels'> => {
  const labels = isAway(sessions) ? undefined : sessions.find((one) => one.labels !== undefined)?.labels;
  return labels === undefined ? {} : { labels };
};

// The board of one day: what each scanner has to do, was booked for, and made.

/** Folds a day into its board. `now`: epoch milliseconds. Pure. */
export function boardOf(facts: DayFacts, now: number): Board {
  const booked = bookedRows(facts, now);
  const offered = booked.map(({ row }) => row);
  const rows = [
    ...booked,
    ...unbookedRows(facts, now).map((one) => ({
      ...one,
      row: { ...one.row, ...likelyOf(one.row, offered) },
    })),
  ];
  const names = [...new Set([...facts.scanners, ...rows.map(({ scanner }) => scanner)])];
  const scanners = names
    .map((scanner) => ({
      ...(scanner === undefined ? {} : { scanner }),
      rows: rows
        .filter((row) => row.scanner === scanner)
        .map(({ row }) => row)
        .sort((a, b) => a.start - b.start || (a.id < b.id ? -1 : 1)),
    }))
    .filter(({ scanner, rows: own }) => scanner !== undefined || own.length > 0);
  return { scanners, counts: countsOf(rows), away: awayOf(facts) };
}

interface Placed {
  readonly scanner: string | undefined;
  readonly row: Row;
  readonly rejected: boolean;
}

/** Rows are of what is known; where a service is away, of what was known before. */
const knownOf = (facts: DayFacts): DayParts => facts.last ?? facts;

/** What is known now, and in grey what was known of the parts whose service is away. */
function journeyIn(facts: DayFacts, of: Facts, now: number, { labels }: Pick<Row, 'labels'>): Journey {
  const { bookings, items, exams, sessions, converts } = facts;
  const known = { ...of, converts: labels !== undefined && converts?.(labels.project) === true };
  const journey = journeyOf(
    {
      ...known,
      ...(isAway(bookings) && { booking: bookings }),
      ...(isAway(items) && { item: items }),
      ...(isAway(exams) && { exams }),
      ...(isAway(sessions) && { session: sessions }),
    },
    now,
  );
  if (facts.last === undefined) return journey;
  const since = Math.min(...Object.values(awayOf(facts)));
  // as it was then: what should have happened since, nobody knows
  return withLast(journey, journeyOf(known, Math.min(since, now)), since);
}

function bookedRows(facts: DayFacts, now: number): Placed[] {
  const known = knownOf(facts);
  if (isAway(known.bookings)) return [];
  return known.bookings.map((booking) => {
    const { accessionNumber, id, calendar, scanner, labels, title, booker, start, end } = booking;
    const exams = listed(known.exams, (exam) =>
      accessionNumber === undefined ? false : exam.accessionNumbers.includes(accessionNumber),
    );
    const sessions = listed(known.sessions, (one) => isOf(one, accessionNumber, exams));
    const item = listed(known.items, (one) => one.accessionNumber === accessionNumber);
    const journey = journeyIn(
      facts,
      { booking, exams, ...first('item', item), ...first('session', together(sessions)) },
      now,
      booking,
    );
    const row = {
      id: accessionNumber ?? id,
      kind: 'booking' as const,
      start,
      end,
      calendar,
      ...(labels && { labels }),
      ...(title !== undefined && { title }),
      ...(booker !== undefined && { booker }),
      ...sizeOf(sessions),
      ...madeOf(exams, sessions),
      journey,
    };
    return { scanner, row, rejected: booking.outcome === 'rejected' };
  });
}

/** Exams and images that belong to no booking of the day. Images of an exam stand in its row. */
function unbookedRows(facts: DayFacts, now: number): Placed[] {
  const known = knownOf(facts);
  const booked = new Set(listOf(known.bookings).flatMap(({ accessionNumber }) => accessionNumber ?? []));
  const isFree = ({ accessionNumbers }: DayExam): boolean => !accessionNumbers.some((one) => booked.has(one));
  const exams = listOf(known.exams).filter(isFree);
  const bookedExams = listOf(known.exams).filter((exam) => !isFree(exam));
  const taken = (one: DaySession): boolean =>
    booked.has(one.accessionNumber) || isOf(one, undefined, bookedExams);
  const free = listOf(known.sessions).filter((one) => !taken(one));
  const ofExams = exams.map((exam) => {
    const own = listed(known.sessions, (one) => free.includes(one) && isOf(one, undefined, [exam]));
    const row: Row = {
      id: exam.id,
      kind: 'exam',
      ...unbookedBy(exam.accessionNumbers[0]),
      start: exam.started ?? exam.created,
      ...(exam.ended !== undefined && { end: exam.ended }),
      ...labelsOf(own),
      ...sizeOf(own),
      ...madeOf([exam], own),
      journey: journeyIn(facts, { exams: [exam], ...first('session', together(own)) }, now, labelsOf(own)),
    };
    return { scanner: exam.scanner, row, rejected: false };
  });
  const { from, to } = spanOf(facts.day, facts.timezone);
  const alone = free.filter(
    (one) =>
      from <= one.firstSeen && one.firstSeen < to && !exams.some((exam) => isOf(one, undefined, [exam])),
  );
  return [
    ...ofExams,
    ...alone.map((one) => {
      const row: Row = {
        id: one.id,
        kind: 'images',
        ...unbookedBy(one.accessionNumber),
        start: one.firstSeen,
        ...labelsOf([one]),
        ...sizeOf([one]),
        ...madeOf([], [one]),
        journey: journeyIn(facts, { exams: isAway(known.exams) ? known.exams : [], session: one }, now, one),
      };
      return { scanner: one.scanner, row, rejected: false };
    }),
  ];
}

/** By accession number, or by the study or a series that an exam names: operators retype accession numbers. */
export function isOf(
  { accessionNumber, studyInstanceUids, series }: DaySession,
  wanted: string | undefined,
  exams: readonly DayExam[] | Away,
): boolean {
  if (wanted !== undefined && accessionNumber === wanted) return true;
  if (isAway(exams)) return false;
  const uids = new Set(series.map(({ seriesInstanceUid }) => seriesInstanceUid));
  return exams.some(
    (exam) =>
      exam.studyInstanceUids.some((uid) => studyInstanceUids.includes(uid)) ||
      exam.series.some(({ seriesInstanceUid }) => uids.has(seriesInstanceUid)),
  );
}

export const listed = <T>(part: readonly T[] | Away, wanted: (one: T) => boolean): readonly T[] | Away =>
  isAway(part) ? part : part.filter(wanted);

const first = <K extends string, T>(key: K, part: readonly T[] | Away): Partial<Record<K, T | Away>> => {
  const value = isAway(part) ? part : part[0];
  return value === undefined ? {} : ({ [key]: value } as Record<K, T | Away>);
};

function countsOf(rows: readonly Placed[]): Board['counts'] {
  const count = (wanted: (one: Placed) => boolean): number => rows.filter(wanted).length;
  return {
    bookings: count(
      ({ row, rejected }) => row.kind === 'booking' && !rejected && row.journey.verdict !== 'off',
    ),
    rejected: count(({ rejected }) => rejected),
    finished: count(({ row }) => row.journey.verdict === 'finished'),
    attention: count(({ row, rejected }) => row.journey.verdict === 'attention' && !rejected),
  };
}

const awayOf = ({ bookings, items, exams, sessions }: DayFacts): Board['away'] =>
  Object.fromEntries(
    Object.entries({ bookings, items, exams, sessions }).flatMap(([name, part]) =>
      isAway(part) ? [[name, part.since]] : [],
    ),
  );
