import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gathered, withoutNames } from './holdings.ts';

const wanted = { project: 'p', subject: 'gone' };
const labels = (subject: string): { project: string; subject: string; session: string } => ({
  project: 'p',
  subject,
  session: '1',
});
const place = (subject: string): { path: string; labels: ReturnType<typeof labels> } => ({
  path: `p/${subject}`,
  labels: labels(subject),
});
const base = { at: '2026-11-22T09:00:00.000Z', by: 'anna', reason: 'not gone, but b' };

test('erase: a move on record keeps when and by whom, and nothing that names the subject', () => {
  const moved = withoutNames(wanted, [
    { ...base, from: { ...place('gone'), accessionNumber: 'A1' }, to: place('b'), left: ['gone.dcm'] },
    { ...base, from: place('b'), to: place('gone') },
    { ...base, from: place('b'), to: place('c') },
  ]);
  assert.deepEqual(moved, [
    { ...base, reason: '(erased)', from: { path: '(erased)' }, to: place('b') },
    { ...base, reason: '(erased)', from: place('b'), to: { path: '(erased)' } },
    { ...base, from: place('b'), to: place('c') },
  ]);
});

test('erase: the labels that a series was moved from are kept with what was found, also when the ledger has forgotten it', () => {
  const gathered = new Gathered([]);
  gathered.inLedger({
    ...{ id: 's', attributes: {}, decision: undefined, moving: undefined, legs: [], hooks: [] },
    ...{ labels: labels('gone'), path: undefined, copyPath: undefined, session: 'x' },
    moved: [{ ...base, from: place('b'), to: place('gone') }],
  });
  const again = new Gathered(gathered.series());
  for (const one of [gathered, again])
    assert.deepEqual(
      one.series().map(({ id, former }) => [id, former]),
      [['s', [labels('b')]]],
    );
});
