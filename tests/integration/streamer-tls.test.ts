/** Destinations over TLS: images reach the one that is what it says, and wait for the one that is not. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeAuthority, startStorescp, until } from '@scanflow/testkit';
import { folderOf } from './streamer-verify.ts';
import { legOf, legWhen, makeRig, phantom, scratch } from './streamer-support.ts';
import { sendTo, settled } from './streamer-support.ts';
import { verifyForwarded } from './streamer-verify.ts';

test('streamer: mutual TLS with one destination, and another whose certificate is of a stranger', async (t) => {
  const pki = await scratch(t);
  const hospital = await makeAuthority(pki, 'hospital');
  const stranger = await makeAuthority(pki, 'stranger');
  const [pacs, wrong, ours] = [
    await hospital.issue('pacs'),
    await stranger.issue('pacs'),
    await hospital.issue('scanflow'),
  ];
  const extra = (one: typeof pacs) => ['+tls', one.key, one.certificate, '+cf', hospital.certificate];
  const good = await startStorescp({ folder: await scratch(t), aet: 'GOOD', extra: extra(pacs) });
  t.after(() => good.stop());
  const bad = await startStorescp({ folder: await scratch(t), aet: 'BAD', extra: extra(wrong) });
  t.after(() => bad.stop());
  const rig = await makeRig(t, {
    destinations: { good: good.port, bad: bad.port },
    tls: { ca: hospital.certificate, key: ours.key, certificate: ours.certificate },
  });
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'mr'), { images: 5 });
  await sendTo(rig.orthanc, folder);
  await until(async () => (await good.files()).length === 5, { what: 'one has all', timeoutMs: 60_000 });
  await legWhen(rig, 'bad', ({ failure }) => failure !== undefined, 'the failure shows');
  const [series] = await settled(rig, 1, ['working']);
  const leg = legOf(series, 'bad');
  assert.deepEqual([leg.state, leg.failure?.code], ['pending', 'TLS_WRONG_CA']);
  assert.equal(legOf(series, 'good').state, 'done');
  assert.equal((await bad.files()).length, 0);
  assert.ok(series !== undefined);
  assert.equal(await verifyForwarded([folderOf(series)], await good.files()), 5);
});
