/** The pages for people and the dashboard: items of the worklist, its queries, and the exams that scanners reported. */
import { createHash } from 'node:crypto';
import { addChanges, takes, type FastifyInstance } from '@scanflow/runtime';
import { text } from '@scanflow/dicom';
import type { SenderList } from '@scanflow/dimse/access';
import type { ExamSummary } from '@scanflow/booking';
import type { Board } from './board.ts';
import type { Journal, LastQuery } from './domain/journal.ts';
import type { Entry } from './domain/schedule.ts';
import type { Snapshot } from './domain/snapshot.ts';
import { isStale } from './domain/after-exam.ts';
import type { RefusedReport } from './mpps-requests.ts';

interface ApiSource {
  readonly snapshot: () => Snapshot;
  readonly board: Board;
  readonly journal: Journal;
  /** Name in the configuration by AE title. */
  readonly scannerNames: ReadonlyMap<string, string>;
  /** Rejected associations, and connections that never became one. */
  readonly rejected: SenderList;
  /** AE titles of a scanner, by its name or one of them. */
  readonly titlesOf: (scanner: string) => readonly string[];
  readonly maySee: (callingAet: string, entry: Entry) => boolean;
}

interface WorklistQuery {
  /** AE title or name of a caller, to show only the items that it may see (worklist.view). */
  readonly caller?: string;
  /** Name in the configuration or AE title. */
  readonly scanner?: string;
  /** `2026-11-22` or `20261122`. */
  readonly day?: string;
}

/** Adds /api/worklist?scanner=&day=&caller=, /api/queries, /api/rejected and /api/board/scanners. */
export function addRoutes(app: FastifyInstance, source: ApiSource): void {
  const { snapshot, board, journal, scannerNames, rejected, titlesOf, maySee } = source;
  app.get<{ Querystring: WorklistQuery }>('/api/worklist', takes('scanner', 'day', 'caller'), ({ query }) => {
    const { problems, folder } = snapshot();
    const exams = board.exams();
    const day = query.day?.replaceAll('-', '');
    const caller = query.caller === undefined ? undefined : (titlesOf(query.caller)[0] ?? query.caller);
    const wanted = (entry: Entry): boolean =>
      (caller === undefined || maySee(caller, entry)) &&
      (day === undefined || entry.startDate === day) &&
      (query.scanner === undefined ||
        entry.stations.some((aet) => aet === query.scanner || scannerNames.get(aet) === query.scanner));
    return {
      folder,
      items: board
        .schedule()
        .entries.filter(wanted)
        .map((entry) => ({
          ...describeEntry(entry, scannerNames),
          state: exams.get(entry) ?? 'scheduled',
        })),
      // in the folder, but no longer shown to scanners
      left: [...board.left()]
        .filter(([entry]) => wanted(entry))
        .map(([entry, why]) => ({ ...describeEntry(entry, scannerNames), why })),
      problems,
    };
  });
  app.get('/api/queries', () => ({ queries: journal.latest() }));
  app.get('/api/rejected', () => ({ rejected: rejected.all(), dropped: rejected.dropped }));
  app.get('/api/board/scanners', () => ({
    scanners: [...new Set(scannerNames.values())].map((scanner) => ({
      scanner,
      ...lastQueryOf(journal.last(titlesOf(scanner))),
    })),
  }));
}

/** When a scanner asked last, and how many items it got. Not its keys: they may name a patient. */
function lastQueryOf(last: LastQuery | undefined): object {
  if (last === undefined) return {};
  const { at, answers, outcome } = last.record;
  return { lastQuery: { at, items: answers, outcome } };
}

function describeEntry(entry: Entry, scannerNames: ReadonlyMap<string, string>): object {
  const { item, file, accessionNumber, studyInstanceUid, stepId, stations, modality } = entry;
  return {
    accessionNumber,
    studyInstanceUid,
    stepId,
    stations,
    scanners: stations.flatMap((aet) => scannerNames.get(aet) ?? []),
    modality,
    start: readableStart(entry),
    patientId: text(item, 'PatientID') ?? '',
    title: text(item, 'RequestedProcedureDescription') ?? '',
    file,
  };
}

/** `2026-11-22T09:30` in the facility's time, as the item says it; what is no date stays as it is. */
function readableStart({ startDate, startTime }: Entry): string {
  const date = startDate.replace(/^(\d{4})(\d{2})(\d{2})$/, '$1-$2-$3');
  const time = startTime.replace(/^(\d{2})(\d{2}).*$/, '$1:$2');
  return time === '' ? date : `${date}T${time}`;
}

interface ChangesSource {
  readonly board: Board;
  readonly steps: () => Iterable<ExamSummary>;
}

/** Adds /api/events: the items that scanners see, and the exams that they reported. */
export function addEvents(app: FastifyInstance, { board, steps }: ChangesSource): void {
  let seen: readonly unknown[] = [];
  let items = '';
  addChanges(app, {
    marks: () => {
      const now = [board.schedule(), board.left(), board.exams()];
      if (now.some((one, index) => one !== seen[index])) {
        seen = now;
        items = itemsMark(board);
      }
      const hash = createHash('sha256');
      for (const { sopInstanceUid, state, updated } of steps())
        hash.update(`${sopInstanceUid} ${state} ${updated}\n`);
      return { items, exams: hash.digest('hex') };
    },
  });
}

function itemsMark(board: Board): string {
  const hash = createHash('sha256');
  const exams = board.exams();
  for (const entry of board.schedule().entries)
    hash.update(`${entry.accessionNumber} ${entry.startDate} ${entry.startTime} ${exams.get(entry) ?? ''}\n`);
  for (const [{ accessionNumber }, why] of board.left()) hash.update(`${accessionNumber} ${why}\n`);
  return hash.digest('hex');
}

interface ExamSource {
  readonly steps: () => Iterable<ExamSummary>;
  readonly refused: () => readonly RefusedReport[];
  /** Files that hold no record: names and reasons. */
  readonly problems: () => readonly object[];
  /** Name in the configuration by AE title. */
  readonly scannerNames: ReadonlyMap<string, string>;
}

/** Adds /api/performed: the steps, the latest report first. */
export function addExamRoutes(app: FastifyInstance, source: ExamSource): void {
  app.get('/api/performed', () => {
    const now = Temporal.Now.instant();
    const steps = [...source.steps()].sort((a, b) => (a.updated < b.updated ? 1 : -1));
    return {
      steps: steps.map((step) => describe(step, source.scannerNames, now)),
      refused: source.refused(),
      problems: source.problems(),
    };
  });
}

function describe(
  step: ExamSummary,
  scannerNames: ReadonlyMap<string, string>,
  now: Temporal.Instant,
): object {
  const { version: _, items, series, ...rest } = step;
  const sum = (kind: 'images' | 'others'): number => series.reduce((total, one) => total + one[kind], 0);
  return {
    ...rest,
    scanner: scannerNames.get(step.stationAet) ?? scannerNames.get(step.callingAet) ?? null,
    linked: items.length > 0,
    stale: isStale(step, now),
    missing: step.missing ?? [],
    items,
    images: sum('images'),
    others: sum('others'),
    series,
  };
}
