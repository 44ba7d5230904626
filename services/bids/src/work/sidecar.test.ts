import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SCRUBBED, sidecarText } from './sidecar.ts';

test('a sidecar: the plan wins, keys in order, nobody’s name and no serial number at any depth', () => {
  const sidecar = {
    PatientName: 'Doe^Jane',
    deviceSerialNumber: '12345',
    Nested: [{ OperatorsName: 'X', Kept: [2, 1] }],
    EchoTime: 0.03,
    AcquisitionTime: '10:00:0.500000',
    TaskName: 'old',
    Gone: 1,
  };
  const metadata = { TaskName: 'rest', IntendedFor: ['bids::sub-1/b', 'bids::sub-1/a'], Gone: null };
  assert.equal(
    sidecarText({ sidecar, metadata, scrub: SCRUBBED }),
    `${JSON.stringify(
      {
        AcquisitionTime: '10:00:00.500000',
        EchoTime: 0.03,
        IntendedFor: ['bids::sub-1/b', 'bids::sub-1/a'],
        Nested: [{ Kept: [2, 1] }],
        TaskName: 'rest',
      },
      null,
      2,
    )}\n`,
  );
  const kept = JSON.parse(sidecarText({ sidecar, metadata, scrub: ['EchoTime'] })) as object;
  assert.deepEqual(
    ['PatientName' in kept, 'EchoTime' in kept],
    [true, false],
    'the facility’s list takes the place of ours',
  );
});
