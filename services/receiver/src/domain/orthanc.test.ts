import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeSeries } from '@scanflow/dicom';
import { orthancIds, verdictOf, type Given } from './orthanc.ts';

const answer = (status: number, body: unknown = {}): Given => ({
  answered: true,
  status,
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
});
const ids = { ID: 'i', ParentSeries: 's' };

test('verdict: stored, and known already, with the ids of Orthanc', () => {
  assert.deepEqual(verdictOf(answer(200, { ...ids, Status: 'Success' })), {
    kind: 'stored',
    instance: 'i',
    series: 's',
  });
  assert.deepEqual(verdictOf(answer(200, { ...ids, Status: 'AlreadyStored' })), {
    kind: 'known',
    instance: 'i',
    series: 's',
  });
});

test('verdict: the status tells the scanner whether sending again helps; only some are asked again at once', () => {
  const cases: readonly (readonly [Given, status: number, again: boolean, comment: RegExp])[] = [
    [{ answered: false, why: 'ECONNREFUSED' }, 0xa700, true, /does not answer: ECONNREFUSED/],
    [answer(503), 0xa700, true, /busy/],
    [answer(401), 0xa700, false, /refuses the user/],
    [answer(403), 0xa700, false, /refuses the user/],
    [answer(507), 0xa700, false, /full/],
    [answer(500), 0xa700, false, /cannot store it \(500\)/],
    [answer(404), 0xa700, false, /cannot store it \(404\)/],
    [answer(400), 0xc000, false, /cannot read/],
    [answer(415), 0xc000, false, /cannot read/],
    [answer(500, { OrthancStatus: 15 }), 0xc000, false, /cannot read/],
    [answer(200, { Status: 'FilteredOut' }), 0xc000, false, /filter/],
  ];
  for (const [given, status, again, comment] of cases) {
    const verdict = verdictOf(given);
    assert.ok(verdict.kind === 'failed', JSON.stringify(given));
    assert.deepEqual([verdict.status, verdict.again], [status, again], verdict.comment);
    assert.match(verdict.comment, comment);
    // LO of the C-STORE-RSP
    assert.ok(verdict.comment.length <= 64);
  }
});

test('verdict: an answer that is not understood is never Success', () => {
  for (const body of [
    '',
    'null',
    '[]',
    '"Success"',
    '{',
    { Status: 'Success' },
    { ...ids },
    { ...ids, ID: 7 },
  ])
    assert.equal(verdictOf(answer(200, body)).kind, 'failed', JSON.stringify(body));
});

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
