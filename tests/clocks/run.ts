/**
 * `npm run test:clocks [-- --every-push] [-- --only NAME]`: the unit tests, and the integration tests that judge times, under clocks
 * that are shifted to the moments of `moments.ts`. Debian's faketime shifts them for each program that a test starts, too.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { glob, readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { watchOver } from '@scanflow/runtime';
import { moments } from './moments.ts';
import { bearsShifting, testsOf } from './plan.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Clocks at the same time. Tests of one clock share a process: starting one for each file would take most of the time. */
const AT_ONCE = Math.min(2, availableParallelism());
/** A test takes a minute at most, and a clock's run some minutes: whatever hangs is ended, so that the others count. */
const TEST_MS = 180_000;
const RUN_MS = 600_000;

const { values } = parseArgs({
  options: { 'every-push': { type: 'boolean', default: false }, only: { type: 'string', default: '' } },
});
if (spawnSync('faketime', ['--version']).error !== undefined) {
  console.log('NO CLOCK WAS SHIFTED: FAKETIME IS NOT INSTALLED (DEBIAN: FAKETIME)');
  process.exit(0);
}
const units = await Array.fromAsync(glob('{packages/*,services/*,demo}/src/**/*.test.ts', { cwd: ROOT }));
const sources = await Promise.all(units.map((file) => readFile(join(ROOT, file), 'utf8')));
const files = units.filter((_, index) => bearsShifting(sources[index] ?? ''));
const clocks = [...moments(Temporal.Now.instant())]
  .map(([name, moment], index) => ({ name, moment, index }))
  .filter(({ name }) => name.includes(values.only))
  .values();
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (const { name, moment, index } of clocks) await runAt(name, moment, index);
  }),
);

async function runAt(name: string, moment: Temporal.Instant, index: number): Promise<void> {
  const began = performance.now();
  const { code, output } = await testsAt(moment, testsOf(files, values['every-push'] ? index : undefined));
  const seconds = Math.round((performance.now() - began) / 1000);
  const at = moment.toZonedDateTimeISO('Europe/Amsterdam').toString();
  const counts = /^ℹ pass \d+$/m.exec(output)?.[0].slice(2) ?? 'no result';
  console.log(`The clock said ${at}, ${name}: ${counts}, ${seconds} s`);
  if (code === 0) return;
  const failures = output.slice(Math.max(0, output.indexOf('✖ failing tests:')));
  console.error(
    `${failures}\nTests failed while the clock said ${name}. They depend on the day or the hour.`,
  );
  process.exitCode = 1;
}

/** An offset, unlike a moment, is the same in each program that starts later. */
async function testsAt(
  moment: Temporal.Instant,
  tests: readonly string[],
): Promise<{ readonly code: number; readonly output: string }> {
  const { seconds } = Temporal.Now.instant().until(moment, {
    largestUnit: 'seconds',
    smallestUnit: 'seconds',
  });
  // once all tests have ended: under faketime a file operation sometimes never does, and Node.js would wait for it for ever
  const ends = '--test-force-exit';
  const options = ['--test-isolation=none', ends, '--test-reporter=spec', `--test-timeout=${TEST_MS}`];
  const node = [process.execPath, '--test', ...options];
  const child = spawn('faketime', ['-f', `+${seconds}s`, ...node, ...tests], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    // time-outs and measured durations go by this clock
    env: { ...process.env, FAKETIME_DONT_FAKE_MONOTONIC: '1' },
  });
  // with all that it started: a process that is left would hold the pipes open
  const watch = watchOver(child, { timeoutMs: RUN_MS, graceMs: 0 }, new AbortController().signal);
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  watch.stop();
  return { code: code ?? 1, output: Buffer.concat(chunks).toString() };
}
