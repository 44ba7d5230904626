/** Labels of a title are taken whole or not at all. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compilePattern } from '../pattern/pattern.ts';
import { judge } from '@scanflow/testkit/events';
import type { BookingRules } from './rules.ts';

/** The pattern of the sample configuration of 0.1.0. */
const OURS = compilePattern('^(?<project>\\d{7}\\.\\d{2})[ _](?<subject>sub-?\\w+)[ _](?<session>ses-?\\w+)');
const ASCII = { characters: 'ascii', patterns: {} } as const;

const answer = (summary: string, own: Partial<BookingRules> = {}): string => {
  const outcome = judge({ summary }, { patterns: [OURS], ...own });
  return outcome.outcome === 'booking'
    ? [
        ...Object.values<string>({ ...outcome.booking.labels }),
        ...outcome.warnings.map(({ code }) => code),
      ].join(' ')
    : outcome.code;
};

const WHOLE: [title: string, answer: string][] = [
  ['3010000.01 sub-001 ses-mri-01', '3010000.01 sub-001 ses-mri-01'],
  ['3010000.01 sub-001 ses-mri01.2', '3010000.01 sub-001 ses-mri01.2'],
  ['3010000.01 sub-001 ses-mri01-pilot', '3010000.01 sub-001 ses-mri01-pilot'],
  ['3010000.01 sub-001 ses-mri01.', '3010000.01 sub-001 ses-mri01'],
  ['3010000.01 sub-001 ses-mri01, pilot', '3010000.01 sub-001 ses-mri01'],
  ['3010000.01 sub-001 ses-mri01 (pilot)', '3010000.01 sub-001 ses-mri01'],
  ['3010000.01 sub-001 ses-mri01 - pilot', '3010000.01 sub-001 ses-mri01'],
  ['3010000.01_sub-001_ses-mri01', '3010000.01 sub-001 ses-mri01'],
  ['3010000.01 sub-001 ses-pré01', 'LABEL_CHARACTERS'],
  ['3010000.01 sub-001 ses-mri01/02', 'LABEL_CHARACTERS'],
  ['3010000.01 sub-001 ses-mri01 ses-mri02', 'TWO_LABELS'],
  ['3010000.01 sub-001 ses-mri01, ses-mri02', 'TWO_LABELS'],
  ['3010000.01 sub-001 ses-mri01 + 02', 'TWO_LABELS'],
  ['3010000.01 sub-001 ses-mri01 and 02', 'TWO_LABELS'],
  ['3010000.01 sub-001 ses-mri01 3010000.02', 'TWO_LABELS'],
  ['3010000.01 sub-001 ses-mri01 run-02', '3010000.01 sub-001 ses-mri01 TITLE_GOES_ON'],
  ['3010000.01 sub-001 ses-mri01 10:30', '3010000.01 sub-001 ses-mri01'],
];
for (const [title, expected] of WHOLE)
  test(`whole: “${title}” is ${expected}`, () => {
    assert.equal(answer(title, { labels: ASCII }), expected);
  });

test('whole: the sentence names the character that does not belong into a label', () => {
  const { reason } = judge({ summary: '3010000.01 sub-001 ses-pré01' }, { patterns: [OURS], labels: ASCII });
  assert.match(reason, /“é”/u);
});

test('whole: patterns of facilities, each with its own end', () => {
  const cases: [pattern: string, title: string, expected: string][] = [
    ['(?<project>P\\d+) (?<subject>s\\d+) (?<session>\\d+)min', 'P1 s1 10min', 'P1 s1 10'],
    ['(?<project>P\\d+) (?<subject>s\\d+) (?<session>\\w+).*$', 'P1 s1 a-2', 'P1 s1 a-2'],
    ['(?<project>P\\d+) (?<subject>s\\d+) (?<session>\\w+)\\b', 'P1 s1 a-2', 'P1 s1 a-2'],
    ['(?<project>P\\d+) (?<subject>s\\d+).*? (?<session>[ab]\\d)', 'P1 s1-b a2', 'P1 s1-b a2'],
    ['(?<project>\\d{7}) (?<subject>s\\d+) (?<session>[ab]\\d)', '93010000 s1 a2', '93010000 s1 a2'],
    ['(?<subject>s\\d+)(?<session>[ab]) (?<project>P\\d+)', 's1a P1-2', 'P1-2 s1 a'],
    ['(?<project>P\\d+)[ _/](?<subject>S\\d+)(?:[ _/](?<session>\\d+))?', 'P1/S2/3', 'P1 S2 3'],
  ];
  for (const [pattern, title, expected] of cases) {
    const patterns = [compilePattern(pattern)];
    assert.equal(answer(title, { patterns }), expected, pattern);
    assert.equal(answer(title, { patterns: [new RegExp(pattern, 'u')] }), expected, `RegExp ${pattern}`);
  }
});

test('whole: a booking says how 0.1.0 read it, so that what is published keeps its identity', () => {
  const outcome = judge({ summary: '3010000.01 sub-001 ses-mri-01' }, { patterns: [OURS] });
  assert.ok(outcome.outcome === 'booking');
  assert.deepEqual(outcome.formerLabels, { project: '3010000.01', subject: 'sub-001', session: 'ses-mri' });
  const usual = judge({ summary: '3010000.01 sub-001 ses-mri01' }, { patterns: [OURS] });
  assert.ok(usual.outcome === 'booking');
  assert.equal(usual.formerLabels, undefined);
});

test('whole: a line without its full stop or comment says, too, how 0.1.0 read it', () => {
  const description = 'Project: 3010000.01\nSubject: sub-001.\nSession: ses-1 (pilot)';
  const outcome = judge({ summary: 'MRI', description });
  assert.ok(outcome.outcome === 'booking');
  assert.deepEqual(outcome.booking.labels, { project: '3010000.01', subject: 'sub-001', session: 'ses-1' });
  assert.deepEqual(outcome.formerLabels, {
    project: '3010000.01',
    subject: 'sub-001.',
    session: 'ses-1 (pilot)',
  });
});
