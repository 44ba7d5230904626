/** The streamer's metrics. */
import { Counter, Gauge, Registry } from '@scanflow/runtime';
import type { Condition } from '../work/condition.ts';
import type { Ledger, Tx } from '../ledger/tx.ts';
import { openPauses } from '../ledger/pauses.ts';
import { openRuns } from '../hooks/sql.ts';
import { summarise } from '../ledger/views.ts';
import type { VerifySummary } from '../verify/types.ts';
import { verifySummary } from '../verify/sql.ts';
import { waitingLegs } from '../work/waiting.ts';

export interface Metrics {
  readonly registry: Registry;
  stored(images: number, bytes: number): void;
  forwarded(target: string, images: number): void;
  committed(target: string, images: number): void;
  failed(step: string, code: string): void;
  verified(files: number, bytes: number): void;
}

export function createMetrics(ledger: Ledger, condition: Condition, now: () => number): Metrics {
  const registry = new Registry();
  const gauge = gaugesIn(registry);
  addLedgerGauges(gauge, ledger, now);
  addWaitingGauges(gauge, ledger, now);
  addConditionGauges(gauge, condition);
  addVerifyGauges(gauge, ledger, now);
  const counter = (name: string, help: string, ...labelNames: string[]): Counter =>
    new Counter({ name, help, labelNames, registers: [registry] });
  const images = counter('scanflow_streamer_images_stored_total', 'Images stored since the start.');
  const bytes = counter('scanflow_streamer_bytes_stored_total', 'Bytes stored since the start.');
  const sent = counter(
    'scanflow_streamer_images_forwarded_total',
    'Images that a destination confirmed since the start.',
    'target',
  );
  const committed = counter(
    'scanflow_streamer_images_committed_total',
    'Images that a destination committed itself to keeping (storage commitment) since the start.',
    'target',
  );
  const failures = counter(
    'scanflow_streamer_failures_total',
    'Attempts that failed since the start, by step and code.',
    ...['step', 'code'],
  );
  const verifiedFiles = counter(
    'scanflow_streamer_verified_files_total',
    'Stored files that were read again and compared since the start.',
  );
  const verifiedBytes = counter('scanflow_streamer_verified_bytes_total', 'Bytes of them.');
  return {
    registry,
    stored: (count, size) => {
      images.inc(count);
      bytes.inc(size);
    },
    forwarded: (target, count) => sent.inc({ target }, count),
    committed: (target, count) => committed.inc({ target }, count),
    failed: (step, code) => failures.inc({ step, code }),
    verified: (count, size) => {
      verifiedFiles.inc(count);
      verifiedBytes.inc(size);
    },
  };
}

/** Adds a gauge whose value, or values, `collect` sets at each scrape. */
type AddGauge = (
  name: string,
  help: string,
  collect: (gauge: Gauge) => void | Promise<void>,
  ...labelNames: string[]
) => void;

const gaugesIn =
  (registry: Registry): AddGauge =>
  (name, help, collect, ...labelNames) => {
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        return collect(this);
      },
    });
  };

/** All gauges of a scrape are collected at the same time: one query of the ledger serves them all. */
function onceAtATime<T>(ledger: Ledger, query: (tx: Tx) => Promise<T>): () => Promise<T> {
  let look: Promise<T> | undefined;
  return () => {
    look ??= ledger.read(query).finally(() => (look = undefined));
    return look;
  };
}

function addLedgerGauges(add: AddGauge, ledger: Ledger, now: () => number): void {
  const summary = onceAtATime(ledger, summarise);
  add(
    'scanflow_streamer_series',
    'Series by state.',
    async (gauge) => {
      for (const [state, count] of Object.entries((await summary()).series)) gauge.set({ state }, count);
    },
    'state',
  );
  add(
    'scanflow_streamer_legs',
    'Legs (a series on its way to one target) by target and state.',
    async (gauge) => {
      const { legs } = await summary();
      gauge.reset();
      for (const { target, state, count } of legs) gauge.set({ target, state }, count);
    },
    ...['target', 'state'],
  );
  add(
    'scanflow_streamer_hook_runs',
    'Runs of hooks that are not done, by hook and state; also of hooks that left the configuration.',
    async (gauge) => {
      gauge.reset();
      for (const { hook, pending, failed } of await ledger.read(openRuns)) {
        gauge.set({ hook, state: 'pending' }, pending);
        gauge.set({ hook, state: 'failed' }, failed);
      }
    },
    ...['hook', 'state'],
  );
  add(
    'scanflow_streamer_oldest_pending_seconds',
    'Age of the oldest series with something pending; 0 where there is none.',
    async (gauge) => {
      const { oldestPending } = await summary();
      gauge.set(oldestPending === undefined ? 0 : (now() - oldestPending) / 1000);
    },
  );
}

function addWaitingGauges(add: AddGauge, ledger: Ledger, now: () => number): void {
  const waiting = onceAtATime(ledger, waitingLegs);
  add(
    'scanflow_streamer_waiting_series',
    'Series that wait although they were tried, by target and code.',
    async (gauge) => {
      const all = await waiting();
      gauge.reset();
      for (const { target, code, series } of all) gauge.set({ target, code }, series);
    },
    ...['target', 'code'],
  );
  add(
    'scanflow_streamer_waiting_oldest_seconds',
    'How long attempts on the oldest of them have failed, by target and code.',
    async (gauge) => {
      const all = await waiting();
      gauge.reset();
      for (const { target, code, since } of all)
        gauge.set({ target, code }, Math.max(0, (now() - since) / 1000));
    },
    ...['target', 'code'],
  );
}

/** `destinations`: those of the configuration. */
export function addPauseGauge(registry: Registry, ledger: Ledger, destinations: readonly string[]): void {
  gaugesIn(registry)(
    'scanflow_streamer_paused_series',
    'Series that wait because a person paused their destination. Absent for a destination that is not paused.',
    async (gauge) => {
      const paused = await ledger.read(openPauses);
      gauge.reset();
      for (const { destination, waiting } of paused)
        if (destinations.includes(destination)) gauge.set({ target: destination }, waiting);
    },
    'target',
  );
}

function addConditionGauges(add: AddGauge, condition: Condition): void {
  add('scanflow_streamer_change_seq', 'The last change of Orthanc that was recorded.', (gauge) =>
    gauge.set(condition.seq),
  );
  add(
    'scanflow_streamer_roots_refused',
    'Roots of project storage to which nothing is written, by code: not mounted, another, or older than the ledger.',
    (gauge) => {
      gauge.reset();
      for (const code of condition.refusedCodes()) gauge.inc({ code });
    },
    'code',
  );
  add('scanflow_streamer_orthanc_recycles', '1 where Orthanc deletes its oldest images by itself.', (gauge) =>
    gauge.set(condition.system?.recycling === undefined ? 0 : 1),
  );
}

function addVerifyGauges(add: AddGauge, ledger: Ledger, now: () => number): void {
  const summary = onceAtATime(ledger, verifySummary);
  const byCode = (name: string, help: string, of: (all: VerifySummary) => Readonly<Record<string, number>>) =>
    add(
      name,
      help,
      async (gauge) => {
        const counts = of(await summary());
        gauge.reset();
        for (const [code, count] of Object.entries(counts)) gauge.set({ code }, count);
      },
      'code',
    );
  byCode(
    'scanflow_streamer_verify_failing',
    'Series in one place whose files are missing or changed, and that nobody has acknowledged, by code.',
    ({ failing }) => failing,
  );
  byCode(
    'scanflow_streamer_verify_trouble',
    'Series in one place that could not be looked at the last time, by code.',
    ({ trouble }) => trouble,
  );
  add(
    'scanflow_streamer_verify_acknowledged',
    'Series in one place whose files are missing or changed, and that somebody has acknowledged.',
    async (gauge) => gauge.set((await summary()).acknowledged),
  );
  add(
    'scanflow_streamer_verify_overdue_seconds',
    'How long the series that is due next has been due; 0 where none is.',
    async (gauge) => {
      const { due } = await summary();
      gauge.set(due === undefined ? 0 : Math.max(0, (now() - due) / 1000));
    },
  );
}
