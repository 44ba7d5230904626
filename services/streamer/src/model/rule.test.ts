import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge, looksAtAet, traitsOf, traitsOfRecord, type Rule, type Traits, fits } from './rule.ts';

const mr: Traits = {
  modality: 'MR',
  aet: 'PRISMA',
  project: '3010000.01',
  description: 'T1_MPRAGE sag',
  studyDescription: 'Head^Memory',
};

const verdict = (rule: Rule | undefined, traits: Partial<Traits> = {}): string => {
  const found = judge(rule, { ...mr, ...traits });
  if (found.wanted) return 'wanted';
  return `${found.because}${found.undecided ? ' undecided' : ''}`;
};

test('rule: without one, everything goes', () => {
  assert.equal(verdict(undefined), 'wanted');
  assert.equal(verdict({}), 'wanted');
  assert.equal(verdict({ not: {} }), 'wanted');
  assert.equal(verdict(undefined, { project: undefined }), 'wanted');
});

test('rule: each key by itself, one of its values is enough', () => {
  const cases: readonly (readonly [rule: Rule, expected: string])[] = [
    [{ modality: ['CT', 'MR'] }, 'wanted'],
    [{ modality: ['CT'] }, 'modality'],
    [{ aet: ['SKYRA', 'PRISMA'] }, 'wanted'],
    [{ aet: ['prisma'] }, 'aet'],
    [{ project: ['3010000.01'] }, 'wanted'],
    [{ project: ['4*', '3010*'] }, 'wanted'],
    [{ project: ['3010'] }, 'project'],
    [{ description: ['*localizer*', 't1*'] }, 'wanted'],
    [{ description: ['t1'] }, 'description'],
    [{ studyDescription: ['head*'] }, 'wanted'],
    [{ studyDescription: ['*knee*'] }, 'studyDescription'],
  ];
  for (const [rule, expected] of cases) assert.equal(verdict(rule), expected, JSON.stringify(rule));
});

test('rule: all keys have to hold, the first that does not is named', () => {
  assert.equal(verdict({ modality: ['MR'], aet: ['PRISMA'], project: ['3010*'] }), 'wanted');
  assert.equal(verdict({ modality: ['MR'], aet: ['SKYRA'], project: ['4*'] }), 'aet');
});

test('rule: any key of not leaves a series out', () => {
  assert.equal(verdict({ modality: ['MR'], not: { description: ['*localizer*'] } }), 'wanted');
  assert.equal(verdict({ not: { modality: ['SR'], description: ['*mprage*'] } }), 'not.description');
  assert.equal(verdict({ not: { modality: ['MR'], description: ['*localizer*'] } }), 'not.modality');
  assert.equal(verdict({ modality: ['CT'], not: { modality: ['MR'] } }), 'modality');
});

test('rule: without a project, no rule about projects lets a series go', () => {
  const none = { project: undefined };
  assert.equal(verdict({ project: ['*'] }, none), 'project undecided');
  assert.equal(verdict({ not: { project: ['secret'] } }, none), 'not.project undecided');
  assert.equal(verdict({ modality: ['CT'], project: ['*'] }, none), 'modality');
});

test('rule: what an image does not say is empty', () => {
  const empty = { modality: '', aet: '', description: '' };
  assert.equal(verdict({ modality: ['MR'] }, empty), 'modality');
  assert.equal(verdict({ aet: ['PRISMA'] }, empty), 'aet');
  assert.equal(verdict({ not: { aet: ['PRISMA'] } }, empty), 'wanted');
  assert.equal(verdict({ description: ['*'] }, empty), 'wanted');
  assert.equal(verdict({ description: ['t*'] }, empty), 'description');
});

test('rule: stars and long descriptions take no time', () =>
  assert.equal(
    verdict({ description: [`${'*a'.repeat(30)}b`] }, { description: 'a'.repeat(10_000) }),
    'description',
  ));

test('rule: traits are those of the images, and of who sent the first of them', () => {
  const attributes = { Modality: 'CT', SeriesDescription: 'd', StudyDescription: 's' };
  const labels = { project: 'p' };
  const traits = { modality: 'CT', description: 'd', studyDescription: 's', project: 'p' };
  const sent = { ...attributes, SendingApplicationEntityTitle: 'B' };
  assert.deepEqual(traitsOf(sent, labels), { ...traits, aet: 'B' });
  assert.deepEqual(traitsOf(attributes, undefined), { ...traits, aet: '', project: undefined });
  const provenance = { increments: [{ from: 'A' }, { from: 'LATER' }] };
  assert.deepEqual(traitsOfRecord({ attributes, labels, provenance }), { ...traits, aet: 'A' });
  assert.deepEqual(traitsOfRecord({ attributes, labels }), { ...traits, aet: '' });
  assert.deepEqual(traitsOfRecord({ attributes, labels, provenance: { increments: [] } }).aet, '');
});

test('rule: it is known which rules look at the AE title', () => {
  assert.equal(looksAtAet(undefined), false);
  assert.equal(looksAtAet({ modality: ['MR'], not: { project: ['p'] } }), false);
  assert.equal(looksAtAet({ aet: ['A'] }), true);
  assert.equal(looksAtAet({ not: { aet: ['A'] } }), true);
});

test('glob: the whole text, with stars for anything', () => {
  const cases: readonly (readonly [glob: string, text: string, expected: boolean])[] = [
    ['t1', 't1', true],
    ['t1', 't1_mprage', false],
    ['t1*', 't1_mprage', true],
    ['*mprage', 't1_mprage', true],
    ['*_mp*', 't1_mprage', true],
    ['*', '', true],
    ['', '', true],
    ['a*a', 'a', false],
    ['a*b*c', 'acb', false],
    ['a.c', 'abc', false],
    ['**', 'x', true],
  ];
  for (const [glob, text, expected] of cases) assert.equal(fits(glob, text), expected, `${glob} ${text}`);
});
