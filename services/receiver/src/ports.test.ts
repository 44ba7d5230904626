import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { parseConfig } from '@scanflow/config';
import { dataSet, encodeDataSet } from '@scanflow/dicom';
import { bench, EXPLICIT, type RawPeer } from '@scanflow/testkit/dimse/raw-peer';
import { receiverLimits } from './ports.ts';

const MR = '1.2.840.10008.5.1.4.1.1.4';
/** The longest pause of a living scanner that the receiver has to bear. */
const PAUSE_MS = 50_000;
const STORE = {
  affectedSopClassUid: MR,
  affectedSopInstanceUid: '1.2.3',
  commandField: 0x0001,
  messageId: 7,
  dataSetType: 0x0001,
};
const image = encodeDataSet(dataSet({ SOPClassUID: MR, SOPInstanceUID: '1.2.3' }), EXPLICIT);

/** Of a configuration that does not name it. */
function defaultIdle(): number {
  const parsed = parseConfig(
    JSON.stringify({
      facility: { name: 'Example', timezone: 'UTC' },
      data: '/data',
      scanners: {},
      orthanc: { url: 'http://orthanc:8042' },
      storage: { root: '/project' },
    }),
    'scanflow.yaml',
  );
  assert.ok(parsed.ok);
  return parsed.config.receiver.idle;
}

/** A peer in an association with an SCP of the receiver's limits; from here on, timers run by the test's clock. */
async function scanner(t: TestContext): Promise<RawPeer> {
  const onStore = () => ({
    write: () => true,
    abandon: () => undefined,
    store: () => Promise.resolve({ status: 0 }),
  });
  const { raw } = await bench(t, undefined, receiverLimits(defaultIdle()), { contexts: [], onStore });
  const peer = raw();
  await peer.associate({ contexts: [{ id: 1, abstractSyntax: MR, transferSyntaxes: [EXPLICIT] }] });
  return peer;
}

test('limits: no time-out of the defaults is as short as the pause of a slow scanner', () => {
  const { idleMs = 0, stalledMs = 0, yieldMs = 0 } = receiverLimits(defaultIdle());
  assert.equal(idleMs, 300_000);
  // between images; within one; and where others need the room
  for (const limit of [idleMs, stalledMs, yieldMs]) assert.ok(limit > PAUSE_MS, `${limit} ms`);
});

test('limits: pauses of 50 s between images never end an association, five minutes without one do', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const peer = await scanner(t);
  for (let turn = 0; turn < 10; turn += 1) {
    t.mock.timers.tick(PAUSE_MS);
    assert.equal(await peer.status(1, STORE, image), 0, `image ${turn}`);
  }
  t.mock.timers.tick(299_999);
  assert.equal(await peer.status(1, STORE, image), 0, 'a second less than five minutes');
  t.mock.timers.tick(300_000);
  assert.equal((await peer.pdu('A-ABORT')).type, 'abort');
});
