/** The streamer's metrics. */
import { Counter, Gauge, Registry } from '@scanflow/runtime';
import type { Condition } from '../work/condition.ts';
import type { Ledger } from '../ledger/tx.ts';
import type { Summary } from '../ledger/rows.ts';
import { summarise } from '../ledger/views.ts';
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
  const registers = [registry];
  addLedgerGauges(registers, ledger, now);
  addConditionGauges(registers, condition);
  const images = new Counter({
    name: 'scanflow_streamer_images_stored_total',
    help: 'Images stored since the start.',
    registers,
  });
  const bytes = new Counter({
    name: 'scanflow_streamer_bytes_stored_total',
    help: 'Bytes stored since the start.',
    registers,
  });
  const sent = new Counter({
    name: 'scanflow_streamer_images_forwarded_total',
    help: 'Images that a destination confirmed since the start.',
    labelNames: ['target'],
    registers,
  });
  const committed = new Counter({
    name: 'scanflow_streamer_images_committed_total',
    help: 'Images that a destination committed itself to keeping (storage commitment) since the start.',
    labelNames: ['target'],
    registers,
  });
  const failures = new Counter({
    name: 'scanflow_streamer_failures_total',
    help: 'Attempts that failed since the start, by step and code.',
    labelNames: ['step', 'code'],
    registers,
  });
  const verified = addVerifyMetrics(registers, ledger, now);
  return {
    registry,
    verified,
    stored: (count, size) => {
      images.inc(count);
      bytes.inc(size);
    },
    forwarded: (target, count) => sent.inc({ target }, count),
    committed: (target, count) => committed.inc({ target }, count),
    failed: (step, code) => failures.inc({ step, code }),
  };
}

function addLedgerGauges(registers: Registry[], ledger: Ledger, now: () => number): void {
  // all gauges of a scrape are collected at the same time: one query of the ledger serves them all
  let look: Promise<Summary> | undefined;
  const summary = (): Promise<Summary> => {
    look ??= ledger.read(summarise).finally(() => (look = undefined));
    return look;
  };
  new Gauge({
    name: 'scanflow_streamer_series',
    help: 'Series by state.',
    labelNames: ['state'],
    registers,
    async collect() {
      for (const [state, count] of Object.entries((await summary()).series)) this.set({ state }, count);
    },
  });
  new Gauge({
    name: 'scanflow_streamer_legs',
    help: 'Legs (a series on its way to one target) by target and state.',
    labelNames: ['target', 'state'],
    registers,
    async collect() {
      const { legs } = await summary();
      this.reset();
      for (const { target, state, count } of legs) this.set({ target, state }, count);
    },
  });
  new Gauge({
    name: 'scanflow_streamer_oldest_pending_seconds',
    help: 'Age of the oldest series with something pending; 0 where there is none.',
    registers,
    async collect() {
      const { oldestPending } = await summary();
      this.set(oldestPending === undefined ? 0 : (now() - oldestPending) / 1000);
    },
  });
}

function addConditionGauges(registers: Registry[], condition: Condition): void {
  new Gauge({
    name: 'scanflow_streamer_change_seq',
    help: 'The last change of Orthanc that was recorded.',
    registers,
    collect() {
      this.set(condition.seq);
    },
  });
  new Gauge({
    name: 'scanflow_streamer_roots_refused',
    help: 'Roots of project storage to which nothing is written, by code: not mounted, another, or older than the ledger.',
    labelNames: ['code'],
    registers,
    collect() {
      this.reset();
      for (const code of condition.refusedCodes()) this.inc({ code });
    },
  });
  new Gauge({
    name: 'scanflow_streamer_orthanc_recycles',
    help: '1 where Orthanc deletes its oldest images by itself.',
    registers,
    collect() {
      this.set(condition.system?.recycling === undefined ? 0 : 1);
    },
  });
}

/** Returns the counter of files that were read. */
function addVerifyMetrics(
  registers: Registry[],
  ledger: Ledger,
  now: () => number,
): (files: number, bytes: number) => void {
  addGauges(registers, ledger, now);
  const files = new Counter({
    name: 'scanflow_streamer_verified_files_total',
    help: 'Stored files that were read again and compared since the start.',
    registers,
  });
  const bytes = new Counter({
    name: 'scanflow_streamer_verified_bytes_total',
    help: 'Bytes of them.',
    registers,
  });
  return (count, size) => {
    files.inc(count);
    bytes.inc(size);
  };
}

function addGauges(registers: Registry[], ledger: Ledger, now: () => number): void {
  // one query of the ledger for all gauges of a scrape
  let look: Promise<VerifySummary> | undefined;
  const summary = (): Promise<VerifySummary> => {
    look ??= ledger.read(verifySummary).finally(() => (look = undefined));
    return look;
  };
  const byCode = (name: string, help: string, of: (all: VerifySummary) => Readonly<Record<string, number>>) =>
    new Gauge({
      name,
      help,
      labelNames: ['code'],
      registers,
      async collect() {
        const counts = of(await summary());
        this.reset();
        for (const [code, count] of Object.entries(counts)) this.set({ code }, count);
      },
    });
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
  new Gauge({
    name: 'scanflow_streamer_verify_acknowledged',
    help: 'Series in one place whose files are missing or changed, and that somebody has acknowledged.',
    registers,
    async collect() {
      this.set((await summary()).acknowledged);
    },
  });
  new Gauge({
    name: 'scanflow_streamer_verify_overdue_seconds',
    help: 'How long the series that is due next has been due; 0 where none is.',
    registers,
    async collect() {
      const { due } = await summary();
      this.set(due === undefined ? 0 : Math.max(0, (now() - due) / 1000));
    },
  });
}
