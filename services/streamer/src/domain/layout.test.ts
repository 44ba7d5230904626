import assert from 'node:assert/strict';
import { isAbsolute, normalize } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  fileName,
  folderNames,
  keywordsOf,
  MAX_VALUE_BYTES,
  parseLayout,
  safeValue,
  withSuffix,
} from './layout.ts';

const DEFAULT =
  '{project}/raw/{subject}/{session}/{SeriesNumber:3}-{SeriesDescription}/{InstanceNumber:5}_{SOPInstanceUID}.dcm';

const from =
  (values: Readonly<Record<string, string>>) =>
  (keyword: string): string | undefined =>
    values[keyword];

test('layout: the default one', () => {
  const layout = parseLayout(DEFAULT);
  const values = from({
    project: '3010000.01',
    subject: 'sub-001',
    session: 'ses-mri01',
    SeriesNumber: '3',
    SeriesDescription: 't1 mprage <sag>',
    InstanceNumber: '12',
    SOPInstanceUID: '1.2.3',
  });
  assert.deepEqual(folderNames(layout, values), [
    '3010000.01',
    'raw',
    'sub-001',
    'ses-mri01',
    '003-t1_mprage_sag',
  ]);
  assert.equal(fileName(layout, values), '00012_1.2.3.dcm');
  assert.deepEqual(keywordsOf(layout).slice(0, 4), ['project', 'subject', 'session', 'SeriesNumber']);
});

test('layout: a number keeps all of its digits', () => {
  assert.equal(safeValue('1001', 3), '1001');
  assert.equal(safeValue('0007', 3), '007');
  assert.equal(safeValue(' 7 ', 3), '007');
  assert.equal(safeValue('-1', 3), '-001');
  assert.equal(safeValue('0', 3), '000');
  assert.equal(safeValue('12a', 3), '12a');
  assert.equal(safeValue('9'.repeat(200), 3), '9'.repeat(MAX_VALUE_BYTES));
});

test('layout: hostile values', () => {
  const cases: readonly (readonly [string | undefined, string])[] = [
    [undefined, 'none'],
    ['', 'none'],
    ['   ', 'none'],
    ['..', 'none'],
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
    ['漢'.repeat(64), '漢'.repeat(33)],
  ];
  for (const [value, expected] of cases) assert.equal(safeValue(value), expected, JSON.stringify(value));
});

test('layout: names that are taken or mean something', () => {
  const name = (template: string, value: string): string =>
    fileName(parseLayout(`x/${template}`), from({ V: value }));
  assert.equal(name('{V}.dcm', 'con'), '_con.dcm');
  assert.equal(name('{V}', 'LPT1'), '_LPT1');
  assert.equal(name('{V}.json', 'Series'), '_Series.json');
  assert.equal(name('{V}.txt', 'manifest-sha256'), '_manifest-sha256.txt');
  assert.equal(name('{V}.dcm', '-rf'), '_rf.dcm');
  assert.deepEqual(folderNames(parseLayout('{V}/{V}.dcm'), from({ V: '-' })), ['_']);
});

test('layout: templates that cannot be', () => {
  for (const template of [
    '',
    'file.dcm',
    '/a/b',
    'a//b',
    '../{V}',
    'a/./b',
    'a/{b',
    'a/b}',
    'a/{}',
    'a/{B:x}',
  ])
    assert.throws(() => parseLayout(template), /the layout/, template);
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

test('layout: whatever the images say, the names are harmless', () => {
  const layout = parseLayout('{A}/{B:3}-{C}/{D:5}_{E}.dcm');
  fc.assert(
    fc.property(nasty, nasty, nasty, nasty, nasty, (A, B, C, D, E) => {
      const values = from({ A, B, C, D, E });
      const file = fileName(layout, values);
      const names = [...folderNames(layout, values), file];
      assert.equal(names.length, 3);
      for (const name of names) {
        assert.ok(name.length > 0);
        assert.ok(Buffer.byteLength(name) <= 250, `${Buffer.byteLength(name)} bytes`);
        assert.doesNotMatch(name, /[^\p{L}\p{M}\p{N}._\-+=,@]/u);
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

test('layout: a suffix goes before the extension', () => {
  assert.equal(withSuffix('a.dcm', '1f'), 'a_1f.dcm');
  assert.equal(withSuffix('a', '1f'), 'a_1f');
  assert.equal(withSuffix('1.2.840', '1f'), '1.2_1f.840');
});
