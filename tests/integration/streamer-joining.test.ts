/** One series of the scanner that comes under many Study or Series UIDs: one series, where the configuration says so. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, startStorescp, until } from '@scanflow/testkit';
import { scratch, sendTo, settled } from './streamer-support.ts';
import { IMAGES, rigWith, runs, split } from './streamer-joining-support.ts';
import { folderOf, recordOf, verifyManifest } from './streamer-verify.ts';

for (const what of ['study', 'series', 'both'] as const)
  test(`joining: ${IMAGES} images, each with its own ${what} UID, are one series`, async (t) => {
    const scp = await startStorescp({ folder: await scratch(t), aet: 'PACS' });
    t.after(() => scp.stop());
    const rig = await rigWith(t, { destinations: { pacs: scp.port } });
    const files = await split(rig, 'a', what);
    await sendTo(rig.orthanc, ...files);
    const [series] = await settled(rig, 1, ['complete']);
    assert.ok(series !== undefined);
    assert.deepEqual(
      series.legs.map(({ target, state, done }) => [target, state, done]),
      [
        ['storage', 'done', IMAGES],
        ['pacs', 'done', IMAGES],
      ],
    );
    const record = await verifyManifest(folderOf(series));
    assert.equal(record.instances.length, IMAGES);
    const joined = record.joined?.series ?? [];
    assert.equal(joined.length, IMAGES);
    assert.ok(joined.every(({ images }) => images === 1));
    const uids = new Set(
      joined.map(({ studyInstanceUid, seriesInstanceUid }) => `${studyInstanceUid} ${seriesInstanceUid}`),
    );
    assert.equal(uids.size, IMAGES);
    const session = await until(
      async () => {
        const { sessions } = (await (await rig.api('/api/sessions')).json()) as {
          sessions: { complete: boolean; increment: number; series: unknown[] }[];
        };
        return sessions[0]?.complete === true ? sessions : undefined;
      },
      { what: 'the report', timeoutMs: 60_000 },
    );
    assert.deepEqual([session.length, session[0]?.increment, session[0]?.series.length], [1, 1, 1]);
    assert.equal(await runs(rig), 1);
    // nothing is found anew, neither by the change feed nor by comparing everything
    await rig.streamer().stop();
    await rig.start();
    await until(() => Promise.resolve(/"reconciled"|reconciled/.test(rig.streamer().output()) || undefined), {
      what: 'everything is compared',
      timeoutMs: 60_000,
    });
    assert.equal((await settled(rig, 1, ['complete']))[0]?.images.stored, IMAGES);
    assert.equal(await runs(rig), 1);
  });

test('joining: a part that comes late is added, and a part that is sent again changes nothing', async (t) => {
  const rig = await rigWith(t);
  const files = await split(rig, 'a', 'both');
  await sendTo(rig.orthanc, ...files.slice(0, IMAGES - 5));
  await settled(rig, 1, ['complete']);
  await sendTo(rig.orthanc, ...files.slice(IMAGES - 7));
  const series = await until(
    async () => (await settled(rig, 1, ['complete'])).find(({ images }) => images.stored === IMAGES),
    {
      what: 'the late parts are stored',
      timeoutMs: 60_000,
    },
  );
  assert.equal((await recordOf(folderOf(series))).joined?.series.length, IMAGES);
});

test('joining: off where the configuration does not name it', async (t) => {
  const rig = await rigWith(t, { joins: false });
  const files = await split(rig, 'a', 'series', { images: 3 });
  await sendTo(rig.orthanc, ...files);
  assert.equal((await settled(rig, 3, ['complete'])).length, 3);
});

/** What is truly two series, though much of it is the same. */
const TWO = {
  'another description': { seriesDescription: 'another' },
  'another accession number': { accession: 'ACC2' },
  'another day': { when: Temporal.ZonedDateTime.from('2026-11-23T10:00[Europe/Amsterdam]') },
  'the same protocol five minutes later': {
    when: Temporal.ZonedDateTime.from('2026-11-22T10:05[Europe/Amsterdam]'),
  },
  'the same numbers at the same time': {},
} as const;
for (const [what, over] of Object.entries(TWO))
  test(`joining: ${what} is another series`, async (t) => {
    const rig = await rigWith(t);
    const common = { images: 4, studyInstanceUid: '1.2.3', seriesDescription: 'bold' };
    const one = await split(rig, 'a', 'series', common);
    const two = await split(rig, 'b', 'series', { ...common, seed: 7, ...over });
    // images of their own
    for (const file of two) await run('dcmodify', ['-nb', '-gin', file]);
    await sendTo(rig.orthanc, ...one, ...two);
    const all = await settled(rig, 2, ['complete']);
    assert.deepEqual(
      all.map(({ images }) => images.stored),
      [4, 4],
    );
    assert.equal(new Set(all.map(folderOf)).size, 2);
  });
