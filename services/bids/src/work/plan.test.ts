/** Phantoms of a whole session, through facts of dcm2niix and the real rules, to a dataset that the validator calls valid. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planSession, ruleSet } from '@scanflow/bids';
import { planOf } from './look.ts';
import { bidsSession } from './session.ts';
import { bidsRig, OPTIONS } from '../../../../tests/integration/bids-support.ts';

const REAL = {
  ...OPTIONS,
  plan: (facts: Parameters<typeof planSession>[0]) => planSession(facts, ruleSet()),
};

/** Paths below the session's folder, by series; others by their decision. */
const TABLE: Readonly<Record<string, string>> = {
  localiser: 'ignore',
  t1w: 'anat/T1w',
  'field map magnitude': 'fmap/magnitude1 fmap/magnitude2',
  'field map phase': 'fmap/phasediff',
  'epi AP': 'fmap/dir-AP_epi',
  'epi PA': 'fmap/dir-PA_epi',
  sbref: 'repeat',
  'bold aborted': 'aborted',
  bold: 'func/task-rest_bold',
  'multi-echo': 'func/task-nback_echo-1_bold func/task-nback_echo-2_bold func/task-nback_echo-3_bold',
  dwi: 'dwi/dir-AP_dwi',
  physiology: 'ignore',
  spectroscopy: 'ignore',
};
const below = (path: string): string =>
  path.replace('sub-001/ses-mr01/', '').replace('sub-001_ses-mr01_', '');

test('bids: names by ReproIn: each series has its decision, and the dataset is valid', async (t) => {
  const rig = await bidsRig(t);
  const { plan } = await planOf(rig.request, REAL, t.signal);
  assert.deepEqual(plan.conflicts, []);
  const rows = plan.series.map(({ id, decision, outputs }) => [
    id,
    decision === 'convert' ? outputs.map(({ path }) => below(path)).join(' ') : decision,
  ]);
  assert.deepEqual(Object.fromEntries(rows), TABLE);
  const reasonOf = (id: string): string => plan.series.find((one) => one.id === id)?.reason ?? '';
  assert.match(reasonOf('bold aborted'), /it has 3 of 6 volumes/);
  assert.match(reasonOf('sbref'), /it belongs to series \d+, which is aborted/);
  const metadata = plan.series.flatMap(({ outputs }) =>
    outputs.map((one) => [below(one.path), one.metadata] as const),
  );
  const of = new Map(metadata);
  assert.deepEqual(of.get('func/task-rest_bold'), { TaskName: 'rest', B0FieldSource: 'pepolar' });
  assert.deepEqual(of.get('fmap/dir-AP_epi')?.['IntendedFor'], [
    'bids::sub-001/ses-mr01/dwi/sub-001_ses-mr01_dir-AP_dwi.nii.gz',
    ...[1, 2, 3].map(
      (echo) => `bids::sub-001/ses-mr01/func/sub-001_ses-mr01_task-nback_echo-${echo}_bold.nii.gz`,
    ),
    'bids::sub-001/ses-mr01/func/sub-001_ses-mr01_task-rest_bold.nii.gz',
  ]);
  const outcome = await bidsSession(rig.request, REAL, AbortSignal.timeout(60_000));
  assert.deepEqual(outcome.verdict?.errors, []);
  assert.equal(outcome.verdict.verdict, 'valid');
  assert.deepEqual(outcome.counts, { series: 13, converted: 8, failed: 0, left: 5, files: 24, images: 73 });
});
