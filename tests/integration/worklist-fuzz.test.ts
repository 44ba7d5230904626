/** The fuzzer for as long as a test may last, from one seed; `npm run fuzz:worklist` takes another each time. FUZZ_SEED repeats a run. */
import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fuzz } from '../fuzz/worklist-fuzz.ts';

const { CI, FUZZ_SEED = '20261129' } = process.env;
const seconds = CI === 'true' ? 60 : 20;
const seed = Number(FUZZ_SEED);

test(`worklist: ${seconds} s of broken scanners (seed ${seed}) leave it serving, and as small as it was`, async (t) => {
  const report = await fuzz({ seconds, seed, findings: join(tmpdir(), 'scanflow-fuzz-findings') });
  t.diagnostic(JSON.stringify(report));
  assert.equal(report.finding, undefined, `FUZZ_SEED=${seed} repeats it`);
  assert.ok(report.cases >= 10 * seconds, `${report.cases} conversations only: nothing was tested`);
  assert.ok(report.descriptors.last <= report.descriptors.first, 'every connection was closed');
  assert.ok(report.memory.most < report.memory.first + 150, 'memory does not grow without end');
});
