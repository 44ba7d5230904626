/** Wires what follows an exam: MPPS, exam records, and the items that leave the worklist. */
import { join } from 'node:path';
import type { Config } from '@scanflow/config';
import {
  erasuresIn,
  openErasures,
  type FastifyInstance,
  type Log,
  type Registry,
  type Erasures,
} from '@scanflow/runtime';
import type { CreateHandler, RequestReport, SetHandler } from '@scanflow/dimse';
import type { ExamSummary } from '@scanflow/booking';
import { bookingFiles } from '@scanflow/records';
import { openExamStore, type ExamStore } from './adapters/exam-store.ts';
import { MppsRequests } from './mpps-requests.ts';
import { addEvents, addExamRoutes } from './api.ts';
import { watchFolder } from './adapters/watch.ts';
import { createBoard, type Board } from './board.ts';
import type { AccessPolicy } from './domain/access.ts';
import { knownScanners } from './domain/mpps-report.ts';
import type { Schedule, Entry } from './domain/schedule.ts';
import { addExamMetrics } from './metrics.ts';

interface ExamsOptions {
  readonly config: Config;
  readonly log: Log;
  readonly registry: Registry;
  readonly policy: AccessPolicy;
  /** Everything that the folder holds. */
  readonly all: () => Schedule;
}

export interface Exams {
  readonly board: Board;
  readonly handlers: { readonly onCreate: CreateHandler; readonly onSet: SetHandler };
  /** Counts an answered request. */
  readonly onRequest: (report: RequestReport) => void;
  /** Call it after the folder changed. */
  readonly changed: () => void;
  readonly addRoutes: (app: FastifyInstance, scannerNames: ReadonlyMap<string, string>) => void;
  /** Starts the periodic check for ended slots. */
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Interval of the check for ended slots. Changed steps and files count at once. */
const LOOK_MS = 10_000;
/**
 * Our own reports change the folder, too, and each look takes every record's stamp: some tenths of a second for 10,000. Every minute
 * for network volumes that show no change of the folder.
 */
const SELDOM = { quietMs: 500, burstMs: 2_000, rereadMs: 60_000 };
const PROBLEMS_KEPT = 100;

interface Problem {
  readonly file: string;
  readonly reason: string;
}

const collector =
  (problems: Problem[], log: Log) =>
  (file: string, reason: string): void => {
    log.warn('performed.problem', { file, reason });
    problems.push({ file, reason });
    if (problems.length > PROBLEMS_KEPT) problems.shift();
  };

const boardSettings = ({ data, facility, worklist }: Config, log: Log) => ({
  onOver: reportOver(log, worklist.retain),
  timezone: facility.timezone,
  bookingEnd: bookingEnds(join(data, 'bookings')),
  leave: worklist.performed === 'leave',
  retainMs: worklist.retain === 'forever' ? Infinity : worklist.retain,
});

/** Reads the exam records, so that finished exams stay finished after a restart. */
export async function openExams({ config, log, registry, policy, all }: ExamsOptions): Promise<Exams> {
  const { timezone } = config.facility;
  const problems: Problem[] = [];
  const onProblem = collector(problems, log);
  const folder = join(config.data, 'performed');
  const store = await openExamStore({ folder, countedAs: policy.countedAs, onProblem });
  const steps = () => store.summaries().values();
  const board = createBoard({ all, steps, maySee: policy.maySee, ...boardSettings(config, log) });
  const scanners = knownScanners(config.scanners);
  const strictness = config.worklist.mpps;
  const shared = { store, policy, all, timezone, strictness, scanners, log };
  const performing = new MppsRequests({ ...shared, onChange: board.rebuild });
  const onRequest = addExamMetrics(registry, { steps, board });
  let looking: { stop: () => Promise<void> } | undefined;
  return {
    board,
    handlers: {
      onCreate: (request) => performing.create(request),
      onSet: (request) => performing.set(request),
    },
    onRequest,
    changed: () => {
      board.rebuild();
      void board.refresh();
    },
    addRoutes: (app, scannerNames) => {
      addEvents(app, { board, steps });
      addExamRoutes(app, {
        steps,
        refused: () => performing.refused,
        problems: () => problems,
        scannerNames,
      });
    },
    start: async () => {
      looking = await startLooking({ store, board, data: config.data, log });
    },
    stop: async () => {
      await looking?.stop();
      await performing.close();
      await board.refresh();
    },
  };
}

interface Looking {
  readonly store: ExamStore;
  readonly board: Board;
  readonly data: string;
  readonly log: Log;
}

/** Looks for ended slots and erased exams now and then, and takes over exams that scanners report to another worklist over the same folder. */
async function startLooking({ store, board, data, log }: Looking): Promise<{ stop: () => Promise<void> }> {
  const folder = join(data, 'performed');
  const erasures = openErasures(erasuresIn(data));
  const look = async (): Promise<void> => {
    if (await eraseExams(store, erasures, log)) board.rebuild();
    await board.refresh();
  };
  const follow = async (): Promise<boolean> => {
    if (await store.lookAtAll()) board.rebuild();
    return false;
  };
  await look();
  const onUnwatched = (reason: string): void => log.warn('worklist.folder-not-watched', { folder, reason });
  const watch = await watchFolder({ folder, read: follow, onUnwatched, ...SELDOM });
  const timer = setInterval(() => void look(), LOOK_MS);
  return {
    stop: async () => {
      clearInterval(timer);
      await watch.close();
    },
  };
}

/** Files logged one by one; one more line counts the rest. */
const NAMED = 20;
const HOUR_MS = 3_600_000;

/** Items that scanners saw leave as expected. An item that they never saw may puzzle its author, so it is a warning. */
function reportOver(log: Log, retain: number | 'forever') {
  const kept = retain === 'forever' ? retain : `${Math.round((retain / HOUR_MS) * 10) / 10} h`;
  return (entries: readonly Entry[], shown: boolean): void => {
    const reason = shown
      ? `its slot ended longer ago than worklist.retain (${kept})`
      : `it came with a start of longer ago than worklist.retain (${kept}); "retain: forever" shows such items`;
    const lines: Readonly<Record<string, unknown>>[] = entries
      .slice(0, NAMED)
      .map(({ file, startDate }) => ({ file, startDate, reason }));
    if (entries.length > NAMED) lines.push({ more: entries.length - NAMED, reason });
    for (const line of lines)
      if (shown) log.info('worklist.item-over', line);
      else log.warn('worklist.item-too-old', line);
  };
}

/** Finds them by the bookings that the exam was linked to, or that the scanner named. */
export const isErased = (
  { items, links }: Pick<ExamSummary, 'items' | 'links'>,
  erasures: Erasures,
): boolean =>
  [...items, ...links].some(({ accessionNumber }) => erasures.has('accession', accessionNumber)) ||
  items.some(({ studyInstanceUid }) => erasures.has('study', studyInstanceUid)) ||
  links.some(({ studyInstanceUids }) => studyInstanceUids.some((uid) => erasures.has('study', uid)));

/** Whether a record was removed. It logs unreadable erasures, and retries at the next look. */
async function eraseExams(store: Pick<ExamStore, 'erase'>, erasures: Erasures, log: Log): Promise<boolean> {
  try {
    await erasures.refresh();
    const erased = await store.erase((summary) => isErased(summary, erasures));
    if (erased > 0) log.warn('performed.erased', { exams: erased });
    return erased > 0;
  } catch (error) {
    log.error('performed.not-erased', { error });
    return false;
  }
}

/** When slots end, by the booking records: worklist items do not say. In epoch milliseconds; undefined without a readable record. */
export function bookingEnds(folder: string): (accessionNumber: string) => Promise<number | undefined> {
  const bookings = bookingFiles(folder);
  return async (accessionNumber) => {
    const record = await bookings.read(accessionNumber);
    try {
      return record === undefined ? undefined : Temporal.Instant.from(record.end).epochMilliseconds;
    } catch {
      // no instant: the item's start stands in
      return undefined;
    }
  };
}
