/** The streamer's metrics. */
import { addGauge, Counter, type Gauge, Registry } from '@scanflow/runtime';
import type { Condition } from '../work/condition.ts';
import type { Ledger, Tx } from '../ledger/tx.ts';
import { openPauses } from '../ledger/pauses.ts';
import { openRuns } from '../hooks/sql.ts';
import { allWaiting, type Waiting } from '../ledger/search.ts';
import { summarise } from '../ledger/views.ts';
import type { Outlook } from '../send/outlook.ts';
import type { VerifySummary } from '../verify/types.ts';
import { verifySummary } from '../verify/sql.ts';

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
  addConditionGauges(gauge, condition);
  addVerifyGauges(gauge, ledger, now);
  const counter: AddCounter = (name, help, ...labelNames) =>
    new Counter({ name, help, labelNames, registers: [registry] });
  const failures = counter(
    'scanflow_streamer_failures_total',
    'Attempts that failed since the start, by step and code.',
    ...['step', 'code'],
  );
  return {
    registry,
    failed: (step, code) => failures.inc({ step, code }),
    ...imageCounters(counter),
    verified: verifiedCounters(counter),
  };
}

type AddCounter = (name: string, help: string, ...labelNames: string[]) => Counter;

function imageCounters(counter: AddCounter): Pick<Metrics, 'stored' | 'forwarded' | 'committed'> {
  const images = counter('scanflow_streamer_images_stored_total', 'Images stored since the start.');
  const bytes = counter('scanflow_streamer_stored_bytes_total', 'Bytes of stored images since the start.');
  const oldBytes = counter(
    'scanflow_streamer_bytes_stored_total',
    'Deprecated name of scanflow_streamer_stored_bytes_total.',
  );
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
  return {
    stored: (count, size) => {
      images.inc(count);
      bytes.inc(size);
      oldBytes.inc(size);
    },
    forwarded: (target, count) => sent.inc({ target }, count),
    committed: (target, count) => committed.inc({ target }, count),
  };
}

function verifiedCounters(counter: AddCounter): Metrics['verified'] {
  const files = counter(
    'scanflow_streamer_verified_files_total',
    'Stored files that were read again and compared since the start.',
  );
  const bytes = counter(
    'scanflow_streamer_verified_bytes_total',
    'Bytes of stored files that were read again and compared since the start.',
  );
  return (count, size) => {
    files.inc(count);
    bytes.inc(size);
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
    addGauge(registry, name, help, collect, ...labelNames);
  };

/** All gauges of a scrape are collected at the same time: one query of the ledger serves them all. */
function onceAtATime<T>(ledger: Ledger, query: (tx: Tx) => Promise<T>): () => Promise<T> {
  let look: Promise<T> | undefined;
  return () => {
    look ??= ledger.read(query).finally(() => (look = undefined));
    return look;
  };
}

function addHookGauges(add: AddGauge, ledger: Ledger, now: () => number): void {
  const runs = onceAtATime(ledger, openRuns);
  add(
    'scanflow_streamer_hook_runs',
    'Runs of hooks that are not done, by hook and state; also of hooks that left the configuration.',
    async (gauge) => {
      gauge.reset();
      for (const { hook, pending, failed } of await runs()) {
        gauge.set({ hook, state: 'pending' }, pending);
        gauge.set({ hook, state: 'failed' }, failed);
      }
    },
    ...['hook', 'state'],
  );
  add(
    'scanflow_streamer_hook_oldest_seconds',
    'How long the oldest run of a hook that is pending has been so. Absent where none is.',
    async (gauge) => {
      gauge.reset();
      for (const { hook, waiting } of await runs())
        if (waiting !== undefined) gauge.set({ hook }, Math.max(0, now() - waiting) / 1000);
    },
    'hook',
  );
}

function addLedgerGauges(add: AddGauge, ledger: Ledger, now: () => number): void {
  const summary = onceAtATime(ledger, summarise);
  addHookGauges(add, ledger, now);
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
    'scanflow_streamer_oldest_pending_seconds',
    'Age of the oldest series with something pending; 0 where there is none.',
    async (gauge) => {
      const { oldestPending } = await summary();
      gauge.set(oldestPending === undefined ? 0 : (now() - oldestPending) / 1000);
    },
  );
}

interface WaitingSource {
  readonly ledger: Ledger;
  /** Those of the configuration. */
  readonly destinations: readonly { readonly name: string }[];
  readonly outlook: Pick<Outlook, 'waits'>;
  readonly now: () => number;
}

/** What waits, and for what. */
export function addWaitingGauges(
  registry: Registry,
  { ledger, destinations, outlook, now }: WaitingSource,
): void {
  const add = gaugesIn(registry);
  const waiting = onceAtATime(ledger, allWaiting);
  const byReason = (name: string, help: string, of: (one: Waiting) => number): void =>
    add(
      name,
      help,
      async (gauge) => {
        const all = await waiting();
        gauge.reset();
        for (const one of all) {
          const turn = outlook.waits(one.target) === undefined ? 'turn' : 'hours';
          gauge.set({ target: one.target, reason: one.reason ?? turn }, of(one));
        }
      },
      ...['target', 'reason'],
    );
  byReason(
    'scanflow_streamer_waiting_legs',
    'Legs that are pending, by target and by reason: code of a failure, paused, hours, storage (not stored yet), or turn.',
    ({ count }) => count,
  );
  byReason(
    'scanflow_streamer_oldest_waiting_seconds',
    'How long the oldest of the legs that are pending has been so, by target and reason. Absent where none is.',
    ({ since }) => Math.max(0, (now() - since) / 1000),
  );
  add(
    'scanflow_streamer_paused_series',
    'Series that wait because a person paused their destination. Absent for a destination that is not paused.',
    async (gauge) => {
      const paused = await ledger.read(openPauses);
      gauge.reset();
      for (const { destination, waiting } of paused)
        if (destinations.some(({ name }) => name === destination))
          gauge.set({ target: destination }, waiting);
    },
    'target',
  );
}

function addConditionGauges(add: AddGauge, condition: Condition): void {
  add(
    'scanflow_streamer_orthanc_up',
    '1 while Orthanc answers the streamer, 0 while it does not. Absent until it was asked.',
    (gauge) => {
      // a gauge without labels would be 0 by itself
      gauge.remove();
      if (condition.orthancUp !== undefined) gauge.set(condition.orthancUp ? 1 : 0);
    },
  );
  add('scanflow_streamer_change_seq', 'The last change of Orthanc that was recorded.', (gauge) =>
    gauge.set(condition.seq),
  );
  add('scanflow_streamer_change_gaps', 'Gaps among those changes that may still appear.', (gauge) =>
    gauge.set(condition.missed),
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
  add(
    'scanflow_streamer_verify_oldest_seconds',
    'How long ago the files that were not read again for the longest time were read, or stored; 0 where none are verified.',
    async (gauge) => {
      const { oldest } = await summary();
      gauge.set(oldest === undefined ? 0 : Math.max(0, (now() - oldest) / 1000));
    },
  );
}
