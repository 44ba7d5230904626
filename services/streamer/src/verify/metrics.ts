/** Metrics of verification. */
import { Counter, Gauge, type Registry } from '@scanflow/runtime';
import type { Ledger } from '../ports.ts';
import type { VerifySummary } from './types.ts';
import { verifySummary } from './sql.ts';

/** Returns the counter of files that were read. */
export function addVerifyMetrics(
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
