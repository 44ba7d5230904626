/**
 * `npm run test:clocks`: the unit tests, and the integration tests that judge times, under clocks that are shifted to the
 * moments of `moments.ts`. Debian's faketime shifts them for each program that a test starts, too.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { moments } from './moments.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Packages of DICOM as data and on the wire read no clock. */
const UNIT = ['packages/{booking,calendar,chassis}/src/**/*.test.ts', 'services/*/src/**/*.test.ts'];
const JUDGE_TIMES = [
  'tests/e2e/bookings.test.ts',
  'tests/integration/cal2wl-interpret.test.ts',
  'tests/integration/cal2wl-reconcile-running.test.ts',
  'tests/integration/cal2wl-reconcile-window.test.ts',
  'tests/integration/worklist-performed.test.ts',
];

if (spawnSync('faketime', ['--version']).error !== undefined) {
  console.log('NO CLOCK WAS SHIFTED: FAKETIME IS NOT INSTALLED (DEBIAN: FAKETIME)');
  process.exit(0);
}
for (const [name, moment] of moments(Temporal.Now.instant())) {
  console.log(`\nThe clock says ${moment.toZonedDateTimeISO('Europe/Amsterdam').toString()}: ${name}`);
  const code = await testsAt(moment);
  if (code !== 0) {
    console.error(`Tests failed while the clock said ${name}. They depend on the day or the hour.`);
    process.exitCode = 1;
  }
}

/** Exit code of the tests. An offset, unlike a moment, is the same in each program that starts later. */
async function testsAt(moment: Temporal.Instant): Promise<number> {
  const { seconds } = Temporal.Now.instant().until(moment, {
    largestUnit: 'seconds',
    smallestUnit: 'seconds',
  });
  const tests = [
    process.execPath,
    '--test',
    '--test-concurrency=2',
    '--test-reporter=dot',
    ...UNIT,
    ...JUDGE_TIMES,
  ];
  const child = spawn('faketime', ['-f', `+${seconds}s`, ...tests], {
    cwd: ROOT,
    stdio: 'inherit',
    // time-outs and measured durations go by this clock
    env: { ...process.env, FAKETIME_DONT_FAKE_MONOTONIC: '1' },
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return code ?? 1;
}
