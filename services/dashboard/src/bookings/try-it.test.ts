import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfig } from '@scanflow/config';
import { judgeBy } from './page.ts';

const loaded = await loadConfig(join(import.meta.dirname, '../../../../config/scanflow.yaml'));
assert.ok(loaded.ok);
const judge = judgeBy(loaded.config, () => 0);
const outcome = (summary: string, description = '') => judge({ calendar: 'prisma', summary, description });

test('try it: a title becomes what the calendar would make of it', () => {
  assert.equal(outcome('3010000.01 sub-007 ses-mri01')?.outcome, 'booking');
  assert.equal(outcome('x', 'Project: 3010000.01\nSubject: sub-007\nSession: ses-mri01')?.outcome, 'booking');
  assert.equal(outcome('tue subject Anna ses1')?.outcome, 'rejected');
  assert.equal(judge({ calendar: 'none', summary: 'x', description: '' }), undefined);
});
