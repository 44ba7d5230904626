/** Metrics of the bids service. No label has a value that a person can choose. */
import { addGauge, Counter, Histogram, type Registry } from '@scanflow/runtime';
import type { Line } from './line.ts';
import type { Outcome } from './work/types.ts';

export interface Metrics {
  readonly converted: (outcome: Outcome, seconds: number) => void;
  readonly failed: (code: string) => void;
}

const prefix = 'scanflow_bids_';

export function createMetrics(registry: Registry, line: Pick<Line, 'running' | 'waiting'>): Metrics {
  const registers = [registry];
  const sessions = new Counter({
    name: `${prefix}sessions_total`,
    help: 'Sessions that were converted since the start, by verdict: valid, invalid, or none where nothing was to convert.',
    labelNames: ['verdict'],
    registers,
  });
  const series = new Counter({
    name: `${prefix}series_total`,
    help: 'Series of these sessions, by what became of them: converted, failed, or left in the sourcedata.',
    labelNames: ['outcome'],
    registers,
  });
  const failures = new Counter({
    name: `${prefix}failures_total`,
    help: 'Sessions that could not be converted, by code. Each try counts.',
    labelNames: ['code'],
    registers,
  });
  const seconds = new Histogram({
    name: `${prefix}session_seconds`,
    help: 'Time from the turn of a session until it is in the dataset.',
    buckets: [1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000],
    registers,
  });
  for (const verdict of ['valid', 'invalid', 'none']) sessions.inc({ verdict }, 0);
  for (const outcome of ['converted', 'failed', 'left']) series.inc({ outcome }, 0);
  addGauge(registry, `${prefix}running`, 'Sessions that are converted now.', (gauge) =>
    gauge.set(line.running().length),
  );
  addGauge(registry, `${prefix}waiting`, 'Sessions that wait for their turn.', (gauge) =>
    gauge.set(line.waiting()),
  );
  return {
    converted: ({ verdict, counts }, took) => {
      sessions.inc({ verdict: verdict?.verdict ?? 'none' });
      for (const outcome of ['converted', 'failed', 'left'] as const)
        series.inc({ outcome }, counts[outcome]);
      seconds.observe(took);
    },
    failed: (code) => failures.inc({ code }),
  };
}
