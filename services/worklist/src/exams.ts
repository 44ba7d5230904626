/** Wires what follows an exam: MPPS, exam records, and the items that leave the worklist. */
import { join } from 'node:path';
import type { Config } from '@scanflow/config';
import { erasuresIn, openErasures, type FastifyInstance, type Log, type Registry } from '@scanflow/runtime';
import type { CreateHandler, RequestReport, SetHandler } from '@scanflow/dimse';
import { bookingEnds } from './adapters/booking-end.ts';
import { openExamStore } from './adapters/exam-store.ts';
import { Reports } from './adapters/mpps-reports.ts';
import { addExamRoutes } from './api-exams.ts';
import { createBoard, type Board } from './board.ts';
import { reportOver } from './over.ts';
import type { AccessPolicy } from './domain/access.ts';
import { knownScanners } from './domain/mpps-fill.ts';
import type { Schedule } from './domain/schedule.ts';
import { eraseExams } from './erase-exams.ts';
import { addExamMetrics } from './metrics-exams.ts';
import { MppsRequests } from './mpps-requests.ts';

export interface ExamsOptions {
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
  const reports = new Reports();
  const scanners = knownScanners(config.scanners);
  const strictness = config.worklist.mpps;
  const shared = { store, reports, policy, all, timezone, strictness, scanners, log };
  const performing = new MppsRequests({ ...shared, onChange: board.rebuild });
  const onRequest = addExamMetrics(registry, { steps, board });
  const erasures = openErasures(erasuresIn(config.data));
  const look = async (): Promise<void> => {
    if (await eraseExams(store, erasures, log)) board.rebuild();
    await board.refresh();
  };
  let timer: NodeJS.Timeout | undefined;
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
      addExamRoutes(app, {
        steps,
        refused: () => performing.refused,
        problems: () => problems,
        scannerNames,
      });
    },
    start: async () => {
      await look();
      timer = setInterval(() => void look(), LOOK_MS);
    },
    stop: async () => {
      clearInterval(timer);
      await reports.close();
      await board.refresh();
    },
  };
}
