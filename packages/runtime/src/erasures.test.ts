import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { erasureKey, markOf, openErasures, readErasure, writeErasure } from './erasures.ts';

async function scratch(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-erasures-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

const ID = '0123456789abcdef';
const labels = { project: 'p', subject: 's', session: 't' };

test('erasures: labels and identifiers are known by keyed hashes alone, of one session or of all', async (t) => {
  const folder = await scratch(t);
  const erasures = openErasures(folder);
  await erasures.refresh();
  assert.equal(erasures.hasLabels(labels), false);
  const key = await erasureKey(folder);
  assert.deepEqual(await erasureKey(folder), key);
  assert.equal((await stat(join(folder, 'key'))).mode & 0o007, 0);
  const about = { id: ID, begun: '2026-11-28T21:00:00Z', by: 'me', reason: 'consent', removed: {} };
  await writeErasure(folder, {
    ...about,
    marks: [markOf(key, 'labels', 'p', 's', 't'), markOf(key, 'instance', '1.2')],
  });
  await erasures.refresh();
  assert.equal(erasures.hasLabels(labels), true);
  assert.equal(erasures.hasLabels({ ...labels, session: 'u' }), false);
  assert.equal(erasures.has('instance', '1.2'), true);
  assert.equal(erasures.has('series', '1.2'), false);
  assert.equal(erasures.has('instance', undefined), false);
  await writeErasure(folder, { ...about, marks: [markOf(key, 'labels', 'p', 's')] });
  await erasures.refresh();
  assert.equal(erasures.hasLabels({ ...labels, session: 'u' }), true);
  assert.equal(erasures.has('instance', '1.2'), false);
  assert.equal((await readErasure(folder, ID))?.by, 'me');
});

test('erasures: what cannot be read is no permission', async (t) => {
  const folder = await scratch(t);
  await writeErasure(folder, { id: ID, begun: '', by: '', reason: '', removed: {}, marks: ['a'] });
  await assert.rejects(openErasures(folder).refresh(), /key is missing/);
  await assert.rejects(erasureKey(folder), /key is missing/, 'another key would know none of them');
  await writeFile(join(folder, `${ID}.json`), '{');
  await assert.rejects(openErasures(folder).refresh());
  await writeFile(join(folder, 'key'), 'short');
  await assert.rejects(erasureKey(folder), /no key of 32 bytes/);
});

test('erasures: the labels are not to be told from their parts', () => {
  const key = Buffer.alloc(32, 1);
  assert.notEqual(markOf(key, 'labels', 'a', 'b c'), markOf(key, 'labels', 'a b', 'c'));
  assert.equal(markOf(key, 'labels', ' a', 'e\u0301'), markOf(key, 'labels', 'a', '\u00e9'));
});
