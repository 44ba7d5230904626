/** The wall clock is set while the streamer works: nothing waits an hour longer, nothing is done twice. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeRig, phantom, sendTo, settled, type Rig } from '../integration/streamer-support.ts';
import { verifyStored } from '../integration/streamer-verify.ts';
import { startProxy, type Disturbance } from './orthanc-proxy.ts';

const HOUR = 3_600_000;

async function start(rig: Rig): Promise<(offset: number) => Promise<void>> {
  const file = join(rig.folder, 'clock');
  const program = await rig.startWith(join(import.meta.dirname, 'clock.ts'), { CLOCK_FILE: file });
  await settled(rig, 0);
  return async (offset) => {
    await writeFile(file, String(offset));
    process.kill(program.pid, 'SIGUSR2');
  };
}

test('streamer: the clock is set back an hour while a series is collected', async (t) => {
  const rig = await makeRig(t, { quiet: '3s' });
  const set = await start(rig);
  const { folder } = await phantom(join(rig.folder, 'mr'), { images: 5 });
  await sendTo(rig.orthanc, folder);
  await settled(rig, 1, ['collecting']);
  await set(-HOUR);
  const [series] = await settled(rig, 1, ['complete']);
  assert.ok(series !== undefined);
  assert.equal(await verifyStored(rig, series), 5);
});

for (const [what, offset] of [
  ['forward', HOUR],
  ['back', -HOUR],
] as const)
  test(`streamer: the clock is set ${what} an hour while images are pulled`, async (t) => {
    const clock: { set?: (offset: number) => Promise<void> } = {};
    const rig = await makeRig(t, {
      between: async (orthanc) => {
        const step = async (count: number): Promise<Disturbance> => {
          if (count === 20) await clock.set?.(offset);
          return 'pass';
        };
        return (await startProxy(t, orthanc, step)).url;
      },
    });
    clock.set = await start(rig);
    const { folder } = await phantom(join(rig.folder, 'mr'), { images: 60 });
    await sendTo(rig.orthanc, folder);
    const [series] = await settled(rig, 1, ['complete']);
    assert.ok(series !== undefined);
    assert.equal(await verifyStored(rig, series), 60);
  });
