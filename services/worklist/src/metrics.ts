/** Metrics of worklist and exams for Prometheus. No label takes a value that a stranger can choose. */
import { addGauge, Counter, Gauge, Histogram, type Registry } from '@scanflow/runtime';
import type { RequestReport } from '@scanflow/dimse';
import type { ExamSummary } from '@scanflow/booking';
import type { Snapshot } from './domain/snapshot.ts';
import type { Board } from './board.ts';
import { isStale } from './domain/after-exam.ts';

const prefix = 'scanflow_worklist_';

/** The number of scheduled steps that scanners see now. */
type ServedCount = () => number;

export interface Metrics {
  readonly accepted: () => void;
  /** `reason` is one of a small set, such as `1/1/7`: result, source and reason of PS3.8 9.3.4. */
  readonly rejected: (reason: string) => void;
  /** Any answered request; only queries count here. */
  readonly request: (report: RequestReport) => void;
  readonly snapshot: (snapshot: Snapshot, seconds: number) => void;
}

/** Registers the worklist's metrics. */
export const createMetrics = (registry: Registry, served: ServedCount): Metrics => ({
  ...associationMetrics([registry]),
  request: queryMetrics([registry]),
  snapshot: folderMetrics(registry, served),
});

function associationMetrics(registers: Registry[]): Pick<Metrics, 'accepted' | 'rejected'> {
  const associations = new Counter({
    name: `${prefix}associations_total`,
    help: 'Associations that were accepted since the start.',
    registers,
  });
  const rejections = new Counter({
    name: `${prefix}rejections_total`,
    help: 'Associations that were rejected, by result/source/reason (PS3.8 9.3.4), limit, proxy or tls.',
    labelNames: ['reason'],
    registers,
  });
  return { accepted: () => associations.inc(), rejected: (reason) => rejections.inc({ reason }) };
}

function queryMetrics(registers: Registry[]): Metrics['request'] {
  const queries = new Counter({
    name: `${prefix}queries_total`,
    help: 'Worklist queries since the start, by how they ended: complete, cancelled, failed.',
    labelNames: ['outcome'],
    registers,
  });
  const answers = new Counter({
    name: `${prefix}answers_total`,
    help: 'Items that queries got since the start.',
    registers,
  });
  const latency = new Histogram({
    name: `${prefix}query_seconds`,
    help: 'Time from a query to its final response.',
    buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
    registers,
  });
  return ({ operation, status, responses, ms }) => {
    if (operation !== 'C-FIND') return;
    queries.inc({ outcome: status === 0 ? 'complete' : status === 0xfe00 ? 'cancelled' : 'failed' });
    answers.inc(responses);
    latency.observe(ms / 1000);
  };
}

function folderMetrics(registry: Registry, served: ServedCount): Metrics['snapshot'] {
  addGauge(
    registry,
    `${prefix}items`,
    'Scheduled steps that scanners see now; items_left counts what else the folder holds.',
    (gauge) => gauge.set(served()),
  );
  const gauge = (name: string, help: string): Gauge =>
    new Gauge({ name: `${prefix}${name}`, help, registers: [registry] });
  const problems = gauge(
    'problem_files',
    'Files of the worklist folder that are not served: they cannot be read.',
  );
  const loadSeconds = gauge('load_seconds', 'Time that the last reading of the worklist folder took.');
  const loadOk = gauge('load_ok', '1 if the worklist folder could be read the last time, 0 if not.');
  return (snapshot, seconds) => {
    problems.set(new Set(snapshot.problems.filter(({ served }) => !served).map(({ file }) => file)).size);
    loadSeconds.set(seconds);
    loadOk.set(snapshot.folder === 'failed' ? 0 : 1);
  };
}

interface ExamFigures {
  readonly steps: () => Iterable<ExamSummary>;
  readonly board: Board;
}

/** Registers the metrics of exams, and returns the counter of answered requests. */
export function addExamMetrics(registry: Registry, figures: ExamFigures): (report: RequestReport) => void {
  const registers = [registry];
  const reports = new Counter({
    name: `${prefix}performed_requests_total`,
    help: 'Reports of scanners about exams (MPPS) since the start, by operation and status.',
    labelNames: ['operation', 'status'],
    registers,
  });
  addGauges(registry, figures);
  return ({ operation, status }) => {
    if (operation === 'N-CREATE' || operation === 'N-SET')
      reports.inc({ operation, status: status.toString(16).toUpperCase().padStart(4, '0') });
  };
}

function addGauges(registry: Registry, { steps, board }: ExamFigures): void {
  addGauge(
    registry,
    `${prefix}performed_steps`,
    'Performed procedure steps on record by state; stale: in progress for longer than a day.',
    (gauge) => {
      const counts = { in_progress: 0, stale: 0, completed: 0, discontinued: 0 };
      const now = Temporal.Now.instant();
      for (const step of steps()) counts[stateOf(step, now)] += 1;
      for (const [state, count] of Object.entries(counts)) gauge.set({ state }, count);
    },
    'state',
  );
  addGauge(
    registry,
    `${prefix}performed_unlinked`,
    'Performed procedure steps on record that are linked to no item of the worklist.',
    (gauge) => gauge.set([...steps()].filter(({ items }) => items.length === 0).length),
  );
  addGauge(
    registry,
    `${prefix}items_left`,
    'Items in the folder that are not shown, by reason; over: the slot is long past.',
    (gauge) => {
      const counts = { completed: 0, discontinued: 0, over: 0 };
      for (const reason of board.left().values()) counts[reason] += 1;
      for (const [reason, count] of Object.entries(counts)) gauge.set({ reason }, count);
    },
    'reason',
  );
}

function stateOf(
  step: ExamSummary,
  now: Temporal.Instant,
): 'in_progress' | 'stale' | 'completed' | 'discontinued' {
  if (step.state === 'COMPLETED') return 'completed';
  if (step.state === 'DISCONTINUED') return 'discontinued';
  return isStale(step, now) ? 'stale' : 'in_progress';
}
