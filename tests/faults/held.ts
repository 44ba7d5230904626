/** A streamer whose images wait while a test spoils its disk, and what has to be true afterwards. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { until } from '@scanflow/testkit';
import {
  legWhen,
  makeRig,
  phantom,
  sendTo,
  settled,
  type Leg,
  type Rig,
  type RigOptions,
} from '../integration/streamer-support.ts';
import { verifyStored } from '../integration/streamer-verify.ts';
import { startProxy, type Disturbance } from './orthanc-proxy.ts';

/** Nothing under the root stays half written; the heartbeat of the root is for a moment. */
export async function nothingAside(root: string): Promise<void> {
  await until(async () => !(await readdir(root, { recursive: true })).some((name) => name.endsWith('.tmp')), {
    what: 'nothing is half written',
    timeoutMs: 5000,
  });
}

export async function send(rig: Rig, images: number): Promise<void> {
  const { folder } = await phantom(join(rig.folder, `mr${images}`), { images });
  await sendTo(rig.orthanc, folder);
}

export async function storedInTheEnd(rig: Rig, images: number): Promise<void> {
  const [series] = await settled(rig, 1, ['complete'], 120_000);
  assert.ok(series !== undefined);
  assert.equal(await verifyStored(rig, series), images);
  await nothingAside(rig.root);
}

/** A rig whose images wait, from the nth on, until they are let go. */
export async function heldAt(
  t: TestContext,
  root: string,
  nth: number,
  options: RigOptions = {},
): Promise<{ rig: Rig; letGo: () => void }> {
  const gate = Promise.withResolvers<undefined>();
  const rig = await makeRig(t, {
    ...options,
    root,
    between: async (orthanc) => {
      const hold = async (count: number): Promise<Disturbance> => {
        if (count >= nth) await gate.promise;
        return 'pass';
      };
      return (await startProxy(t, orthanc, hold)).url;
    },
  });
  return {
    rig,
    letGo: () => {
      gate.resolve(undefined);
    },
  };
}

export const begun = (rig: Rig): Promise<Leg> =>
  legWhen(rig, 'storage', ({ done }) => done > 0, 'some images are recorded as stored');

export const failing = (rig: Rig): Promise<Leg> =>
  legWhen(rig, 'storage', ({ failure }) => failure !== undefined, 'the failure shows');
