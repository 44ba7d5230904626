import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeSeries } from '@scanflow/dicom';
import { orthancIds } from './orthanc-ids.ts';

test('receiver: the ids that Orthanc gives are known before it has the image', () => {
  const when = Temporal.ZonedDateTime.from('2026-11-22T09:00[Europe/Amsterdam]');
  const [image] = makeSeries({ modality: 'MR', images: 1, rows: 16, columns: 16, seed: 7, when });
  assert.ok(image !== undefined);
  // as Orthanc 1.10.1 answered to this phantom
  assert.deepEqual(orthancIds(image.bytes, true), {
    series: 'cbdb567d-506149fa-facdce33-ceab905b-f5df9d40',
    instance: 'fdfe07d5-ee193c07-fb9b0133-a03069ec-846a21d4',
  });
  assert.equal(orthancIds(image.bytes.subarray(0, 400), false), undefined);
});
