/** docs/faults.md names tests that are there. */
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '../..');

test('faults: every test file that docs/faults.md names exists, and every one of tests/faults is named', async () => {
  const page = await readFile(join(ROOT, 'docs/faults.md'), 'utf8');
  const named = new Set([...page.matchAll(/`([\w-]+\.test\.ts)`/g)].flatMap(([, name]) => name ?? []));
  const there = new Set<string>();
  for (const folder of ['packages', 'services', 'tests'])
    for (const entry of await readdir(join(ROOT, folder), { recursive: true })) there.add(basename(entry));
  assert.deepEqual(
    [...named].filter((name) => !there.has(name)),
    [],
  );
  const own = (await readdir(import.meta.dirname)).filter((name) => /^streamer-.*\.test\.ts$/.test(name));
  assert.deepEqual(
    own.filter((name) => !named.has(name)),
    [],
    'not in docs/faults.md',
  );
});
