/** Metrics of exams for Prometheus, computed at each scrape. */
import { Counter, Gauge, type Registry } from '@scanflow/runtime';
import type { RequestReport } from '@scanflow/dimse';
import type { Board } from './board.ts';
import { isStale } from './domain/after-exam.ts';
import type { ExamSummary } from '@scanflow/booking';

export interface ExamFigures {
  readonly steps: () => Iterable<ExamSummary>;
  readonly board: Board;
}

const prefix = 'scanflow_worklist_';

/** Registers the metrics of exams, and returns the counter of answered requests. */
export function addExamMetrics(registry: Registry, figures: ExamFigures): (report: RequestReport) => void {
  const registers = [registry];
  const reports = new Counter({
    name: `${prefix}performed_requests_total`,
    help: 'Reports of scanners about exams by operation and status.',
    labelNames: ['operation', 'status'],
    registers,
  });
  addGauges(registers, figures);
  return ({ operation, status }) => {
    if (operation === 'N-CREATE' || operation === 'N-SET')
      reports.inc({ operation, status: status.toString(16).toUpperCase().padStart(4, '0') });
  };
}

function addGauges(registers: Registry[], { steps, board }: ExamFigures): void {
  new Gauge({
    name: `${prefix}performed_steps`,
    help: 'Performed procedure steps on record by state; stale: in progress for longer than a day.',
    labelNames: ['state'],
    registers,
    collect() {
      const counts = { in_progress: 0, stale: 0, completed: 0, discontinued: 0 };
      const now = Temporal.Now.instant();
      for (const step of steps()) counts[stateOf(step, now)] += 1;
      for (const [state, count] of Object.entries(counts)) this.set({ state }, count);
    },
  });
  new Gauge({
    name: `${prefix}performed_unlinked`,
    help: 'Performed procedure steps on record that are linked to no item of the worklist.',
    registers,
    collect() {
      this.set([...steps()].filter(({ items }) => items.length === 0).length);
    },
  });
  new Gauge({
    name: `${prefix}items_left`,
    help: 'Items in the folder that are not shown, by reason; over: the slot is long past.',
    labelNames: ['reason'],
    registers,
    collect() {
      const counts = { completed: 0, discontinued: 0, over: 0 };
      for (const reason of board.left().values()) counts[reason] += 1;
      for (const [reason, count] of Object.entries(counts)) this.set({ reason }, count);
    },
  });
}

function stateOf(
  step: ExamSummary,
  now: Temporal.Instant,
): 'in_progress' | 'stale' | 'completed' | 'discontinued' {
  if (step.state === 'COMPLETED') return 'completed';
  if (step.state === 'DISCONTINUED') return 'discontinued';
  return isStale(step, now) ? 'stale' : 'in_progress';
}
