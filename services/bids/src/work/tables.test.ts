import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onlyParticipants, scansTable, withParticipant } from './tables.ts';

test('participants: a line more, and nothing else of a person’s table changes', () => {
  assert.equal(withParticipant(undefined, 'sub-001'), 'participant_id\nsub-001\n');
  assert.equal(withParticipant('\n', 'sub-001'), 'participant_id\nsub-001\n');
  const theirs = 'participant_id\tage\tsex\nsub-009\t30\tF';
  assert.equal(withParticipant(theirs, 'sub-001'), `${theirs}\nsub-001\tn/a\tn/a\n`);
  assert.equal(withParticipant(theirs, 'sub-009'), theirs);
  assert.equal(
    withParticipant('participant_id\r\nsub-009\r\n', 'sub-001'),
    'participant_id\r\nsub-009\r\nsub-001\r\n',
  );
  // saved by a program that separates by commas, or without its header
  assert.equal(withParticipant('participant_id,age\nsub-009,30\n', 'sub-001'), undefined);
  assert.equal(withParticipant('sub-009\t30\n', 'sub-001'), undefined);
  assert.equal(
    onlyParticipants('age\tparticipant_id\n30\tsub-009\n31\tsub-001\n', (one) => one === 'sub-001'),
    'age\tparticipant_id\n31\tsub-001\n',
  );
});

test('scans: in order of their names, with shifted days; people’s columns, values and rows stay', () => {
  const scans = [
    { filename: 'func/b.nii.gz', acquired: '2026-11-30T23:59:59.500000' },
    { filename: 'anat/a.nii.gz', acquired: '' },
  ];
  assert.equal(
    scansTable(scans, -36_525),
    'filename\tacq_time\nanat/a.nii.gz\tn/a\nfunc/b.nii.gz\t1926-11-30T23:59:59.500000\n',
  );
  const changed = 'quality\tfilename\nbad\tfunc/b.nii.gz\ngood\tfunc/gone.nii.gz\nmine\teeg/mine.edf\n';
  assert.equal(
    scansTable(scans, 0, changed, new Set(['func/gone.nii.gz', 'func/b.nii.gz'])),
    'quality\tfilename\tacq_time\nn/a\tanat/a.nii.gz\tn/a\nbad\tfunc/b.nii.gz\t2026-11-30T23:59:59.500000\nmine\teeg/mine.edf\tn/a\n',
  );
  assert.equal(scansTable(scans, 0, 'no table of ours\n'), scansTable(scans, 0));
});
