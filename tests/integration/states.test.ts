import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '@scanflow/testkit';

test('states: docs/states.md is drawn from the code', async () => {
  const script = join(import.meta.dirname, '../../scripts/generate-states.ts');
  const { code, stderr } = await run(process.execPath, [script, '--check']);
  assert.equal(code, 0, stderr);
});
