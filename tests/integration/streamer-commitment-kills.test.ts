/** Storage commitment when the streamer dies in between, and with Orthanc as the one that promises. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { allCommitted, findOrthanc, freePort, startOrthanc, until } from '@scanflow/testkit';
import { both, LEG, LIMIT, scan, site } from './streamer-commitment-support.ts';
import { legWhen, makeRig, scratch, settled } from './streamer-support.ts';

for (const at of ['commitment-written', 'commitment-asked', 'series-forwarded', 'series-committed'])
  test(`commitment: killed at ${at}, it gets there`, async (t) => {
    // else the report might be faster than the end
    const isLost = (count: number): boolean => count === 1 && at === 'commitment-asked';
    const { rig, pacs } = await site(t, { onRequest: (count) => (isLost(count) ? { report: 'never' } : {}) });
    const doomed = await rig.start({ at });
    await scan(rig, 3);
    await until(() => doomed.exited(), { what: `the streamer dies at ${at}`, ...LIMIT });
    await rig.start();
    const [series] = await settled(rig, 1);
    assert.equal(series?.state, 'complete', rig.streamer().output());
    assert.deepEqual(both(series), [
      ['done', 3, 3],
      ['done', 3, 3],
    ]);
    // what nobody knows to have got there is asked for under another UID
    assert.equal(pacs.requests.length, at === 'commitment-asked' ? 2 : 1);
  });

test('commitment: killed between the request and its report, the report counts', async (t) => {
  const { rig, pacs } = await site(t, { onRequest: () => ({ report: 'never' }) });
  const doomed = await rig.start();
  await scan(rig, 2);
  // the response to the request is known: the next try is when the report is overdue
  const soon = Temporal.Now.instant().add({ minutes: 5 });
  const isWaiting = ({ nextTry }: { nextTry?: string }): boolean =>
    nextTry !== undefined && Temporal.Instant.compare(nextTry, soon) > 0;
  await legWhen(rig, LEG, isWaiting, 'its report is due');
  await doomed.stop('SIGKILL');
  const [request] = pacs.requests;
  assert.ok(request !== undefined);
  assert.equal((await pacs.report(allCommitted(request))).ok, false, 'nobody is there');
  await rig.start();
  await settled(rig, 1, ['working']);
  assert.deepEqual(await pacs.report(allCommitted(request)), { ok: true, status: 0 });
  const [series] = await settled(rig, 1, ['complete']);
  assert.deepEqual(both(series)[1], ['done', 2, 2]);
  assert.equal(pacs.requests.length, 1, 'it need not be asked again');
});

const skip = findOrthanc() === undefined ? 'Orthanc is not installed' : false;

test('commitment: Orthanc promises what it has, and gets again what it lost', { skip }, async (t) => {
  const port = await freePort();
  const archive = await startOrthanc({
    folder: join(await scratch(t), 'archive'),
    aet: 'PACS',
    extra: { DicomModalities: { scanflow: ['SCANFLOW', '127.0.0.1', port] } },
  });
  t.after(() => archive.kill());
  const rig = await makeRig(t, {
    extra: {
      commitments: { port },
      destinations: {
        pacs: { host: '127.0.0.1', port: archive.dicomPort, aet: 'PACS', commitment: { within: '10m' } },
      },
    },
  });
  // it dies right after sending, and the archive loses an image
  const doomed = await rig.start({ at: 'series-forwarded' });
  await scan(rig, 4);
  await until(() => doomed.exited(), { what: 'the streamer dies', ...LIMIT });
  const [lost] = (await archive.get('/instances')) as string[];
  assert.equal((await archive.request(`/instances/${lost}`, { method: 'DELETE' })).status, 200);
  await rig.start();
  const [series] = await settled(rig, 1);
  assert.equal(series?.state, 'complete', rig.streamer().output());
  assert.deepEqual(both(series), [
    ['done', 4, 4],
    ['done', 4, 4],
  ]);
  assert.equal(((await archive.get('/instances')) as string[]).length, 4);
});
