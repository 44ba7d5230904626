import assert from 'node:assert/strict';
import { isAbsolute, normalize } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { fileName, folderNames, parseLayout } from '../place/layout.ts';
import { bidsLabel, MAX_VALUE_BYTES, safeLabel, safeValue, withSuffix } from './names.ts';

const from =
  (values: Readonly<Record<string, string>>) =>
  (keyword: string): string | undefined =>
    values[keyword];

test('names: a number keeps all of its digits', () => {
  assert.equal(safeValue('1001', 3), '1001');
  assert.equal(safeValue('0007', 3), '007');
  assert.equal(safeValue(' 7 ', 3), '007');
  assert.equal(safeValue('-1', 3), '-001');
  assert.equal(safeValue('0', 3), '000');
  assert.equal(safeValue('12a', 3), '12a');
  assert.equal(safeValue('9'.repeat(200), 3), '9'.repeat(MAX_VALUE_BYTES));
});

test('names: hostile values', () => {
  const cases: readonly (readonly [string | undefined, string])[] = [
    [undefined, 'none'],
    ['', 'none'],
    ['   ', 'none'],
    ['.', 'none'],
    ['..', 'none'],
    ['/', 'none'],
    ['../../x', 'x'],
    ['/etc/passwd', 'etc_passwd'],
    ['C:\\windows', 'C_windows'],
    ['$(x)', 'x'],
    ['a\0b', 'a_b'],
    ['a\nb\tc', 'a_b_c'],
    ['.hidden', 'hidden'],
    ['trailing. . ', 'trailing'],
    ['a..b', 'a.b'],
    ['e\u0301', '\u00e9'],
    ['\u202egnp.exe', 'gnp.exe'],
    ['\ud800', 'none'],
    ['zero\u200bwidth', 'zero_width'],
    ['\u3164', 'none'],
    ['漢'.repeat(64), '漢'.repeat(33)],
    ['𠮷'.repeat(64), '𠮷'.repeat(25)],
    ['T1', 'T1'],
    ['t1', 't1'],
  ];
  for (const [value, expected] of cases) assert.equal(safeValue(value), expected, JSON.stringify(value));
});

test('names: names that are taken or mean something', () => {
  const name = (template: string, value: string): string =>
    fileName(parseLayout(`x/${template}`), from({ V: value }));
  assert.equal(name('{V}.dcm', 'con'), '_con.dcm');
  assert.equal(name('{V}', 'LPT1'), '_LPT1');
  assert.equal(name('{V}', 'com¹'), '_com¹');
  assert.equal(name('{V}.tar', 'SERIES'), '_SERIES.tar');
  assert.equal(name('{V}.json', 'Series'), '_Series.json');
  assert.equal(name('{V}.txt', 'manifest-sha256'), '_manifest-sha256.txt');
  assert.equal(name('{V}.dcm', '-rf'), '_rf.dcm');
  assert.deepEqual(folderNames(parseLayout('{V}/{V}.dcm'), from({ V: '-' })), ['_']);
});

const nasty = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc.constantFrom(
    '..',
    '.',
    '/',
    '\\',
    '\0',
    '-',
    'CON',
    'nul.txt',
    '../../..',
    '$(reboot)',
    '\ud800',
    ' . ',
  ),
  fc
    .array(fc.constantFrom('.', ' ', '/', '-', '_', '\u0301', 'ß', '漢', '💥'), { maxLength: 120 })
    .map((all) => all.join('')),
);

test('names: whatever the images say, the names are harmless', () => {
  const layout = parseLayout('{project}/{subject:bids}/{session}/{A}/{B:3}-{C}/{D:5}_{E}.dcm');
  fc.assert(
    fc.property(nasty, nasty, nasty, nasty, nasty, (A, B, C, D, E) => {
      const values = from({ A, B, C, D, E, project: A, subject: B, session: C });
      const file = fileName(layout, values);
      const names = [...folderNames(layout, values), file];
      assert.equal(names.length, 6);
      for (const name of names) {
        assert.ok(name.length > 0);
        assert.ok(Buffer.byteLength(name) <= 235, `${Buffer.byteLength(name)} bytes`);
        for (const suffix of ['12345678', 'f'.repeat(64)])
          assert.ok(Buffer.byteLength(withSuffix(name, suffix)) <= 255);
        assert.doesNotMatch(name, /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i);
        assert.doesNotMatch(name, /^(series\.json|series\.tar|manifest-sha256\.txt)$/i);
        assert.doesNotMatch(name, /[^\p{L}\p{M}\p{N}._\-+=,@]|\p{Cc}|\p{Default_Ignorable_Code_Point}/u);
        assert.doesNotMatch(name, /\.\.|^[.\s-]|[.\s]$/);
        assert.equal(name.normalize('NFC'), name);
        assert.ok(name.isWellFormed());
      }
      assert.ok(file.endsWith('.dcm'));
      const path = names.join('/');
      assert.equal(normalize(path), path);
      assert.ok(!isAbsolute(path));
    }),
    { numRuns: 2000 },
  );
});

test('names: labels that differ never get one folder', () => {
  assert.equal(safeLabel('sub-001'), 'sub-001');
  assert.equal(safeLabel(' 3010000.01 '), '3010000.01');
  assert.equal(safeLabel(undefined), 'none');
  assert.match(safeLabel('a b'), /^a_b_[0-9a-f]{8}$/);
  assert.match(safeLabel('../../x'), /^x_[0-9a-f]{8}$/);
  fc.assert(
    fc.property(nasty, nasty, (a, b) => {
      fc.pre(a.trim().normalize('NFC') !== b.trim().normalize('NFC'));
      fc.pre(a.trim() !== '' && b.trim() !== '' && a.isWellFormed() && b.isWellFormed());
      assert.notEqual(safeLabel(a), safeLabel(b));
    }),
    { numRuns: 2000 },
  );
});

test('names: labels as BIDS has them', () => {
  const cases: readonly (readonly [string | undefined, string])[] = [
    ['sub-001', 'sub-001'],
    ['sub001', 'sub-001'],
    ['SUB_001', 'sub-001'],
    ['001', 'sub-001'],
    ['sub-P1', 'sub-P1'],
    ['subject1', 'sub-subject1'],
    ['', 'sub-none'],
    [undefined, 'sub-none'],
  ];
  for (const [label, expected] of cases) assert.equal(bidsLabel('sub', label), expected);
  assert.match(bidsLabel('sub', 'sub-a_b'), /^sub-abx[0-9a-f]{8}$/);
  assert.notEqual(bidsLabel('sub', 'sub-a_b'), bidsLabel('sub', 'sub-a-b'));
  assert.match(bidsLabel('ses', '漢字'), /^ses-x[0-9a-f]{8}$/);
  fc.assert(fc.property(nasty, (label) => assert.match(bidsLabel('ses', label), /^ses-[A-Za-z0-9]{1,120}$/)));
});

test('names: a suffix goes before the extension', () => {
  assert.equal(withSuffix('a.dcm', '1f'), 'a_1f.dcm');
  assert.equal(withSuffix('a', '1f'), 'a_1f');
  assert.equal(withSuffix('1.2.840', '1f'), '1.2_1f.840');
});
