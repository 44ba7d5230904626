import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Service } from '../sources/service.ts';
import { certificateChecks, diskChecks, orthancChecks, seriesChecks, versionChecks } from './checks.ts';
import { createLooks } from './look.ts';

const DAY_MS = 86_400_000;

test('health: disks with little room, and those that do not answer, say what to do; one seen by several services is one', () => {
  const disk = (free: number) => ({ path: '/project', free, total: 100e9 });
  const states = diskChecks([
    { service: 'streamer', machine: { disks: [disk(50e9), disk(4e9), disk(1e9)], certificates: [] } },
    {
      service: 'cal2wl',
      machine: { disks: [disk(50e9), { path: '/data', failure: 'ENOENT' }], certificates: [] },
    },
    { service: 'worklist' },
  ]).map(({ state, todo }) => `${state}${todo === undefined ? '' : ' with what to do'}`);
  assert.deepEqual(states, [
    'good',
    'warn with what to do',
    'bad with what to do',
    'bad with what to do',
    'unknown',
  ]);
});

test('health: certificates that run out within three weeks, have run out, or cannot be read', () => {
  const at = (days: number) => ({ key: `in ${days}`, subject: 'CN=a', ends: days * DAY_MS + 1 });
  const certificates = [at(40), at(21), at(-1), { key: 'unread', failure: 'EACCES' }];
  const states = certificateChecks([{ service: 'a', machine: { disks: [], certificates } }], 0);
  assert.deepEqual(
    states.map(({ name, state }) => [name, state]),
    [
      ['in 40', 'good'],
      ['in 21', 'warn'],
      ['in -1', 'bad'],
      ['unread', 'bad'],
    ],
  );
  assert.equal(certificateChecks([], 0)[0]?.state, 'good');
});

test('health: versions that differ, an Orthanc that is silent, and series that wait for a person', () => {
  const of = (...versions: string[]) => versions.map((version) => ({ name: 'a', version, detail: [] }));
  assert.deepEqual(versionChecks(of('0.2.0', '0.2.0')), []);
  assert.equal(versionChecks(of('0.2.0', '0.1.0'))[0]?.state, 'warn');
  const silent = { answers: false, forSeconds: 60, code: 'ORTHANC_UNREACHABLE', message: 'x' };
  assert.deepEqual(
    orthancChecks({ orthanc: silent, ledger: 'ok', warning: 'y' }).map(({ state }) => state),
    ['bad', 'warn'],
  );
  const counts = { series: { failed: 2, quarantined: 1, complete: 5 }, legs: [], waiting: [] };
  assert.equal(seriesChecks(counts).length, 2);
  assert.equal(seriesChecks({ ...counts, series: { complete: 5 } })[0]?.state, 'good');
});

test('health: a button that is pressed and pressed asks once in two seconds; a page that is loaded once in ten', async () => {
  let [asked, time] = [0, 0];
  const away = () => Promise.reject(new Error('away'));
  const silent: Service = { ask: away, look: away, post: away };
  const streamer: Service = {
    ...silent,
    ask: () => {
      asked += 1;
      return Promise.resolve({ roots: [] });
    },
  };
  const looks = createLooks({
    gatherer: { part: (_name, read) => read() },
    services: { cal2wl: silent, worklist: silent, streamer },
    receiver: silent,
    now: () => time,
  });
  await Promise.all(Array.from({ length: 100 }, () => looks.roots(true)));
  assert.equal(asked, 1);
  time = 1_999;
  await looks.roots(true);
  assert.equal(asked, 1);
  time = 2_000;
  await looks.roots(false);
  assert.equal(asked, 1, 'nobody pressed');
  await looks.roots(true);
  assert.equal(asked, 2);
  time = 12_000;
  await looks.roots(false);
  assert.equal(asked, 3);
});
