/** What a destination has to promise before images count as delivered: scripted SCPs. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { allCommitted, startScriptedScp, until } from '@scanflow/testkit';
import { both, LEG, LIMIT, scan, site } from './streamer-commitment-support.ts';
import { legOf, legWhen, makeRig, phantom, sendTo, settled } from './streamer-support.ts';

test('commitment: a series is complete when the destination has promised to keep it, in several requests', async (t) => {
  const { rig, pacs } = await site(t, { commitment: { batch: 2 } });
  await rig.start();
  await scan(rig, 5);
  const [series] = await settled(rig, 1);
  assert.equal(series?.state, 'complete', rig.streamer().output());
  assert.deepEqual(both(series), [
    ['done', 5, 5],
    ['done', 5, 5],
  ]);
  assert.deepEqual(
    pacs.requests.map(({ references }) => references.length),
    [2, 2, 1],
  );
  assert.equal(new Set(pacs.requests.map(({ transactionUid }) => transactionUid)).size, 3);
  assert.deepEqual(pacs.answers, [0, 0, 0]);
  assert.match(await rig.metrics(), /scanflow_streamer_images_committed_total\{target="commitment:pacs"\} 5/);
});

test('commitment: the report on the association of the request; late images are asked for by themselves', async (t) => {
  const { rig, pacs } = await site(t, {
    onRequest: () => ({ same: true }),
    commitment: { answers: 'same', wait: '10m' },
    extra: { cleanup: { after: '500ms' } },
  });
  await rig.start();
  const { files } = await phantom(join(rig.folder, 'mr'), { images: 4 });
  await sendTo(rig.orthanc, ...files.slice(0, 3));
  await until(
    async () => ((await rig.orthanc.get('/statistics')) as { CountInstances: number }).CountInstances === 0,
    {
      what: 'committed, and deleted from Orthanc',
      ...LIMIT,
    },
  );
  await sendTo(rig.orthanc, ...files.slice(3));
  const leg = await legWhen(
    rig,
    LEG,
    ({ state, done }) => state === 'done' && done === 4,
    'all is committed',
  );
  assert.equal(leg.total, 4);
  assert.deepEqual(
    pacs.requests.map(({ references }) => references.length),
    [3, 1],
  );
});

test('commitment: nothing goes from Orthanc before its report', async (t) => {
  const { rig, pacs } = await site(t, {
    onRequest: () => ({ report: 'never' }),
    extra: { cleanup: { after: '100ms' } },
  });
  await rig.start();
  await scan(rig, 2);
  await until(() => pacs.requests.length === 1, { what: 'it is asked', ...LIMIT });
  const pacsLeg = await legWhen(rig, 'pacs', ({ state }) => state === 'done', 'it is sent');
  assert.equal(pacsLeg.done, 2);
  const [series] = await settled(rig, 1, ['working']);
  assert.deepEqual(both(series)[1], ['pending', 0, 2]);
  const count = async (): Promise<number> =>
    ((await rig.orthanc.get('/statistics')) as { CountInstances: number }).CountInstances;
  assert.equal(await count(), 2);
  const [request] = pacs.requests;
  assert.ok(request !== undefined);
  assert.deepEqual(await pacs.report(allCommitted(request)), { ok: true, status: 0 });
  await until(async () => (await count()) === 0, { what: 'it is deleted', ...LIMIT });
});

test('commitment: an image that is named as failed is sent again, and asked for again', async (t) => {
  let bad = '';
  const { rig, store, pacs } = await site(t, {
    onRequest: (count, request) => {
      const [first, ...others] = request.references;
      if (count > 1 || first === undefined) return {};
      bad = first.sopInstanceUid;
      const report = { ...allCommitted(request), committed: others, failed: [{ ...first, reason: 0x0112 }] };
      return { report };
    },
  });
  await rig.start();
  await scan(rig, 3);
  const [series] = await settled(rig, 1);
  assert.equal(series?.state, 'complete', rig.streamer().output());
  assert.deepEqual(both(series), [
    ['done', 3, 3],
    ['done', 3, 3],
  ]);
  assert.deepEqual(
    store.requests.filter((uid, index) => store.requests.indexOf(uid) !== index),
    [bad],
  );
  assert.deepEqual(
    pacs.requests[1]?.references.map(({ sopInstanceUid }) => sopInstanceUid),
    [bad],
  );
});

test('commitment: what is refused again and again fails visibly, and a person can have it tried again', async (t) => {
  let mended = false;
  const { rig, store } = await site(t, {
    commitment: { attempts: 2 },
    onRequest: (_, request) => {
      if (mended) return {};
      const failed = request.references.map((one) => ({ ...one, reason: 0x0213 }));
      return { report: { ...allCommitted(request), committed: [], failed } };
    },
  });
  await rig.start();
  await scan(rig, 1);
  const [series] = await settled(rig, 1, ['failed']);
  assert.equal(legOf(series, LEG).failure?.code, 'COMMITMENT_REFUSED');
  assert.match(legOf(series, LEG).failure?.message ?? '', /0213, resource limitation/);
  assert.equal(legOf(series, 'pacs').state, 'done');
  assert.equal(store.requests.length, 2);
  mended = true;
  const answer = await rig.api(`/api/series/${series?.id}/retry`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  assert.deepEqual(await answer.json(), { targets: [LEG] });
  const [now] = await settled(rig, 1, ['complete']);
  assert.deepEqual(both(now), [
    ['done', 1, 1],
    ['done', 1, 1],
  ]);
});

test('commitment: without a report it is asked again under another UID, fails visibly, and a late one mends it', async (t) => {
  const { rig, pacs } = await site(t, {
    commitment: { within: '1s', attempts: 2 },
    onRequest: () => ({ report: 'never' }),
  });
  await rig.start();
  await scan(rig, 2);
  const [series] = await settled(rig, 1, ['failed']);
  assert.equal(legOf(series, LEG).failure?.code, 'COMMITMENT_EXPIRED');
  const [first, second] = pacs.requests;
  assert.ok(first !== undefined && second !== undefined);
  assert.equal(pacs.requests.length, 2);
  assert.notEqual(first.transactionUid, second.transactionUid);
  const unknown = await pacs.report({ ...allCommitted(first), transactionUid: '2.25.404' });
  assert.deepEqual(unknown, { ok: true, status: 0x0115, comment: 'No such Transaction UID' });
  await rig.streamer().said(/COMMITMENT_UNKNOWN/);
  // of the first, older one; and once more
  assert.deepEqual(await pacs.report(allCommitted(first)), { ok: true, status: 0 });
  const [now] = await settled(rig, 1, ['complete']);
  assert.deepEqual(both(now)[1], ['done', 2, 2]);
  assert.deepEqual(await pacs.report(allCommitted(first)), { ok: true, status: 0 });
  assert.deepEqual(both((await rig.series())[0])[1], ['done', 2, 2]);
});

test('commitment: a request that is refused for now is made again, one for good fails visibly', async (t) => {
  const busy = await site(t, { onRequest: (count) => (count === 1 ? { status: 0x0213 } : {}) });
  await busy.rig.start();
  await scan(busy.rig, 1);
  await settled(busy.rig, 1, ['complete']);
  assert.equal(busy.pacs.requests.length, 2);
  await busy.rig.streamer().stop();
  const never = await site(t, { onRequest: () => ({ status: 0x0124 }) });
  await never.rig.start();
  await scan(never.rig, 1);
  const [series] = await settled(never.rig, 1, ['failed']);
  assert.equal(legOf(series, LEG).failure?.code, 'COMMITMENT_NOT_TAKEN');
  assert.equal(legOf(series, 'pacs').state, 'done');
});

test('commitment: a destination that does not offer it fails visibly', async (t) => {
  const store = await startScriptedScp({
    contextResult: (sopClass) => (sopClass === '1.2.840.10008.1.20.1' ? 3 : 0),
  });
  t.after(() => store.close());
  const rig = await makeRig(t, {
    extra: {
      destinations: {
        pacs: { host: '127.0.0.1', port: store.port, aet: 'PACS', commitment: { answers: 'same' } },
      },
    },
  });
  await rig.start();
  await scan(rig, 1);
  const [series] = await settled(rig, 1, ['failed']);
  assert.equal(legOf(series, LEG).failure?.code, 'COMMITMENT_NOT_OFFERED');
});
