import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commonParent, outcomeOf, reportName, sessionDigest, sessionOf, sessionOutcome } from './plan.ts';

test('session: an accession number and its patient, else the study', () => {
  const a = sessionOf({ AccessionNumber: 'A1', PatientID: 'p', StudyInstanceUID: '1' });
  assert.equal(sessionOf({ AccessionNumber: ' A1 ', PatientID: 'p', StudyInstanceUID: '2' }), a);
  assert.notEqual(sessionOf({ AccessionNumber: 'A1', PatientID: 'q', StudyInstanceUID: '1' }), a);
  const b = sessionOf({ AccessionNumber: '', PatientID: 'p', StudyInstanceUID: '1' });
  assert.equal(sessionOf({ PatientID: 'q', StudyInstanceUID: '1' }), b);
  assert.notEqual(a, b);
  assert.equal(sessionOf({ PatientID: 'p' }), undefined);
});

test('session: what became of a series', () => {
  const of = (state: 'complete' | 'failed' | 'working', images: number, expected?: number): string =>
    outcomeOf({ state, images, expected });
  assert.deepEqual(
    [of('complete', 3), of('complete', 3, 3), of('complete', 4, 3), of('complete', 2, 3), of('failed', 2, 3)],
    ['Complete', 'Complete', 'Complete', 'Incomplete', 'Failed'],
  );
  assert.equal(of('working', 3, 3), 'Pending');
});

test('session: as good as the worst of its series', () => {
  assert.equal(sessionOutcome(['Complete', 'Incomplete', 'Failed']), 'Failed');
  assert.equal(sessionOutcome(['Complete', 'Incomplete']), 'Incomplete');
  assert.equal(sessionOutcome(['Complete', 'Pending', 'Failed']), 'Pending');
  assert.equal(sessionOutcome(['Complete']), 'Complete');
});

test('session: its digest changes with each of its series, not with their order', () => {
  const a = { id: 'a', state: 'complete', increment: 1, stored: 3 } as const;
  const b = { id: 'b', state: 'complete', increment: 1, stored: 4 } as const;
  assert.equal(sessionDigest([a, b]), sessionDigest([b, a]));
  for (const other of [
    { ...b, increment: 2 },
    { ...b, stored: 5 },
    { ...b, expected: 9 },
    { ...b, state: 'failed' as const },
  ])
    assert.notEqual(sessionDigest([a, other]), sessionDigest([a, b]));
});

test('session: the folder above all of its series', () => {
  assert.equal(commonParent(['p/raw/s/001-t1', 'p/raw/s/002-t2']), 'p/raw/s');
  assert.equal(commonParent(['p/raw/s/001-t1']), 'p/raw/s');
  assert.equal(commonParent(['p/MR/s/1', 'p/SR/s/2']), 'p');
  assert.equal(commonParent(['a/1', 'b/2']), '');
  assert.equal(commonParent(['1', '2']), '');
  assert.equal(commonParent([]), '');
});

test('session: the name of its report is harmless', () => {
  assert.equal(reportName('0123456789ab', 'A1'), 'scanflow-report-A1-01234567');
  assert.equal(reportName('0123456789ab', '../../x\n'), 'scanflow-report-_x_-01234567');
  assert.equal(reportName('0123456789ab', ''), 'scanflow-report-01234567');
});
