import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ConsoleStore, IDLE_MS } from './store.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;

async function opened(t: TestContext): Promise<{ store: ConsoleStore; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-consoles-'));
  const store = new ConsoleStore(join(folder, 'consoles.sqlite'));
  t.after(async () => {
    store.close();
    await rm(folder, { recursive: true });
  });
  return { store, folder };
}
const cookie = (store: ConsoleStore, name = 'prisma', now = 0): string =>
  store.open(name, store.link(name, now), now) ?? assert.fail('the link opens its console');

test('consoles: a link opens its own console, as often as it is used, until it is revoked or replaced', async (t) => {
  const { store } = await opened(t);
  const word = store.link('prisma', 0);
  const [first = '', second = ''] = [store.open('prisma', word, 1), store.open('prisma', word, 2)];
  assert.notEqual(first, second);
  assert.equal(store.open('skyra', word, 1), undefined);
  assert.equal(store.open('prisma', 'another', 1), undefined);
  assert.equal(store.counts('prisma', first, 3), true);
  assert.equal(store.counts('skyra', first, 3), false);
  assert.deepEqual(store.list(), [{ name: 'prisma', made: 0, open: 2, seen: 2 }]);
  const next = store.link('prisma', 4);
  assert.deepEqual([store.counts('prisma', first, 5), store.open('prisma', word, 5)], [false, undefined]);
  const third = store.open('prisma', next, 5) ?? '';
  assert.deepEqual([store.revoke('prisma'), store.revoke('prisma')], [true, false]);
  assert.deepEqual([store.counts('prisma', third, 6), store.open('prisma', next, 6)], [false, undefined]);
  assert.deepEqual(store.list(), []);
});

test('consoles: a cookie is renewed each hour; its former word ends a minute after the new one came back', async (t) => {
  const { store } = await opened(t);
  const old = cookie(store);
  assert.deepEqual(store.use('prisma', old, HOUR - 1), {});
  const fresh = store.use('prisma', old, HOUR)?.renewed ?? '';
  assert.notEqual(fresh, '');
  // a second page that loads at the same time gets no other word
  assert.deepEqual(store.use('prisma', old, HOUR + 1), {});
  assert.deepEqual(store.use('prisma', fresh, HOUR + 2), {});
  assert.equal(store.counts('prisma', old, HOUR + MINUTE), true);
  assert.equal(store.counts('prisma', old, HOUR + 2 * MINUTE), false);
  assert.equal(store.use('prisma', old, HOUR + 2 * MINUTE), undefined);
  assert.equal(store.counts('prisma', fresh, HOUR + 2 * MINUTE), true);
});

test('consoles: a browser that lost the answer with its new word stays, and gets another one', async (t) => {
  const { store } = await opened(t);
  const old = cookie(store);
  store.use('prisma', old, HOUR);
  const again = store.use('prisma', old, HOUR + 2 * MINUTE)?.renewed ?? '';
  assert.notEqual(again, '');
  assert.equal(store.counts('prisma', old, HOUR + 10 * MINUTE), true);
  assert.deepEqual(store.use('prisma', again, HOUR + 11 * MINUTE), {});
});

test('consoles: a cookie that nobody used for long ends, and a console has a bounded number of them', async (t) => {
  const { store } = await opened(t);
  const word = store.link('prisma', 0);
  const first = store.open('prisma', word, 0) ?? '';
  assert.equal(store.counts('prisma', first, IDLE_MS), true);
  assert.equal(store.counts('prisma', first, IDLE_MS + 1), false);
  for (let turn = 1; turn <= 60; turn += 1) store.open('prisma', word, turn);
  assert.equal(store.list()[0]?.open, 50);
  assert.equal(store.counts('prisma', first, 61), false);
});

test('consoles: neither a link nor a cookie is on disk, and both outlive a restart', async (t) => {
  const { store, folder } = await opened(t);
  const word = store.link('prisma', 0);
  const own = store.open('prisma', word, 0) ?? '';
  for (const name of await readdir(folder)) {
    const bytes = await readFile(join(folder, name));
    assert.deepEqual([bytes.includes(word), bytes.includes(own)], [false, false], name);
  }
  const later = new ConsoleStore(join(folder, 'consoles.sqlite'));
  t.after(() => later.close());
  assert.equal(later.counts('prisma', own, 1), true);
});
