/** What the console of one scanner shows: who is in it, who is next, who is late, and whether the scanner is silent. Pure. */
import type { Labels } from '@scanflow/booking';
import type { Board, DayExam, Row } from '../day/facts.ts';
import { isAway, type Away } from '../journey/facts.ts';

/** A scanner's last query of the worklist. */
export interface LastQuery {
  readonly at: number;
  /** Items that it got. */
  readonly items: number;
}

/** Times are epoch milliseconds. A part is `Away` where its service does not answer, and undefined where nothing is known. */
export interface ConsoleFacts {
  /** Name in the configuration. */
  readonly scanner: string;
  readonly board: Board;
  /** Of the day, of all scanners. */
  readonly exams: readonly DayExam[] | Away;
  readonly lastQuery: LastQuery | Away | undefined;
  readonly lastImage: number | Away | undefined;
}

export interface Slot {
  /** Undefined: an exam that nobody booked. */
  readonly labels?: Labels;
  readonly start: number;
  readonly end?: number;
}

/** Who is in the scanner, or whose slot it is. */
export interface Now extends Slot {
  /** When the running exam began; undefined: none runs. */
  readonly scanningSince?: number;
  readonly late: boolean;
}

/**
 * `scanning`: an exam runs. `silent`: one runs, and the scanner gave no sign for long. `unknown`: a service is away, so that
 * nobody knows. `booked`: it is somebody's slot. `free`: nothing of all that.
 */
export type Tone = 'scanning' | 'silent' | 'unknown' | 'booked' | 'free';

export interface ConsolePlan {
  readonly tone: Tone;
  readonly now?: Now;
  /** The earliest first. */
  readonly next: readonly Slot[];
  /** The latest first: whose slot began a while ago, and whom nobody scanned. */
  readonly late: readonly Slot[];
  readonly counts: { readonly booked: number; readonly scanned: number; readonly rejected: number };
  readonly lastQuery: ConsoleFacts['lastQuery'];
  readonly lastImage: ConsoleFacts['lastImage'];
  /** The last sign of the scanner in a running exam: news of the exam, an image, or a query. */
  readonly lastSign?: number;
  /** Parts whose service is away, since when. */
  readonly away: Board['away'];
}

/** People take their time to lie down. */
const GRACE_MS = 5 * 60_000;

/** `now` and `silentAfterMs` in milliseconds. Each booking that nobody scanned is in one of now, next and late. */
export function consolePlan(facts: ConsoleFacts, now: number, silentAfterMs: number): ConsolePlan {
  const { board, scanner, exams, lastQuery, lastImage } = facts;
  const rows = board.scanners.find((one) => one.scanner === scanner)?.rows ?? [];
  const running = runningExam(exams, scanner);
  const open = rows.filter(isOpen).toSorted(byStart);
  const current = running === undefined ? open.find((row) => isDuring(row, now)) : undefined;
  const waiting = open.filter((row) => row !== current && !isRowOf(row, running));
  const isLate = ({ start }: Row): boolean => start + GRACE_MS <= now;
  const lastSign = running === undefined ? undefined : signOf(running, lastQuery, lastImage);
  const shown =
    running === undefined
      ? current && { ...slotOf(current), late: isLate(current) }
      : scanning(running, rowOf(board, running));
  return {
    tone: toneOf(facts, { running, current, isSilent: (lastSign ?? now) + silentAfterMs <= now }),
    ...(shown && { now: shown }),
    next: waiting.filter((row) => !isLate(row)).map(slotOf),
    late: waiting.filter(isLate).map(slotOf).toReversed(),
    counts: {
      booked: rows.filter(isBooked).length,
      scanned: rows.filter((row) => isBooked(row) && !isOpen(row)).length,
      rejected: rows.filter(
        ({ kind, journey }) => kind === 'booking' && journey.steps.understood.state === 'failed',
      ).length,
    },
    lastQuery,
    lastImage,
    ...(lastSign !== undefined && { lastSign }),
    away: board.away,
  };
}

/** Whether the event reserves the scanner: not where it was rejected, skipped or cancelled. */
const isBooked = ({ kind, journey }: Row): boolean =>
  kind === 'booking' && journey.steps.understood.state === 'done';

/** Whether it was booked, and nobody was scanned as far as is known. */
const isOpen = (row: Row): boolean => {
  const { state, text } = row.journey.steps.scanned;
  return isBooked(row) && (state === 'ahead' || state === 'unknown' || text === 'scanned.noExam');
};

const byStart = (a: Row, b: Row): number => a.start - b.start || (a.id < b.id ? -1 : 1);

const isDuring = ({ start, end }: Row, now: number): boolean =>
  start <= now && (end === undefined || now < end);

/** The exam that the scanner reported last, where several run. */
const runningExam = (exams: ConsoleFacts['exams'], scanner: string): DayExam | undefined =>
  isAway(exams)
    ? undefined
    : exams
        .filter(
          (exam) =>
            exam.scanner === scanner && exam.state === 'IN PROGRESS' && !exam.stale && !exam.wrongItem,
        )
        .toSorted((a, b) => a.created - b.created || (a.id < b.id ? -1 : 1))
        .at(-1);

const isRowOf = (row: Row, exam: DayExam | undefined): boolean =>
  exam !== undefined && (row.id === exam.id || exam.accessionNumbers.includes(row.id));

/** Its booking may be one of another scanner. */
const rowOf = ({ scanners }: Board, exam: DayExam): Row | undefined =>
  scanners.flatMap(({ rows }) => rows).find((row) => isRowOf(row, exam));

function scanning({ started, created }: DayExam, row: Row | undefined): Now {
  const since = started ?? created;
  return { ...(row === undefined ? { start: since } : slotOf(row)), scanningSince: since, late: false };
}

const slotOf = ({ labels, start, end, kind }: Row): Slot => ({
  ...(labels && { labels }),
  start,
  ...(kind === 'booking' && end !== undefined && { end }),
});

/** By our clock: a scanner's own may be wrong. */
const signOf = (
  { updated }: DayExam,
  query: ConsoleFacts['lastQuery'],
  image: ConsoleFacts['lastImage'],
): number =>
  Math.max(
    updated,
    query === undefined || isAway(query) ? 0 : query.at,
    typeof image === 'number' ? image : 0,
  );

function toneOf(
  { exams, lastImage, board }: ConsoleFacts,
  {
    running,
    current,
    isSilent,
  }: { readonly running: DayExam | undefined; readonly current: Row | undefined; readonly isSilent: boolean },
): Tone {
  if (isAway(exams)) return 'unknown';
  if (running !== undefined) {
    if (!isSilent) return 'scanning';
    // images may come that nobody here hears of
    return typeof lastImage === 'object' ? 'unknown' : 'silent';
  }
  if (current !== undefined) return 'booked';
  return board.away.bookings === undefined ? 'free' : 'unknown';
}
