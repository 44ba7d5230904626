/**
 * `npm run test:faults [-- --kills 200 --seed 7]`: every test of what goes wrong around the streamer (docs/faults.md).
 * At the end it says in capitals what this machine could not run.
 * `--kills`: how many times the streamer is killed at a random moment (10); `--seed`: which moments those are.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { defined } from '@scanflow/failure/defined';
import { FILES } from './files.ts';

const ROOT = join(import.meta.dirname, '../..');

const { values } = parseArgs({ options: { kills: { type: 'string' }, seed: { type: 'string' } } });
for (const [name, value] of Object.entries(values))
  if (!/^\d{1,9}$/.test(value)) {
    console.error(`--${name} takes a whole number`);
    process.exit(2);
  }
const { kills, seed } = values;
const env = {
  ...process.env,
  ...defined({ KILLS: kills, KILLS_SEED: seed }),
};
// what a person reads, and behind it what this machine could not run
const reporters = ['spec', './tests/faults/not-run.ts'].flatMap((reporter) => [
  `--test-reporter=${reporter}`,
  '--test-reporter-destination=stdout',
]);
const child = spawn(process.execPath, ['--test', '--test-concurrency=2', ...reporters, ...FILES], {
  cwd: ROOT,
  env,
  stdio: 'inherit',
});
const [code] = (await once(child, 'close')) as [number | null];
process.exitCode = code ?? 1;
