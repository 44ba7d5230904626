/** docs/faults.md names tests that are there, and that `npm run test:faults` or those in containers run. */
import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { FILES, IN_CONTAINERS } from './files.ts';

const ROOT = join(import.meta.dirname, '../..');

test('faults: every test file that docs/faults.md names exists, and every one of tests/faults is named', async () => {
  const page = await readFile(join(ROOT, 'docs/faults.md'), 'utf8');
  const named = [...new Set([...page.matchAll(/`([\w/-]+\.test\.ts)`/g)].flatMap(([, name]) => name ?? []))];
  const there: string[] = [];
  for (const folder of ['packages', 'services', 'tests'])
    for (const entry of await readdir(join(ROOT, folder), { recursive: true })) there.push(`/${entry}`);
  const run = globSync([...FILES, IN_CONTAINERS], { cwd: ROOT }).map((path) => `/${path}`);
  const notIn = (paths: readonly string[]): readonly string[] =>
    named.filter((name) => !paths.some((path) => path.endsWith(`/${name}`)));
  assert.deepEqual(notIn(there), []);
  assert.deepEqual(notIn(run), [], 'run by none of the commands');
  const own = (await readdir(import.meta.dirname)).filter((name) => /^streamer-.*\.test\.ts$/.test(name));
  assert.deepEqual(
    own.filter((name) => !named.includes(name)),
    [],
    'not in docs/faults.md',
  );
});
