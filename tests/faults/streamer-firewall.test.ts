/** A firewall that swallows a destination's packets, in a network namespace of its own: this file runs itself there. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { run, startStorescp } from '@scanflow/testkit';
import { folderOf, verifyForwarded } from '../integration/streamer-verify.ts';
import {
  legOf,
  legWhen,
  makeRig,
  phantom,
  scratch,
  sendTo,
  settled,
} from '../integration/streamer-support.ts';

const SWALLOWED = 11999;
/** Set where this runs inside of the namespace. */
const INSIDE = 'SCANFLOW_TEST_NAMESPACE';

if (process.env[INSIDE] === undefined)
  test('streamer: a firewall swallows what goes to a destination (in a network namespace)', async (t) => {
    const rule = `iptables -A INPUT -p tcp --dport ${SWALLOWED} -j DROP`;
    const inside = (script: string, env: Record<string, string> = {}): ReturnType<typeof run> =>
      run('unshare', ['--net', 'sh', '-c', `ip link set lo up && ${rule} && ${script}`], {
        env,
        timeoutMs: 300_000,
      });
    const possible = await inside('true').catch(() => undefined);
    if (possible?.code !== 0) {
      t.skip('NOT RUN: THIS TAKES ROOT, A NETWORK NAMESPACE AND IPTABLES');
      return;
    }
    // without the variable by which a test runner knows that it was started by another
    const node = `env -u NODE_TEST_CONTEXT "${process.execPath}" --test "${import.meta.filename}"`;
    const { code, stdout, stderr } = await inside(node, { [INSIDE]: '1' });
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /pass 1\b/);
  });
else
  test('streamer: a destination whose packets are swallowed holds up nobody else', async (t) => {
    const up = await startStorescp({ folder: await scratch(t), aet: 'UP' });
    t.after(() => up.stop());
    const rig = await makeRig(t, { destinations: { gone: SWALLOWED, up: up.port } });
    await rig.start();
    const { folder } = await phantom(join(rig.folder, 'mr'), { images: 12 });
    await sendTo(rig.orthanc, folder);
    const leg = await legWhen(rig, 'gone', ({ failure }) => failure !== undefined, 'the failure shows');
    assert.deepEqual([leg.state, leg.failure?.code], ['pending', 'DEST_CONNECT_TIMEOUT']);
    const [series] = await settled(rig, 1, ['working']);
    assert.ok(series !== undefined);
    assert.equal(legOf(series, 'up').state, 'done');
    assert.equal(await verifyForwarded([folderOf(series)], await up.files()), 12);
  });
