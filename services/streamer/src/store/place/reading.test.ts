import assert from 'node:assert/strict';
import { test } from 'node:test';
import { studyOfAnotherDay } from './reading.ts';

const ZONE = 'Europe/Amsterdam';
const firstSeen = Temporal.Instant.from('2026-11-22T23:30:00Z').epochMilliseconds;
const now = { AccessionNumber: 'B', StudyInstanceUID: '1.2', StudyDate: '20261122' };

for (const [what, before, day] of [
  [
    'another accession number of another day',
    { ...now, AccessionNumber: 'A', StudyDate: '20261015' },
    '2026-10-15',
  ],
  ['another accession number of the same day', { ...now, AccessionNumber: 'A' }, undefined],
  ['the same accession number of another day', { ...now, StudyDate: '20261015' }, undefined],
  ['no accession number, another study', { StudyInstanceUID: '9', StudyDate: '20261015' }, '2026-10-15'],
  ['no accession number, the same study', { StudyInstanceUID: '1.2', StudyDate: '20261015' }, undefined],
  [
    'no date: the day on which it came, here after midnight',
    { ...now, AccessionNumber: 'A', StudyDate: '' },
    '2026-11-23',
  ],
] as const)
  test(`labels again: ${what}`, () => {
    assert.equal(studyOfAnotherDay(now, [{ attributes: before, firstSeen }], ZONE)?.day, day);
  });

test('labels again: images without a date tell nothing', () => {
  const before = { attributes: { ...now, AccessionNumber: 'A' }, firstSeen };
  assert.equal(studyOfAnotherDay({ AccessionNumber: 'B' }, [before], ZONE), undefined);
});
