import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Erasures } from '@scanflow/runtime';
import { isErased } from './exams.ts';

const erasures = (...marks: string[]): Erasures => ({
  refresh: () => Promise.resolve(false),
  has: (kind, value = '') => marks.includes(`${kind} ${value}`),
  hasLabels: () => false,
});
const exam = {
  items: [{ accessionNumber: 'A1', studyInstanceUid: '1.2', scheduledStepId: 'S' }],
  links: [
    {
      accessionNumber: 'A2',
      scheduledStepId: '',
      requestedProcedureId: '',
      studyInstanceUids: ['1.3', '1.4'],
    },
  ],
};

for (const [mark, expected] of [
  ['accession A1', true],
  ['accession A2', true],
  ['study 1.2', true],
  ['study 1.4', true],
  ['accession 1.2', false],
  ['study A1', false],
] as const)
  test(`erased exams: ${mark}: ${expected ? 'gone' : 'stays'}`, () => {
    assert.equal(isErased(exam, erasures(mark)), expected);
  });
