/**
 * `npm run test:all`: every test that needs no Docker Engine. `npm run test:long`: those that only this command and
 * `test:all` run. `npm test` runs the rest, as CI does on each push. Further options go to `node --test`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { glob } from 'node:fs/promises';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const FILES =
  '{{packages/*,services/*,demo}/src,tests/{integration,faults,e2e,clocks,corpus,docs,browser}}/**/*.test.ts';

/**
 * Tests of rare combinations that take a minute and more together: each has a plainer sibling that runs on every push.
 * Run them before a release, and when you change what they are about.
 */
const LONG = [
  'services/bids/src/work/kills-each.test.ts',
  'tests/faults/backup-kills.test.ts',
  'tests/faults/bids-disk.test.ts',
  'tests/faults/streamer-move-kills.test.ts',
  'tests/integration/bids-two-streamers.test.ts',
  'tests/integration/streamer-commitment-kills.test.ts',
  'tests/integration/streamer-erase-busy.test.ts',
  'tests/integration/streamer-erase-decisions.test.ts',
  'tests/integration/streamer-joining-life.test.ts',
  'tests/integration/streamer-verify-move.test.ts',
  'tests/integration/streamer-versions-mending.test.ts',
];

const [which = 'all', ...options] = process.argv.slice(2);
const found = (await Array.fromAsync(glob(FILES, { cwd: ROOT }))).toSorted();
const gone = LONG.filter((file) => !found.includes(file));
if (gone.length > 0) {
  console.error(`scripts/test-all.ts names files that are gone. Correct its list:\n  ${gone.join('\n  ')}`);
  process.exit(2);
}
const files = found.filter((file) => which === 'all' || LONG.includes(file) === (which === 'long'));
const child = spawn(
  process.execPath,
  [
    '--import',
    './scripts/compile-cache.js',
    '--test',
    '--test-timeout=900000',
    '--test-concurrency=2',
    ...options,
    ...files,
  ],
  { cwd: ROOT, stdio: 'inherit' },
);
const [code] = (await once(child, 'close')) as [number | null];
process.exitCode = code ?? 1;
