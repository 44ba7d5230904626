import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseConfig } from '@scanflow/config';
import { createLog } from '@scanflow/runtime';
import { httpServer, until } from '@scanflow/testkit';
import { afterLook, NOTHING_SEEN, watchStreamer, type Watched } from './watch.ts';

const IT = { channel: 'mail', address: 'it@example.org' };
const CHAT = { channel: 'ops', address: '' };
const rules = { to: [IT, CHAT], awayMs: 300, id: 'n' };
const look = (before: Watched, answers: boolean, now: number): Watched =>
  afterLook(before, { answers, now }, rules);

test('watch: a streamer that never ran is not gone', () => {
  let state = NOTHING_SEEN;
  for (const now of [0, 1_000, 100_000]) state = look(state, false, now);
  assert.deepEqual(state, NOTHING_SEEN);
});

test('watch: it is gone after a while, which is written once, and back, which only those hear who heard of it', () => {
  const there = look(NOTHING_SEEN, true, 0);
  assert.deepEqual(there, { seen: true });
  const silent = look(there, false, 100);
  assert.deepEqual(silent, { seen: true, since: 100 });
  assert.deepEqual(look(silent, true, 200), there, 'a short pause is none');
  const gone = look(silent, false, 400);
  assert.deepEqual(gone.said, { id: 'n', state: 'new', at: 400, left: [IT, CHAT], got: [] });
  const told: Watched = { ...gone, said: { id: 'n', state: 'new', at: 400, left: [CHAT], got: [IT] } };
  assert.deepEqual(look(told, false, 10_000), told, 'and not again');
  assert.deepEqual(look(told, true, 11_000).said, {
    id: 'n',
    state: 'resolved',
    at: 11_000,
    left: [IT],
    got: [],
  });
  assert.deepEqual(look(gone, true, 500), there, 'nobody got the first');
  const back = look(told, true, 11_000);
  assert.deepEqual(look(back, true, 12_000), back, 'until they have it');
  assert.deepEqual(look({ ...back, said: { ...back.said!, left: [] } }, true, 13_000), there);
});

test('watch: facility IT hears once that it is gone, and that it is back; another process knows what was told', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-watch-'));
  t.after(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'cal2wl'));
  const got: string[] = [];
  let isWell = true;
  const url = await httpServer(t, (request, response) => {
    if (request.url === '/healthz') {
      response.end(JSON.stringify({ ledger: isWell ? 'ok' : 'LEDGER_UNREACHABLE' }));
      return;
    }
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      got.push((JSON.parse(body) as { state: string }).state);
      response.end();
    });
  });
  const text = JSON.stringify({
    ...{ facility: { name: 'F', timezone: 'Europe/Amsterdam' }, data: folder, storage: { root: '/project' } },
    ...{ scanners: {}, orthanc: { url: 'http://127.0.0.1:1' }, dashboard: { services: { streamer: url } } },
    notify: { webhooks: { ops: { url: `${url}/hook` } }, it: { channels: ['ops'], away: '10s' } },
  });
  const loaded = parseConfig(text, 'scanflow.yaml');
  assert.ok(loaded.ok && loaded.config.notify?.it !== undefined);
  const { notify } = loaded.config;
  const config = { ...loaded.config, notify: { ...notify, it: { ...notify.it!, away: 50 } } };
  const log = createLog({ service: 'test', level: 'error' });
  const watch = async (during: () => Promise<unknown>): Promise<void> => {
    const stopping = new AbortController();
    const watching = watchStreamer({ config, log, inContainer: false, everyMs: 20 }, stopping.signal);
    await during();
    stopping.abort();
    await watching;
  };
  const told = (states: string): Promise<unknown> =>
    until(() => got.join() === states, { what: states, timeoutMs: 10_000 });
  await watch(async () => {
    await until(() => existsSync(join(folder, 'cal2wl/watch.json')), {
      what: 'it was seen',
      timeoutMs: 10_000,
    });
    isWell = false;
    await told('new');
  });
  isWell = true;
  await watch(() => told('new,resolved'));
});
