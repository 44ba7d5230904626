/**
 * `npm run test:quick`: the unit tests that start no server, and the fastest integration tests; less than a minute on two cores.
 *
 * The lists are chosen by measured durations. A new unit test runs by itself: name it in `SLOW_UNIT_TESTS` when it starts a
 * database, Orthanc or another process, or takes longer than a second and a half.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { glob, stat } from 'node:fs/promises';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');

/** Unit tests that `npm test` alone runs. */
const SLOW_UNIT_TESTS = [
  'packages/bids/src/plan/plan.property.test.ts',
  'packages/booking/src/pattern/pattern.test.ts',
  'packages/calendar/src/any-bytes.test.ts',
  'packages/calendar/src/isolated.test.ts',
  'packages/runtime/src/tls-files.test.ts',
  'packages/dicom/src/splice.test.ts',
  'packages/dimse/src/scp/fairness.test.ts',
  'packages/dimse/src/scp/find.test.ts',
  'packages/dimse/src/scp/limits.test.ts',
  'packages/dimse/src/scp/normalized.test.ts',
  'services/bids/src/plans.test.ts',
  'services/bids/src/work/full-disk.test.ts',
  'services/bids/src/work/hindrances.test.ts',
  'services/bids/src/work/kills-each.test.ts',
  'services/bids/src/work/kills.test.ts',
  'services/bids/src/work/kinds.test.ts',
  'services/bids/src/work/plan.test.ts',
  'services/bids/src/work/remove.test.ts',
  'services/bids/src/work/session.test.ts',
  'services/cal2wl/src/schedule.test.ts',
  'services/cal2wl/src/update.test.ts',
  'services/dashboard/src/console/store.test.ts',
  'services/dashboard/src/viewer/dcmdump.test.ts',
  'services/streamer/src/hooks/command.test.ts',
  'services/streamer/src/hooks/webhook.test.ts',
  'services/streamer/src/intake/changes.test.ts',
  'services/streamer/src/ledger/finished.test.ts',
  'services/streamer/src/ledger/plans.test.ts',
  'services/streamer/src/ledger/postgres-tls.test.ts',
  'services/streamer/src/ledger/postgres.test.ts',
  'services/streamer/src/ledger/sqlite.test.ts',
  'services/streamer/src/send/stow/stow.test.ts',
  'services/streamer/src/store/step.test.ts',
  'services/streamer/src/sessions/step.test.ts',
  'services/streamer/src/work/worker.test.ts',
  'services/worklist/src/adapters/watch.test.ts',
];

/** Integration tests that take about a second. */
const FAST_INTEGRATION_TESTS = [
  'tests/docs/booking.test.ts',
  'tests/docs/kubernetes.test.ts',
  'tests/docs/pages.test.ts',
  'tests/docs/ports.test.ts',
  'tests/faults/table.test.ts',
  'tests/integration/states.test.ts',
  'tests/integration/tried.test.ts',
];

const listed = [...SLOW_UNIT_TESTS, ...FAST_INTEGRATION_TESTS];
const there = await Promise.all(listed.map((file) => stat(join(ROOT, file)).then(Boolean, () => false)));
const gone = listed.filter((_, index) => there[index] !== true);
if (gone.length > 0) {
  console.error(
    `scripts/test-quick.ts names files that are gone. Correct its lists:\n  ${gone.join('\n  ')}`,
  );
  process.exit(2);
}

const unit = await Array.fromAsync(glob('{packages/*,services/*,demo}/src/**/*.test.ts', { cwd: ROOT }));
const files = [...unit.filter((file) => !SLOW_UNIT_TESTS.includes(file)), ...FAST_INTEGRATION_TESTS];
const child = spawn(
  process.execPath,
  [
    '--import',
    './scripts/compile-cache.js',
    '--test',
    // all in one process: one for each file costs more than the tests
    '--test-isolation=none',
    ...process.argv.slice(2),
    ...files.sort(),
  ],
  {
    cwd: ROOT,
    stdio: 'inherit',
  },
);
const [code] = (await once(child, 'close')) as [number | null];
process.exitCode = code ?? 1;
