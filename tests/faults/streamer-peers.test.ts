/** Destinations that refuse, reject, break off or never let go: every image is sent, or waits, or visibly failed. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { startScriptedScp, until, type ScriptedScp } from '@scanflow/testkit';
import {
  legOf,
  legWhen,
  makeRig,
  phantom,
  sendTo,
  settled,
  type Leg,
} from '../integration/streamer-support.ts';
import { verifyStored } from '../integration/streamer-verify.ts';

const IMAGES = 12;

/** A series of twelve is sent to the peer; its leg once nothing moves any more. */
async function sendTwelve(
  t: Parameters<typeof makeRig>[0],
  peer: ScriptedScp,
  states: readonly string[] = ['complete', 'failed'],
): Promise<Leg> {
  t.after(() => peer.close());
  const rig = await makeRig(t, { destinations: { peer: peer.port } });
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'mr'), { images: IMAGES });
  await sendTo(rig.orthanc, folder);
  const [series] = await settled(rig, 1, states, 120_000);
  assert.ok(series !== undefined);
  assert.equal(legOf(series, 'storage').state, 'done');
  assert.equal(await verifyStored(rig, series), IMAGES);
  return legOf(series, 'peer');
}

const distinct = (peer: ScriptedScp): number => new Set(peer.requests).size;

for (const [name, status] of [
  ['0111', 0x0111],
  ['0122', 0x0122],
  ['A900', 0xa900],
  ['C000', 0xc000],
  ['C123', 0xc123],
] as const)
  test(`streamer: status ${name} for one image fails visibly, the others arrive`, async (t) => {
    const peer = await startScriptedScp({ onStore: (count) => ({ status: count === 5 ? status : 0 }) });
    const leg = await sendTwelve(t, peer);
    assert.deepEqual([leg.state, leg.done, leg.failure?.code], ['failed', IMAGES - 1, 'STORE_REFUSED']);
    assert.match(leg.failure?.message ?? '', new RegExp(name, 'i'));
    assert.equal(distinct(peer), IMAGES);
  });

test('streamer: warnings B000, B006, B007 count as sent', async (t) => {
  const warnings = [0xb000, 0xb006, 0xb007];
  const peer = await startScriptedScp({ onStore: (count) => ({ status: warnings[count - 3] ?? 0 }) });
  const leg = await sendTwelve(t, peer);
  assert.deepEqual([leg.state, leg.done], ['done', IMAGES]);
  assert.equal(peer.requests.length, IMAGES);
});

test('streamer: processing failures (0110) and a lack of resources (A701) are tried again', async (t) => {
  const passing: Readonly<Record<number, number>> = { 2: 0x0110, 5: 0xa701 };
  const peer = await startScriptedScp({ onStore: (count) => ({ status: passing[count] ?? 0 }) });
  const leg = await sendTwelve(t, peer);
  assert.deepEqual([leg.state, leg.done], ['done', IMAGES]);
  assert.equal(peer.requests.length, IMAGES + 2);
});

for (const step of ['abort', 'close'] as const)
  test(`streamer: a destination that does ${step} at the fifth image gets all in the end`, async (t) => {
    const peer = await startScriptedScp({ onStore: (count) => (count === 5 ? step : { status: 0 }) });
    const leg = await sendTwelve(t, peer);
    assert.deepEqual([leg.state, leg.done], ['done', IMAGES]);
    assert.equal(distinct(peer), IMAGES);
    assert.equal(peer.requests.length, IMAGES + 1);
  });

test('streamer: an image at which a destination always breaks off keeps no other from being sent', async (t) => {
  let bad: string | undefined;
  const peer = await startScriptedScp({
    onStore: (count, uid) => {
      if (count === 4) bad = uid;
      return uid === bad ? 'close' : { status: 0 };
    },
  });
  t.after(() => peer.close());
  const rig = await makeRig(t, { destinations: { peer: peer.port } });
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'mr'), { images: IMAGES });
  await sendTo(rig.orthanc, folder);
  await until(() => distinct(peer) === IMAGES, { what: 'all others were sent', timeoutMs: 60_000 });
  const leg = await legWhen(rig, 'peer', ({ done }) => done === IMAGES - 1, 'all others are recorded');
  assert.deepEqual([leg.state, leg.failure?.code], ['pending', 'NO_RESPONSE']);
});

test('streamer: a transient rejection is tried again', async (t) => {
  let asked = 0;
  const peer = await startScriptedScp({
    // 2, 3, 2: rejected transient, by the presentation layer, local limit exceeded
    onAssociation: () => ((asked += 1) === 1 ? { result: 2, source: 3, reason: 2 } : 'accept'),
  });
  const leg = await sendTwelve(t, peer);
  assert.deepEqual([leg.state, leg.done], ['done', IMAGES]);
  assert.equal(peer.associations(), 2);
});

test('streamer: a rejection for good shows as failed, and is not tried again and again', async (t) => {
  const peer = await startScriptedScp({ onAssociation: { result: 1, source: 1, reason: 7 } });
  const leg = await sendTwelve(t, peer);
  assert.deepEqual([leg.state, leg.done, leg.failure?.code], ['failed', 0, 'DEST_REJECTED']);
  assert.equal(peer.associations(), 1);
});

test('streamer: a SOP class that a destination does not take', async (t) => {
  const peer = await startScriptedScp({ contextResult: () => 3 });
  const leg = await sendTwelve(t, peer);
  assert.deepEqual([leg.state, leg.done, leg.failure?.code], ['failed', 0, 'NOT_NEGOTIATED']);
  assert.equal(peer.requests.length, 0);
});

test('streamer: a destination that never answers the release has all the same', async (t) => {
  const peer = await startScriptedScp({ release: false });
  const leg = await sendTwelve(t, peer);
  assert.deepEqual([leg.state, leg.done], ['done', IMAGES]);
  assert.equal(peer.requests.length, IMAGES);
});
