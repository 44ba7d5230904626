/** What a label may be, wherever it stands. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge, lines } from '@scanflow/testkit/events';
import { labelProblem, type LabelRules } from './rules.ts';

const ASCII: LabelRules = { characters: 'ascii', patterns: { project: /^\d{7}\.\d{2}$/u } };
const LETTERS: LabelRules = { characters: 'letters', patterns: {} };
const codeOf = (value: string, rules?: LabelRules): string =>
  labelProblem('project', value, rules)?.code ?? 'good';

test('labels: a whole label matches its pattern, wherever it stands', () => {
  assert.equal(codeOf('3010000.01', ASCII), 'good');
  assert.equal(codeOf('not-a-project-number', ASCII), 'LABEL_FORM');
  assert.equal(codeOf('3010000.012', ASCII), 'LABEL_FORM');
  const labels = { labels: ASCII };
  assert.equal(judge(lines('not-a-project-number', 's1', '1'), labels).code, 'LABEL_FORM');
  const property = { summary: 'x', labels: { project: 'not-a-project-number', subject: 's1', session: '1' } };
  assert.equal(judge(property, labels).code, 'LABEL_FORM');
  assert.equal(judge({ summary: '3010000.01 sub-001 ses-1' }, labels).code, 'BOOKING');
});

test('labels: ASCII where the configuration says so', () => {
  for (const value of ['301000\u0660.01', 'Пр1', 'é1', 'a\u0301', '²1', 'ｐ1'])
    assert.equal(codeOf(value, ASCII), 'LABEL_CHARACTERS', value);
});

test('labels: letters of other alphabets, one in each label, and digits from 0 to 9', () => {
  for (const value of ['Проект-1', 'projet-été', '研究プロジェクト1', 'Größe', 'ΑΒΓ_2', '연구1'])
    assert.equal(codeOf(value, LETTERS), 'good', value);
  // a Cyrillic a among Latin letters, among digits, a whole word of such; a Greek o, Arabic and superscript digits, a Roman numeral, an accent apart from its letter
  for (const value of [
    'p\u0430t1',
    '3010000.0\u0430',
    '\u0420\u0415\u0422-1',
    '\uff50\uff45\uff54',
    'pr\u03bfject',
    '\u06631',
    'x²',
    'Ⅳ1',
    'e\u0301t1',
  ])
    assert.equal(codeOf(value, LETTERS), 'LABEL_LOOKALIKE', JSON.stringify(value));
});

test('labels: names of our own files and of devices, in any case', () => {
  for (const value of ['scanflow-reports', 'Scanflow', 'SERIES.JSON', 'series.tar', 'manifest-sha256.txt'])
    for (const rules of [undefined, ASCII, LETTERS])
      assert.equal(codeOf(value, rules), 'LABEL_RESERVED', value);
  for (const value of ['CON', 'nul.1', 'com1', 'LPT9.txt', 'a.', 'aux'])
    assert.equal(codeOf(value, LETTERS), 'LABEL_RESERVED', value);
  for (const value of ['.', '..', '.scanflow', '-rf', ''])
    assert.equal(codeOf(value, LETTERS), 'LABEL_CHARACTERS');
  for (const value of ['console', 'com10', 'scanflower', 'series.json.1'])
    assert.equal(codeOf(value, LETTERS), 'good', value);
});

test('labels: without rules they are judged as by 0.1.0, with a warning where they look like others', () => {
  for (const value of ['301000\u0660.01', 'p\u0430t1', 'COM1', 'not-a-project-number', 'e\u0301t1', 'a.'])
    assert.equal(codeOf(value), 'good', value);
  assert.equal(judge(lines('p\u0430t1', 's1', '1')).code, 'LOOKALIKE');
  assert.equal(judge(lines('pat1', 's1', '1')).code, 'BOOKING');
});

test('labels: no problem repeats the value', () => {
  for (const value of ['Jane Doe', 'scanflow-reports', '\u06631', 'a'.repeat(65), '/etc'])
    assert.ok(!labelProblem('project', value, ASCII)?.message.includes(value), value);
});

test('labels: letters with accents are composed, so that one label is one, and identity stays', () => {
  const composed = judge(lines('été1', 's1', '1'));
  const apart = judge(lines('e\u0301te\u0301' + '1', 's1', '1'));
  assert.ok(composed.outcome === 'booking' && apart.outcome === 'booking');
  assert.equal(apart.record.accessionNumber, composed.record.accessionNumber);
  assert.equal(apart.record.labels.project, 'été1');
});
