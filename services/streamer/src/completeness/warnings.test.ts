import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shownWarnings, warningsOf } from './warnings.ts';

const images = [1, 2].map((number) => ({
  sopClassUid: '1.2.840.10008.5.1.4.1.1.4',
  sopInstanceUid: String(number),
  counts: { number, images: 9 },
}));

test('warnings: what the scanner reported counts, and not what its images say', () => {
  const warnings = warningsOf(images);
  assert.deepEqual(
    warnings.map(({ code }) => code),
    ['SERIES_INCOMPLETE'],
  );
  assert.deepEqual(shownWarnings({ warnings, expected: undefined }), warnings);
  assert.deepEqual(shownWarnings({ warnings, expected: 2 }), []);
  assert.deepEqual(warningsOf([]), []);
});

test('warnings: labels that are used again are one, other doubts are none', () => {
  const doubts = [
    { kind: 'labels', message: 'why' },
    { kind: 'time', message: 'late' },
  ] as const;
  assert.deepEqual(shownWarnings({ doubts, expected: 2 }), [{ code: 'LABELS_AGAIN', message: 'why' }]);
});
