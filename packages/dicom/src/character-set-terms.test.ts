import assert from 'node:assert/strict';
import { test } from 'node:test';
import { standardTerms, termsToWrite } from './character-sets.ts';
import { dataSet, decodeDataSet, encodeDataSet, text, texts, transferSyntaxes } from './index.ts';

const syntax = transferSyntaxes.explicitVRLittleEndian;

test('terms: what is spelt in another way is the defined term that it means', () => {
  const spellings: Readonly<Record<string, readonly string[]>> = {
    'ISO_IR 100': [
      ...[
        'ISO_IR 100',
        'iso_ir 100',
        'ISO-IR 100',
        'ISO IR100',
        'ISO_IR100',
        'ISO IR 100',
        'ISO_IR_100',
        'ISOIR100',
      ],
      ...[
        'IR 100',
        ' ISO_IR 100',
        'latin1',
        'Latin-1',
        'ISO-8859-1',
        'ISO8859-1',
        'ISO_8859-1',
        'iso 8859 1',
        '8859-1',
        'windows-1252',
        'CP1252',
        'ISO_IR  100',
        'ISO _ IR 100',
        '"ISO_IR 100"',
        'ISO_IR 100;',
      ],
    ],
    'ISO_IR 101': ['latin2', 'ISO-8859-2'],
    'ISO_IR 148': ['latin5', 'ISO-8859-9'],
    'ISO_IR 203': ['latin9', 'ISO-8859-15'],
    'ISO_IR 126': ['iso_ir 126', 'ISO-8859-7'],
    'ISO_IR 192': ['utf-8', 'UTF8', 'iso_ir 192', 'ISO-IR192'],
    'ISO 2022 IR 87': [
      'iso 2022 ir 87',
      'ISO-2022 IR 87',
      'ISO2022 IR 87',
      'ISO_2022_IR_87',
      'ISO 2022-IR 87',
    ],
    GB18030: ['gb18030', 'GB-18030', 'GB 18030'],
    GBK: ['gbk', 'GB2312'],
    'ISO_IR 6': ['US-ASCII', 'ascii'],
    '': [''],
    'KOI8-R': ['KOI8-R'],
    'ISO-8859-12': ['ISO-8859-12'],
    ISO_IR: ['ISO_IR'],
  };
  for (const [term, list] of Object.entries(spellings))
    for (const spelt of list) assert.deepEqual(standardTerms([spelt]), [term], spelt);
});

test('terms: beside others a set is one of ISO 2022, and what allows no others stands alone', () => {
  assert.deepEqual(standardTerms(['', 'iso_ir 87']), ['', 'ISO 2022 IR 87']);
  assert.deepEqual(standardTerms(['ISO_IR 100', 'ISO_IR 144']), ['ISO 2022 IR 100', 'ISO 2022 IR 144']);
  assert.deepEqual(standardTerms(['', 'ISO_IR 192']), ['ISO_IR 192']);
  assert.deepEqual(standardTerms(['GB18030', 'ISO 2022 IR 58']), ['GB18030']);
  assert.deepEqual(termsToWrite(['ISO 2022 IR 100']), ['ISO_IR 100']);
  assert.deepEqual(termsToWrite(['ISO 2022 IR 87']), ['', 'ISO 2022 IR 87']);
});

/** Texts that PS3.5 annexes H to K have as examples, and those of the sets of one byte. */
const EXTENDED: readonly (readonly [set: string, name: string])[] = [
  ['ISO 2022 IR 87', 'Yamada^Tarou=山田^太郎=やまだ^たろう'],
  ['\\ISO 2022 IR 87', 'Yamada^Tarou=山田^太郎=やまだ^たろう'],
  ['ISO 2022 IR 13\\ISO 2022 IR 87', 'ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう'],
  ['\\ISO 2022 IR 87\\ISO 2022 IR 159', 'Okubo^Jun=丂丄^山'],
  ['\\ISO 2022 IR 149', 'Hong^Gildong=洪^吉洞=홍^길동'],
  ['\\ISO 2022 IR 58', 'Zhang^XiaoDong=张^小东='],
  ['ISO 2022 IR 6\\ISO 2022 IR 144\\ISO 2022 IR 100', 'Doe=Люк Müller^a'],
];
for (const [set, name] of EXTENDED)
  test(`character set ${set}: written and read`, () => {
    const bytes = encodeDataSet(dataSet({ PatientName: name, PatientID: 'ses-mri01' }), syntax, set);
    const back = decodeDataSet(bytes, syntax);
    assert.equal(text(back, 'PatientName'), name.replace(/=$/, '='));
    assert.equal(text(back, 'PatientID'), 'ses-mri01');
  });

test('character set ISO 2022 IR 87: the bytes of PS3.5 H.3.1 and I.2', () => {
  const bytesOf = (name: string, set: string): string => {
    const bytes = Buffer.from(encodeDataSet(dataSet({ PatientName: name }), syntax, set)).toString('latin1');
    return bytes.slice(bytes.indexOf('PN') + 4).trimEnd();
  };
  assert.equal(
    bytesOf('Yamada^Tarou=山田^太郎=やまだ^たろう', '\\ISO 2022 IR 87'),
    'Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B',
  );
  assert.equal(
    bytesOf('ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう', 'ISO 2022 IR 13\\ISO 2022 IR 87'),
    '\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J=\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J',
  );
  assert.equal(
    bytesOf('Hong^Gildong=洪^吉洞=홍^길동', '\\ISO 2022 IR 149'),
    'Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf',
  );
});

test('character set ISO 2022 IR 87: what it lacks is transliterated', () => {
  const bytes = encodeDataSet(dataSet({ PatientID: 'Müller 山 ไ ~' }), syntax, '\\ISO 2022 IR 87');
  assert.equal(text(decodeDataSet(bytes, syntax), 'PatientID'), 'Muller 山 _ ~');
});

test('declared: a misspelt set is read', () => {
  const bytes = Buffer.from(encodeDataSet(dataSet({ PatientID: 'Müller' }), syntax, 'ISO_IR 100'));
  bytes.write('iso-ir 100', bytes.indexOf('ISO_IR 100'), 'latin1');
  const back = decodeDataSet(bytes, syntax);
  assert.deepEqual(
    [texts(back, 'SpecificCharacterSet'), text(back, 'PatientID')],
    [['iso-ir 100'], 'Müller'],
  );
});
