/** Metrics of the worklist for Prometheus. No label takes a value that a stranger can choose. */
import { Counter, Gauge, Histogram, type Registry } from '@scanflow/runtime';
import type { RequestReport } from '@scanflow/dimse';
import type { Snapshot } from './domain/snapshot.ts';

/** The number of scheduled steps that scanners see now. */
export type ServedCount = () => number;

export interface Metrics {
  readonly accepted: () => void;
  /** `reason` is one of a small set, such as `1/1/7`: result, source and reason of PS3.8 9.3.4. */
  readonly rejected: (reason: string) => void;
  /** Any answered request; only queries count here. */
  readonly request: (report: RequestReport) => void;
  readonly snapshot: (snapshot: Snapshot, seconds: number) => void;
}

/** Registers the worklist's metrics. */
export function createMetrics(registry: Registry, served: ServedCount): Metrics {
  const registers = [registry];
  const prefix = 'scanflow_worklist_';
  const associations = new Counter({ name: `${prefix}associations_total`, help: 'Accepted.', registers });
  const rejections = new Counter({
    name: `${prefix}rejections_total`,
    help: 'Rejected associations by result/source/reason (PS3.8 9.3.4), or limit.',
    labelNames: ['reason'],
    registers,
  });
  const queries = new Counter({
    name: `${prefix}queries_total`,
    help: 'Queries by how they ended.',
    labelNames: ['outcome'],
    registers,
  });
  const answers = new Counter({ name: `${prefix}answers_total`, help: 'Items sent.', registers });
  const latency = new Histogram({
    name: `${prefix}query_seconds`,
    help: 'From the request to the final response.',
    buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
    registers,
  });
  new Gauge({
    name: `${prefix}items`,
    help: 'Scheduled steps that scanners are shown; items_left counts what else the folder holds.',
    registers,
    collect() {
      this.set(served());
    },
  });
  const problems = new Gauge({ name: `${prefix}problem_files`, help: 'Files not served.', registers });
  const loadSeconds = new Gauge({ name: `${prefix}load_seconds`, help: 'Of the last load.', registers });
  const loadOk = new Gauge({ name: `${prefix}load_ok`, help: '1 when the folder could be read.', registers });
  return {
    accepted: () => associations.inc(),
    rejected: (reason) => rejections.inc({ reason }),
    request: ({ operation, status, responses, ms }) => {
      if (operation !== 'C-FIND') return;
      queries.inc({ outcome: status === 0 ? 'complete' : status === 0xfe00 ? 'cancelled' : 'failed' });
      answers.inc(responses);
      latency.observe(ms / 1000);
    },
    snapshot: (snapshot, seconds) => {
      problems.set(new Set(snapshot.problems.filter(({ served }) => !served).map(({ file }) => file)).size);
      loadSeconds.set(seconds);
      loadOk.set(snapshot.folder === 'failed' ? 0 : 1);
    },
  };
}
