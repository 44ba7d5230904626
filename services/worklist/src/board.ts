/** The worklist that scanners see: without items whose exam is done or whose slot is long past. */
import { pool } from '@scanflow/runtime';
import { examProgress, indexSteps, startOf } from './domain/after-exam.ts';
import type { ExamProgress } from './domain/after-exam.ts';
import type { ExamSummary } from '@scanflow/booking';
import { buildSchedule, emptySchedule, type Entry, type Schedule } from './domain/schedule.ts';

export interface BoardOptions {
  /** Everything that the folder holds. */
  readonly all: () => Schedule;
  readonly steps: () => Iterable<ExamSummary>;
  /** Whether a caller may see an entry. An exam counts only for entries that its caller may see. */
  readonly maySee: (callingAet: string, entry: Entry) => boolean;
  /** End of the slot as epoch milliseconds; undefined if unknown. Never rejects. */
  readonly bookingEnd: (accessionNumber: string) => Promise<number | undefined>;
  readonly timezone: string;
  /** Whether an item leaves once a scanner reports its exam as completed or discontinued. */
  readonly leave: boolean;
  /** Milliseconds after the end of its slot, or the start where no end is known, at which an item leaves; Infinity: never. */
  readonly retainMs: number;
  /** Items that left since the last look because their slot is long past; `shown`: whether scanners saw them before. */
  readonly onOver?: (entries: readonly Entry[], shown: boolean) => void;
}

/** Why an item left. */
export type Departure = 'completed' | 'discontinued' | 'over';

export interface Board {
  /** The schedule that is served now. */
  readonly schedule: () => Schedule;
  readonly left: () => ReadonlyMap<Entry, Departure>;
  /** Progress of the exams that scanners reported. */
  readonly exams: () => ReadonlyMap<Entry, ExamProgress>;
  /** Call it after the folder or a step changed. */
  readonly rebuild: () => void;
  /** Checks which slots have ended, then rebuilds. Never rejects. */
  readonly refresh: () => Promise<void>;
}

/** Booking records read at the same time. */
const PARALLEL = 16;

/** A board that is empty until its first rebuild. */
export function createBoard(options: BoardOptions): Board {
  let schedule = emptySchedule;
  let from = emptySchedule;
  let left: ReadonlyMap<Entry, Departure> = new Map();
  let exams: ReadonlyMap<Entry, ExamProgress> = new Map();
  const over = new WeakSet<Entry>();
  /** Looked at before: what is over at its first look came with a date of long ago. */
  const seen = new WeakSet<Entry>();
  const starts = new WeakMap<Entry, { readonly ms: number }>();
  let running: Promise<void> | undefined;

  const rebuild = (): void => {
    const all = options.all();
    exams = examsOf(all, options);
    const gone = departures(all, exams, over, options.leave);
    // sort and index thousands of items only after a change
    const same =
      all === from && gone.size === left.size && [...gone.keys()].every((entry) => left.has(entry));
    left = gone;
    from = all;
    if (gone.size === 0) schedule = all;
    else if (!same) schedule = buildSchedule(all.entries.filter((entry) => !gone.has(entry)));
  };
  const startMs = (entry: Entry): number => {
    const known = starts.get(entry);
    if (known !== undefined) return known.ms;
    const start = startOf(entry, options.timezone);
    // an item without a day has no end either
    const ms = start === undefined ? Infinity : Temporal.Instant.from(start).epochMilliseconds;
    starts.set(entry, { ms });
    return ms;
  };
  const look = async (): Promise<void> => {
    const before = Temporal.Now.instant().epochMilliseconds - options.retainMs;
    const due = options.all().entries.filter((entry) => !over.has(entry) && startMs(entry) < before);
    const ended = await endedBefore(before, due, startMs, options);
    for (const entry of ended) over.add(entry);
    rebuild();
    tellOver(ended, left, seen, options);
    for (const entry of options.all().entries) seen.add(entry);
  };
  return {
    schedule: () => schedule,
    left: () => left,
    exams: () => exams,
    rebuild,
    refresh: () => (running ??= look().finally(() => (running = undefined))),
  };
}

/** Entries whose slot ended before that. A slot that moved or grew has its end in the record; the item says only where it starts. */
async function endedBefore(
  before: number,
  due: readonly Entry[],
  startMs: (entry: Entry) => number,
  { bookingEnd }: BoardOptions,
): Promise<readonly Entry[]> {
  const ends = await pool(due, PARALLEL, async (entry) =>
    Math.max((await bookingEnd(entry.accessionNumber)) ?? 0, startMs(entry)),
  );
  return due.filter((_, index) => (ends[index] ?? Infinity) < before);
}

/** Apart: what scanners saw before, and what was over when it came. */
function tellOver(
  ended: readonly Entry[],
  left: ReadonlyMap<Entry, Departure>,
  seen: WeakSet<Entry>,
  { onOver }: BoardOptions,
): void {
  const gone = ended.filter((entry) => left.get(entry) === 'over');
  for (const shown of [true, false]) {
    const some = gone.filter((entry) => seen.has(entry) === shown);
    if (some.length > 0) onOver?.(some, shown);
  }
}

function examsOf(all: Schedule, { steps, maySee, timezone }: BoardOptions): ReadonlyMap<Entry, ExamProgress> {
  const index = indexSteps(steps(), all);
  const now = Temporal.Now.instant();
  const exams = new Map<Entry, ExamProgress>();
  for (const entry of all.entries) {
    const near = index
      .stepsOf(entry)
      .filter(({ onlySeen, callingAet }) => onlySeen !== true || maySee(callingAet, entry));
    const state = near.length === 0 ? undefined : examProgress(entry, near, timezone, now);
    if (state !== undefined) exams.set(entry, state);
  }
  return exams;
}

function departures(
  all: Schedule,
  exams: ReadonlyMap<Entry, ExamProgress>,
  over: WeakSet<Entry>,
  leave: boolean,
): ReadonlyMap<Entry, Departure> {
  const left = new Map<Entry, Departure>();
  for (const entry of all.entries) {
    const exam = exams.get(entry);
    if (exam === 'in progress') continue;
    if (exam !== undefined && leave) left.set(entry, exam);
    else if (over.has(entry)) left.set(entry, 'over');
  }
  return left;
}
