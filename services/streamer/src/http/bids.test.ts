import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLabelled } from './bids.ts';

test('a session is found by its project, subject and session label, and by no part of them', () => {
  const labels = { project: '3010000.01', subject: 'sub-001', session: 'ses-mri01' };
  const view = { series: [{ labels: undefined }, { labels }] };
  for (const label of Object.values(labels)) assert.equal(isLabelled(view, label), true, label);
  for (const other of ['ses-mri02', 'ses-mri', '', '3010000'])
    assert.equal(isLabelled(view, other), false, other);
  assert.equal(isLabelled({ series: [{ labels: undefined }] }, 'ses-mri01'), false);
});
