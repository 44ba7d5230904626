/** The page about exams: the reports of scanners, and the refused ones. */
import type { FastifyInstance } from '@scanflow/runtime';
import { isStale } from './domain/after-exam.ts';
import type { ExamSummary } from '@scanflow/booking';
import type { RefusedReport } from './mpps-requests.ts';

export interface ExamSource {
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
