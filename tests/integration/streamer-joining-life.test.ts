/** What becomes of a joined series: a lost ledger, erasure, a move, verification, deletion from Orthanc. */
import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { until } from '@scanflow/testkit';
import { IMAGES, rigWith, split } from './streamer-joining-support.ts';
import { askRebuild, loseLedger, rebuilt } from './streamer-loss-support.ts';
import { sendTo, settled, type Rig, type Series } from './streamer-support.ts';
import { scanflow } from './streamer-verify-support.ts';
import { folderOf, verifyManifest } from './streamer-verify.ts';

const inOrthanc = async (rig: Rig): Promise<number> =>
  ((await rig.orthanc.get('/statistics')) as { CountInstances: number }).CountInstances;

/** The only series, once it has so many images. */
const withImages = (rig: Rig, images: number, states = ['complete']): Promise<Series> =>
  until(async () => (await settled(rig, 1, states)).find((one) => one.images.stored === images), {
    what: `${images} images are one series`,
    timeoutMs: 60_000,
  });

for (const first of [1, IMAGES - 10])
  test(`joined: parts that come after the ledger was lost are added (${first} before)`, async (t) => {
    const rig = await rigWith(t);
    const files = await split(rig, 'a', 'both');
    await sendTo(rig.orthanc, ...files.slice(0, first));
    const [before] = await settled(rig, 1, ['complete']);
    assert.ok(before !== undefined);
    await rig.streamer().stop();
    // these come while nothing looks, and nothing on disk says that they did
    await sendTo(rig.orthanc, ...files.slice(first, first + 5));
    await loseLedger(rig);
    await askRebuild(rig);
    await rig.start();
    await rebuilt(rig);
    const grown = await withImages(rig, first + 5);
    assert.deepEqual([grown.id, folderOf(grown)], [before.id, folderOf(before)]);
    await sendTo(rig.orthanc, ...files.slice(first + 5));
    const whole = await withImages(rig, IMAGES);
    const { joined, instances } = await verifyManifest(folderOf(whole));
    assert.deepEqual([joined?.series.length, instances.length], [IMAGES, IMAGES]);
    // the same protocol once more, minutes later, is another series to a new ledger, too
    const again = await split(rig, 'b', 'both', {
      images: 3,
      seed: 7,
      when: Temporal.ZonedDateTime.from('2026-11-22T10:05[Europe/Amsterdam]'),
    });
    await sendTo(rig.orthanc, ...again);
    const all = await settled(rig, 2, ['complete']);
    assert.deepEqual(all.map(({ images }) => images.stored).sort(), [3, IMAGES]);
  });

const SUBJECT = ['--project', '3010000.02', '--subject', 'sub-007'];

for (const at of [undefined, 'erasure-forgotten', 'erasure-orthanc'])
  test(`joined: erasing takes the images of all parts (${at ?? 'not ended'})`, async (t) => {
    const rig = await rigWith(t);
    const files = await split(rig, 'a', 'both');
    await sendTo(rig.orthanc, ...files);
    await settled(rig, 1, ['complete']);
    if (at !== undefined) {
      await rig.streamer().stop();
      await rig.start({ at });
      await settled(rig, 1, ['complete']);
    }
    // what cal2wl does with bookings of a subject that is erased
    for (const accession of ['ACC1', 'ACC2']) await rm(join(rig.data, 'bookings', `${accession}.json`));
    const preview = await scanflow(rig, 'erase', ...SUBJECT, '--preview');
    assert.match(preview.stdout, new RegExp(`${IMAGES} images in Orthanc`));
    const erasing = scanflow(rig, 'erase', ...SUBJECT, '--yes', '--reason', 'consent withdrawn');
    if (at !== undefined) {
      await until(() => rig.streamer().exited(), { what: 'it is ended', timeoutMs: 60_000 });
      await rig.start();
    }
    const { code, stderr } = await erasing;
    if (at === undefined) assert.equal(code, 0, stderr + rig.streamer().output());
    await until(async () => (await inOrthanc(rig)) === 0, { what: 'Orthanc is empty', timeoutMs: 60_000 });
    await settled(rig, 0);
    // sent again, none of them comes back, whatever series it is in
    await sendTo(rig.orthanc, ...files.slice(0, 3));
    const again = await until(
      async () => {
        const all = await rig.series();
        return all.length > 0 && all.every(({ state }) => state === 'quarantined') ? all : undefined;
      },
      { what: 'they are refused', timeoutMs: 60_000 },
    );
    assert.deepEqual(new Set(again.map(({ reasonCode }) => reasonCode)), new Set(['ERASED']));
  });

test('joined: moved as one, and a part that comes later follows', async (t) => {
  const rig = await rigWith(t);
  const files = await split(rig, 'a', 'both');
  await sendTo(rig.orthanc, ...files.slice(0, IMAGES - 4));
  const [series] = await settled(rig, 1, ['complete']);
  assert.ok(series !== undefined);
  const to = ['--project', '3010000.09', '--subject', 'sub-009', '--session', 'ses-mri09'];
  const moving = await scanflow(rig, 'series', 'move', series.id, ...to, '--reason', 'wrong item picked');
  assert.equal(moving.code, 0, moving.stderr);
  const moved = await until(
    async () => {
      const [one] = await settled(rig, 1, ['complete', 'working']);
      return one !== undefined && one.state === 'complete' && folderOf(one) !== folderOf(series)
        ? one
        : undefined;
    },
    { what: 'it is moved', timeoutMs: 60_000 },
  );
  assert.match(relative(rig.root, folderOf(moved)), /^3010000\.09\/raw\/sub-009\/ses-mri09\//);
  const record = await verifyManifest(folderOf(moved));
  assert.deepEqual([record.instances.length, record.joined?.series.length], [IMAGES - 4, IMAGES - 4]);
  await assert.rejects(readFile(join(folderOf(series), 'series.json')), { code: 'ENOENT' });
  await sendTo(rig.orthanc, ...files.slice(IMAGES - 4));
  const whole = await withImages(rig, IMAGES);
  assert.equal(folderOf(whole), folderOf(moved));
  assert.equal((await verifyManifest(folderOf(whole))).joined?.series.length, IMAGES);
});

test('joined: verified as one, and put back from the parts in Orthanc', async (t) => {
  const rig = await rigWith(t);
  await sendTo(rig.orthanc, ...(await split(rig, 'a', 'both')));
  const [series] = await settled(rig, 1, ['complete']);
  assert.ok(series !== undefined);
  const folder = folderOf(series);
  const good = await scanflow(rig, 'verify', series.id);
  assert.equal(good.code, 0, good.stdout + good.stderr);
  const { instances } = await verifyManifest(folder);
  const [gone, changed] = [instances[3]?.file ?? '', instances[17]?.file ?? ''];
  await rm(join(folder, gone));
  const bytes = await readFile(join(folder, changed));
  await writeFile(join(folder, changed), bytes.with(bytes.length - 5, (bytes.at(-5) ?? 0) ^ 1));
  assert.equal((await scanflow(rig, 'verify', series.id)).code, 1);
  const repaired = await scanflow(rig, 'verify', series.id, '--repair');
  assert.equal(repaired.code, 0, repaired.stdout + repaired.stderr);
  const after = (await withImages(rig, IMAGES)).id;
  assert.equal(after, series.id);
  const record = JSON.parse(await readFile(join(folder, 'series.json'), 'utf8')) as {
    joined: { series: unknown[] };
    instances: { file: string; sha256: string }[];
  };
  assert.equal(record.joined.series.length, IMAGES);
  assert.deepEqual(
    record.instances.map(({ sha256 }) => sha256).sort(),
    instances.map(({ sha256 }) => sha256).sort(),
  );
  assert.equal((await scanflow(rig, 'verify', series.id)).code, 0);
});

test('joined: deleted from Orthanc as one, and a part that comes later is added', async (t) => {
  const rig = await rigWith(t, { extra: { cleanup: { after: '500ms' } } });
  const files = await split(rig, 'a', 'both');
  await sendTo(rig.orthanc, ...files.slice(0, IMAGES - 4));
  const empty = { what: 'Orthanc is empty', timeoutMs: 60_000 };
  await withImages(rig, IMAGES - 4);
  await until(async () => (await inOrthanc(rig)) === 0, empty);
  await sendTo(rig.orthanc, ...files.slice(IMAGES - 6));
  const whole = await withImages(rig, IMAGES);
  await until(async () => (await inOrthanc(rig)) === 0, empty);
  assert.equal((await verifyManifest(folderOf(whole))).joined?.series.length, IMAGES);
});
