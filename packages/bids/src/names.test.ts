import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  bidsLabel,
  DATATYPES,
  ENTITIES,
  entitiesOf,
  parsePath,
  pathOf,
  suffixesOf,
  targetProblem,
} from './names.ts';

test('labels: what BIDS forbids is left out', () => {
  assert.equal(bidsLabel('sub-001', 'sub'), '001');
  assert.equal(bidsLabel('SUB-001', 'sub'), '001');
  assert.equal(bidsLabel('ses-mr_01', 'ses'), 'mr01');
  assert.equal(bidsLabel('Müller_2', 'sub'), 'Muller2');
  assert.equal(bidsLabel('001', 'sub'), '001');
  assert.equal(bidsLabel('sub-__', 'sub'), '');
});

test('names: entities stand in the order of BIDS, whatever order they came in', () => {
  const entities = { part: 'mag', echo: '2', run: '1', dir: 'AP', acq: 'mb8', task: 'rest' };
  assert.equal(
    pathOf('1', undefined, { datatype: 'func', suffix: 'bold', entities }),
    'sub-1/func/sub-1_task-rest_acq-mb8_dir-AP_run-1_echo-2_part-mag_bold',
  );
});

test('names: what BIDS does not have is named', () => {
  const problem = (datatype: string, suffix: string, entities: Record<string, string> = {}) =>
    targetProblem({ datatype, suffix, entities });
  assert.equal(problem('func', 'bold', { task: 'rest' }), undefined);
  assert.equal(problem('func', 'bold'), 'bold needs task-');
  assert.equal(problem('func', 'T1w'), 'BIDS has no func/…_T1w');
  assert.equal(problem('fmap', 'epi'), 'epi needs dir-');
  assert.equal(problem('fmap', 'epi', { dir: 'AP', echo: '1' }), 'BIDS has no echo- in fmap/…_epi');
  assert.equal(problem('anat', 'MP2RAGE'), 'MP2RAGE needs inv-');
  assert.equal(problem('anat', 'T1w', { run: 'one' }), 'run-one is no number');
  assert.equal(
    problem('anat', 'T1w', { acq: 'a-b' }),
    'acq-a-b has other characters than letters and digits',
  );
  assert.equal(
    problem('anat', 'T2starw', { part: 'magnitude' }),
    'part-magnitude is none of mag, phase, real, imag',
  );
});

test('names: every kind allows only known entities, and requires only those that it allows', () => {
  for (const datatype of DATATYPES)
    for (const suffix of suffixesOf(datatype)) {
      const form = entitiesOf(datatype, suffix)!;
      assert.deepEqual(
        form.allowed.filter((key) => !(ENTITIES as readonly string[]).includes(key)),
        [],
      );
      assert.deepEqual(
        form.required.filter((key) => !form.allowed.includes(key)),
        [],
      );
      assert.equal(new Set(suffixesOf(datatype)).size, suffixesOf(datatype).length);
    }
});

test('paths: read back as they were built; other files are none', () => {
  const label = fc.stringMatching(/^[0-9A-Za-z]{1,8}$/);
  const target = fc.constantFrom(...DATATYPES).chain((datatype) =>
    fc.constantFrom(...suffixesOf(datatype)).chain((suffix) =>
      fc
        .record(Object.fromEntries(entitiesOf(datatype, suffix)!.allowed.map((key) => [key, label])), {
          requiredKeys: [],
        })
        .map((entities) => ({ datatype, suffix, entities: { ...entities } as Record<string, string> })),
    ),
  );
  fc.assert(
    fc.property(label, fc.option(label, { nil: undefined }), target, (subject, session, what) => {
      const read = parsePath(`${pathOf(subject, session, what)}.nii.gz`);
      assert.deepEqual(
        read && { ...read, target: { ...read.target, entities: { ...read.target.entities } } },
        {
          subject,
          session,
          target: what,
        },
      );
    }),
  );
  for (const path of [
    ...['README', 'participants.tsv', 'sub-1/sub-1_scans.tsv', 'sub-1/anat/sub-2_T1w.nii.gz'],
    ...['sub-1/anat/sub-1_run-1_acq-a_T1w.nii.gz', 'sub-1/anat/sub-1_T9w.json', 'sub-1/ses-a/anat/sub-1_T1w'],
  ])
    assert.equal(parsePath(path), undefined, path);
});
