/**
 * The fuzzer of the image path for as long as a test may last, always from the same seed: a push is judged by its own change.
 * `npm run fuzz:images` looks for what is new, from another seed each time; FUZZ_SEED repeats a run.
 */
import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { kinds } from '../fuzz/image-cases.ts';
import { fuzzImages } from '../fuzz/images-fuzz.ts';

const { CI, FUZZ_SEED = '20261129' } = process.env;
const seconds = CI === 'true' ? 60 : 20;
const seed = Number(FUZZ_SEED);

test(
  `images: in ${seconds} s of broken files (seed ${seed}) each is tagged and otherwise the same, or refused with a code`,
  { timeout: 600_000 },
  async (t) => {
    const report = await fuzzImages({ seconds, seed, findings: join(tmpdir(), 'scanflow-fuzz-findings') });
    t.diagnostic(JSON.stringify(report));
    assert.equal(report.finding, undefined, `FUZZ_SEED=${seed} repeats it`);
    assert.ok(
      report.cases >= kinds.length && report.tagged > 0 && report.refused > 0,
      'something was tested',
    );
    assert.ok(report.slowest.ms < 20_000, 'no file takes for ever');
    assert.ok(report.memory < 1_500, `${report.memory} MB`);
  },
);
