/** Images that somebody deletes in Orthanc between two looks of the streamer: what a person sees, and that the rest is stored. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startProxy } from '../faults/orthanc-proxy.ts';
import { makeRig, phantom, sendTo, settled, legOf, type Rig } from './streamer-support.ts';
import { scanflow } from './streamer-verify-support.ts';
import { folderOf, recordOf, verifyStored } from './streamer-verify.ts';

const IMAGES = 6;

/** A rig whose Orthanc loses each image of these numbers when it is asked for: 1 is the first one that is asked for. */
async function losing(t: TestContext, numbers: (asked: number) => boolean): Promise<Rig> {
  const seen = new Set<string>();
  return makeRig(t, {
    between: async (orthanc) => {
      const proxy = await startProxy(t, orthanc, async (_, path) => {
        seen.add(path);
        if (!numbers([...seen].indexOf(path) + 1)) return 'pass';
        const id = /\/instances\/([^/]+)\//.exec(path)?.[1] ?? '';
        await orthanc.request(`/instances/${id}`, { method: 'DELETE' }).catch(() => undefined);
        return 404;
      });
      return proxy.url;
    },
  });
}

async function send(rig: Rig): Promise<void> {
  const { folder } = await phantom(join(rig.folder, 'mr'), { images: IMAGES });
  await sendTo(rig.orthanc, folder);
}

const doctor = (rig: Rig): ReturnType<typeof scanflow> => scanflow(rig, 'doctor', 'series');

for (const [what, gone] of [
  ['by which its place is looked for', [2]],
  ['by which its place is looked for, and then the next one', [2, 3]],
  ['in the midst', [4]],
] as const)
  test(`deleted: the image of a series ${what}: the others are stored, and the loss shows`, async (t) => {
    const rig = await losing(t, (asked) => (gone as readonly number[]).includes(asked));
    await rig.start();
    await send(rig);
    const [series] = await settled(rig, 1, ['failed', 'complete']);
    assert.ok(series !== undefined);
    const left = IMAGES - gone.length;
    assert.equal(legOf(series, 'storage').failure?.code, 'SOURCE_GONE');
    assert.deepEqual([series.state, series.images.stored], ['failed', left]);
    assert.equal(await verifyStored(rig, series), left);
    const { counts, failures } = await recordOf(folderOf(series));
    assert.deepEqual([counts['stored'], counts['failed']], [left, gone.length]);
    assert.deepEqual(
      failures.map(({ code }) => code),
      gone.map(() => 'SOURCE_GONE'),
    );
    const shown = (await scanflow(rig, 'series', 'show', series.id)).stdout;
    assert.match(shown, new RegExp(`failed ${left}/${IMAGES}`));
    assert.match(shown, /SOURCE_GONE: .*Send them again from the scanner/);
    assert.match((await doctor(rig)).stdout, /1 series failed/);
  });

test('deleted: an image before the streamer listed it: what is there is complete, and a warning says what lacks', async (t) => {
  const rig = await losing(t, (asked) => asked === 1);
  await rig.start();
  await send(rig);
  const [series] = await settled(rig, 1, ['failed', 'complete']);
  assert.ok(series !== undefined);
  assert.deepEqual([series.state, series.images.stored], ['complete', IMAGES - 1]);
  assert.equal(await verifyStored(rig, series), IMAGES - 1);
  const shown = (await scanflow(rig, 'series', 'show', series.id)).stdout;
  assert.match(shown, new RegExp(`SERIES_INCOMPLETE: .*has ${IMAGES} images .*and ${IMAGES - 1} came`));
  assert.match((await doctor(rig)).stdout, /1 series have a warning \(SERIES_INCOMPLETE\)/);
});

test('deleted: every image: nothing is stored, and nothing of it stays in project storage', async (t) => {
  const rig = await losing(t, () => true);
  await rig.start();
  await send(rig);
  const [series] = await settled(rig, 1, ['failed']);
  assert.equal(legOf(series, 'storage').failure?.code, 'SOURCE_GONE');
  assert.match((await doctor(rig)).stdout, /1 series failed/);
  const files = await readdir(rig.root, { recursive: true });
  assert.deepEqual(
    files.filter((name) => /\.(?:dcm|json)$/.test(name) && name.includes('/')),
    [],
  );
});
