/** A series is verified while it is moved, and moved while it is verified: nothing counts as missing, and every image is there once. */
import assert from 'node:assert/strict';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { until } from '@scanflow/testkit';
import { startProxy } from '../faults/orthanc-proxy.ts';
import { sha256 } from './sha256.ts';
import { makeRig, phantom, scratch, sendTo, settled, type Rig, type Series } from './streamer-support.ts';
import { scanflow, verificationOf } from './streamer-verify-support.ts';
import { folderOf, verifyStored } from './streamer-verify.ts';

const IMAGES = 12;
const HERE = { project: '3010000.01', subject: 'sub-001', session: 'ses-mri01' };
const THERE = { project: '3010000.09', subject: 'sub-009', session: 'ses-mri09' };
const below = ({ project, subject, session }: typeof HERE): string =>
  `${project}/raw/${subject}/${session}/001-phantom_mr`;

const post = (rig: Rig, path: string, body: object): Promise<Response> =>
  rig.api(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

async function move(rig: Rig, { id }: Series, to: typeof HERE, keep = false): Promise<void> {
  const answer = await post(rig, `/api/series/${id}/move`, { ...to, keep, reason: 'wrong item picked' });
  assert.equal(answer.status, 200, await answer.text());
}

/** A stored series of twelve images. */
async function complete(rig: Rig): Promise<Series> {
  const { folder } = await phantom(join(rig.folder, 'a'), { images: IMAGES });
  await sendTo(rig.orthanc, folder);
  const [series] = await settled(rig, 1, ['complete']);
  assert.ok(series !== undefined);
  return series;
}

/** The series once its move has ended. */
const movedTo = (rig: Rig, to: typeof HERE): Promise<Series> =>
  until(
    async () => {
      const [series] = await rig.series();
      if (series?.state !== 'complete' || relative(rig.root, folderOf(series)) !== below(to))
        return undefined;
      const shown = (await (await rig.api(`/api/series/${series.id}`)).json()) as {
        series: { moving?: object };
      };
      return shown.series.moving === undefined && series;
    },
    { what: 'the series is moved', timeoutMs: 60_000 },
  );

/** SHA-256 of every image below a folder, by its name. */
async function imagesIn(folder: string): Promise<string[]> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.dcm'));
  const sums = names.map(
    async (name) => `${name.split('/').at(-1) ?? ''} ${sha256(await readFile(join(folder, name)))}`,
  );
  return (await Promise.all(sums)).toSorted();
}

async function removeOne(series: Series): Promise<void> {
  const [first = ''] = (await readdir(folderOf(series))).filter((name) => name.endsWith('.dcm'));
  await rm(join(folderOf(series), first));
}

test('verify: of a series whose move is under way, it waits, and nothing counts as missing', async (t) => {
  const gate = Promise.withResolvers<'pass'>();
  const orders = { given: false, pulled: false };
  const rig = await makeRig(t, {
    between: async (orthanc) => {
      const proxy = await startProxy(t, orthanc, () => {
        orders.pulled = orders.given;
        return orders.given ? gate.promise : 'pass';
      });
      return proxy.url;
    },
  });
  await rig.start();
  const series = await complete(rig);
  const before = await imagesIn(rig.root);
  // the move takes this one from Orthanc, which answers once the gate opens
  await removeOne(series);
  orders.given = true;
  await move(rig, series, THERE);
  await until(() => orders.pulled, { what: 'the move is under way', timeoutMs: 60_000 });
  const verifying = scanflow(rig, 'verify', series.id, '--repair');
  const busy = (): boolean => rig.streamer().output().includes('VERIFY_BUSY');
  await until(busy, { what: 'it waits', timeoutMs: 60_000 });
  gate.resolve('pass');
  const verified = await verifying;
  assert.equal(verified.code, 0, verified.stdout + verified.stderr);
  assert.doesNotMatch(verified.stdout + rig.streamer().output(), /missing|VERIFY_(?!BUSY)/);
  assert.equal(await verifyStored(rig, await movedTo(rig, THERE)), IMAGES);
  assert.deepEqual(await imagesIn(rig.root), before, 'each image once, as it was');
  const [place] = await verificationOf(rig, series);
  assert.equal(place?.trouble, undefined);
  assert.ok(place?.good !== undefined);
});

/** Orders a verification and waits until files are being read. */
async function beginVerify(rig: Rig, { id }: Series): Promise<() => Promise<unknown>> {
  const answer = await post(rig, '/api/verify', { series: id });
  const { job } = (await answer.json()) as { job: { id: string } };
  const ledger = new DatabaseSync(join(rig.data, 'streamer/ledger.sqlite'), { readOnly: true });
  const claimed = ledger.prepare('SELECT claim FROM verify_item WHERE job = ? AND claim IS NOT NULL');
  await until(() => claimed.get(job.id) !== undefined, {
    what: 'it verifies',
    timeoutMs: 30_000,
    everyMs: 5,
  });
  ledger.close();
  return () =>
    until(
      async () => {
        const shown = (await (await rig.api(`/api/verify/${job.id}?results=1`)).json()) as {
          job: { done: number };
          results: unknown;
        };
        return shown.job.done === 1 && shown.results;
      },
      { what: 'it is verified', timeoutMs: 60_000 },
    );
}

for (const keep of [false, true])
  test(`move: while verify reads the series${keep ? ', and the old folder is kept' : ''}: only the new place counts as verified`, async (t) => {
    // three files a second
    const root = await scratch(t);
    const rig = await makeRig(t, { root, extra: { storage: { root, verify: { rate: '200/min' } } } });
    await rig.start();
    const series = await complete(rig);
    const before = await imagesIn(rig.root);
    const verified = await beginVerify(rig, series);
    await move(rig, series, THERE, keep);
    const now = await movedTo(rig, THERE);
    const moved = Temporal.Now.instant();
    assert.doesNotMatch(rig.streamer().output(), /"files verified"/, 'it still reads');
    const results = JSON.stringify(await verified());
    assert.match(results, /"state":"good"/);
    await rig.streamer().said(/VERIFY_BUSY/);
    assert.doesNotMatch(rig.streamer().output(), /VERIFY_(?!BUSY)/);
    const [place] = await verificationOf(rig, series);
    assert.ok(Temporal.Instant.compare(place?.good ?? '1970-01-01T00:00Z', moved) > 0, String(place?.good));
    assert.equal(await verifyStored(rig, now), IMAGES);
    assert.deepEqual(await imagesIn(join(rig.root, below(THERE))), before);
    assert.deepEqual(await imagesIn(join(rig.root, HERE.project)), keep ? before : []);
    assert.equal((await rig.health()).body['verify'], 'ok');
  });

test('move: beside verify --repair, which puts back what is missing; whichever comes first, all is there once', async (t) => {
  const rig = await makeRig(t);
  await rig.start();
  const series = await complete(rig);
  const before = await imagesIn(rig.root);
  for (const to of [THERE, HERE]) {
    const [now] = await settled(rig, 1, ['complete']);
    await removeOne(now ?? series);
    const repairing = scanflow(rig, 'verify', series.id, '--repair');
    await until(
      async () => {
        const body = { ...to, reason: 'wrong item picked' };
        const answer = await post(rig, `/api/series/${series.id}/move`, body);
        // refused while the missing one is being pulled
        if (answer.status === 409) assert.match(await answer.text(), /is being stored/);
        return answer.status === 200;
      },
      { what: 'the move is ordered', timeoutMs: 60_000, everyMs: 50 },
    );
    const repaired = await repairing;
    assert.equal(repaired.code, 0, repaired.stdout + repaired.stderr);
    await movedTo(rig, to);
    const again = await scanflow(rig, 'verify', series.id);
    assert.equal(again.code, 0, again.stdout + again.stderr);
    assert.deepEqual(await imagesIn(rig.root), before, 'each image once, as it was');
  }
});
