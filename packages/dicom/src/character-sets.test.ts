import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  dataSet,
  decodeDataSet,
  DicomDecodeError,
  encodeDataSet,
  fit,
  isWritableCharacterSet,
  text,
  texts,
  transferSyntaxes,
} from './index.ts';

const syntax = transferSyntaxes.explicitVRLittleEndian;
const through = (value: string, characterSet: string): string | undefined =>
  text(
    decodeDataSet(encodeDataSet(dataSet({ PatientName: value }), syntax, characterSet), syntax),
    'PatientName',
  );

/** A data set of (0008,0005) and one element, its value given as bytes. */
function raw(terms: string, vr: 'PN' | 'LO' | 'LT', bytes: Uint8Array): Uint8Array {
  const head = (tag: number, letters: string, length: number): Buffer => {
    const buffer = Buffer.alloc(8);
    buffer.writeUInt16LE(tag >>> 16, 0);
    buffer.writeUInt16LE(tag & 0xffff, 2);
    buffer.write(letters, 4, 'latin1');
    buffer.writeUInt16LE(length, 6);
    return buffer;
  };
  const charset = Buffer.from(terms, 'latin1');
  return Buffer.concat([
    head(0x00080005, 'CS', charset.length),
    charset,
    head(0x00100010, vr, bytes.length),
    bytes,
  ]);
}
const decoded = (terms: string, vr: 'PN' | 'LO' | 'LT', bytes: number[] | string): string[] =>
  texts(decodeDataSet(raw(terms, vr, Buffer.from(bytes as string, 'latin1')), syntax), 'PatientName');

const SAMPLES: Readonly<Record<string, string>> = {
  'ISO_IR 6': 'Mueller^Juergen',
  'ISO_IR 100': 'Müller^Jürgen ÿ',
  'ISO_IR 101': 'Wałęsa^Őrszigeth',
  'ISO_IR 109': 'Ĉiuĵaŭde^ħ',
  'ISO_IR 110': 'Ēriks^ģŋ',
  'ISO_IR 144': 'Люкceмбypг^Ђ',
  'ISO_IR 127': 'قباني^لنزار',
  'ISO_IR 126': 'Διονυσιος^ά',
  'ISO_IR 138': 'שרון^דבורה',
  'ISO_IR 148': 'Çavuşoğlu^İ',
  'ISO_IR 203': 'Œuvre^€',
  'ISO_IR 166': 'นามสกุล^ชื่อ',
  'ISO_IR 13': 'ﾔﾏﾀﾞ^ﾀﾛｳ',
  'ISO_IR 192': 'Müller^Люк=山田^太郎 𠮷',
  GB18030: 'Wang^XiaoDong=王^小东 𠮷',
  GBK: 'Wang^XiaoDong=王^小东',
};
for (const [characterSet, name] of Object.entries(SAMPLES)) {
  test(`character set ${characterSet}: written and read`, () => {
    assert.ok(isWritableCharacterSet(characterSet));
    assert.equal(through(name, characterSet), name);
  });
}

test('character sets: what one lacks is transliterated, never a question mark', () => {
  const cases: readonly [string, string, string][] = [
    ['Straße Ødegård Æsir – “Łódź” … 5 €', 'ISO_IR 6', 'Strasse Odegard AEsir - "Lodz" ... 5 EUR'],
    ['Ĺódź Żółw', 'ISO_IR 100', 'Lódz Zólw'],
    ['Иванов^Щедрин', 'ISO_IR 100', 'Ivanov^Shchedrin'],
    ['Παπαδόπουλος', 'ISO_IR 100', 'Papadopoylos'],
    ['山田^太郎', 'ISO_IR 100', '__^__'],
    ['カタカナ ガ', 'ISO_IR 13', 'ｶﾀｶﾅ ｶﾞ'],
    ['a＝b＾c？d＊', 'ISO_IR 100', 'a_b_c_d_'],
    ['Mu\u0308ller', 'ISO_IR 100', 'Müller'],
    ['ﬁle\u200b №', 'ISO_IR 6', 'file No'],
    ['\ud800x', 'ISO_IR 100', '_x'],
  ];
  for (const [given, characterSet, expected] of cases) assert.equal(through(given, characterSet), expected);
});

test('character sets: a backslash in a text is no separator, an ESC no escape sequence', () => {
  const bytes = encodeDataSet(
    dataSet({ PatientID: 'a\\b', ImageComments: 'c\\d\x1b' }),
    syntax,
    'ISO_IR 100',
  );
  const back = decodeDataSet(bytes, syntax);
  assert.deepEqual(texts(back, 'PatientID'), ['a/b']);
  assert.deepEqual(texts(back, 'ImageComments'), ['c\\d_']);
});

test('character sets: second bytes of GBK that look like a backslash separate nothing', () => {
  assert.deepEqual(decoded('GBK ', 'LO', [0xd5, 0x5c, 0x5c, 0x41]), ['誠', 'A']);
  assert.equal(through('誠', 'GBK'), '誠');
});

test('character sets: ISO_IR 13 has a yen sign and an overline', () => {
  assert.deepEqual(decoded('ISO_IR 13 ', 'LT', 'a\\~ '), ['a¥‾']);
  assert.deepEqual(decoded('ISO_IR 13 ', 'LO', 'a\\~ '), ['a', '‾']);
  assert.equal(through('a¥‾~', 'ISO_IR 13'), 'aY‾-');
});

// PS3.5 annexes H.3.1, H.3.2, I.2 and K.2.
test('character sets: ISO 2022 escape sequences are read', () => {
  assert.deepEqual(
    decoded(
      '\\ISO 2022 IR 87 ',
      'PN',
      'Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B',
    ),
    ['Yamada^Tarou=山田^太郎=やまだ^たろう'],
  );
  assert.deepEqual(
    decoded(
      'ISO 2022 IR 13\\ISO 2022 IR 87 ',
      'PN',
      '\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J=\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J ',
    ),
    ['ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう'],
  );
  assert.deepEqual(
    decoded(
      '\\ISO 2022 IR 149',
      'PN',
      'Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf ',
    ),
    ['Hong^Gildong=洪^吉洞=홍^길동'],
  );
  assert.deepEqual(
    decoded('\\ISO 2022 IR 58 ', 'PN', 'Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab='),
    ['Zhang^XiaoDong=张^小东='],
  );
  assert.deepEqual(decoded('ISO 2022 IR 100\\ISO 2022 IR 144', 'LO', 'M\xfcller \x1b-L\xbb\xee\xda\\\xfc '), [
    'Müller Люк',
    'ü',
  ]);
});

test('character sets: what is not defined is an error with its place', () => {
  const failure = (terms: string, bytes: string): DicomDecodeError => {
    try {
      decoded(terms, 'LO', bytes);
    } catch (error) {
      if (error instanceof DicomDecodeError) return error;
    }
    throw new Error('It was decoded.');
  };
  assert.equal(failure('', 'M\xfcller').code, 'BAD_TEXT');
  assert.equal(failure('', 'M\xfcller').offset, 16);
  assert.equal(failure('ISO_IR 192', 'M\xfcller').code, 'BAD_TEXT');
  assert.equal(failure('ISO_IR 127', '\xff\xfe').code, 'BAD_TEXT');
  assert.equal(failure('GB18030 ', '\x81\xff').code, 'BAD_TEXT');
  assert.equal(failure('ISO_IR 100', '\x1b$)C\xfb\xf3').code, 'BAD_TEXT', 'escapes are not declared');
  assert.equal(failure('\\ISO 2022 IR 87 ', '\x1b$Z;3ED').code, 'BAD_TEXT');
  assert.equal(failure('KOI8-R', 'M\xfcller').code, 'CHARACTER_SET');
  assert.deepEqual(decoded('KOI8-R', 'LO', 'Miller'), ['Miller'], 'plain ASCII means the same everywhere');
  const lenient = decodeDataSet(raw('', 'LO', Buffer.from('M\xfcller', 'latin1')), syntax, {
    undecodable: 'replace',
  });
  assert.equal(text(lenient, 'PatientName'), 'M\ufffdller');
});

test('character sets: items inherit the declared set and may have their own (PS3.5 7.5.3)', () => {
  const value = (vr: string, tag: number, content: number[]): number[] => [
    ...[(tag >>> 16) & 0xff, tag >>> 24, tag & 0xff, (tag >>> 8) & 0xff],
    ...[vr.charCodeAt(0), vr.charCodeAt(1), content.length & 0xff, content.length >>> 8, ...content],
  ];
  const ascii = (characters: string): number[] => [...Buffer.from(characters, 'latin1')];
  const wrap = (content: number[]): number[] => [
    ...[0xfe, 0xff, 0x00, 0xe0, content.length, 0, 0, 0],
    ...content,
  ];
  const name = value('LO', 0x00100020, [0xee, 0xda]);
  const items = [
    ...wrap(name),
    ...wrap([...value('CS', 0x00080005, ascii('ISO_IR 144')), ...name]),
    ...wrap(name),
  ];
  const whole = Uint8Array.from([
    ...value('CS', 0x00080005, ascii('ISO_IR 100')),
    ...[0x08, 0x00, 0x20, 0x11, 0x53, 0x51, 0, 0, items.length, 0, 0, 0, ...items],
  ]);
  const sequence = decodeDataSet(whole, syntax).get(0x00081120);
  assert.ok(sequence?.kind === 'sequence');
  assert.deepEqual(
    sequence.items.map((one) => text(one, 'PatientID')),
    ['îÚ', 'юк', 'îÚ'],
  );
});

test('fit: limits in characters, at the end of one, after cleaning', () => {
  assert.equal(fit('SH', '  ses-mri01 '), 'ses-mri01');
  assert.equal(fit('SH', 'a'.repeat(20)), 'a'.repeat(16));
  assert.equal(fit('SH', 'ü'.repeat(20), 'ISO_IR 192'), 'ü'.repeat(16));
  assert.equal(fit('SH', 'ß'.repeat(20), 'ISO_IR 6'), 's'.repeat(16));
  assert.equal(fit('SH', `${'a'.repeat(15)}g\u0308`, 'ISO_IR 192'), 'a'.repeat(15), 'no mark is torn off');
  assert.equal(fit('SH', `${'a'.repeat(15)}𠮷𠮷`, 'ISO_IR 192'), `${'a'.repeat(15)}𠮷`);
  assert.equal(fit('LO', 'a\\b\r\nc\td'), 'a/b c d');
  assert.equal(fit('LT', 'a\r\nb\x00c'), 'a\r\nb c');
  assert.equal(fit('CS', 'mr-1'), 'MR_1');
  assert.equal(fit('AE', ' PRISMA\\ü '), 'PRISMA/u');
  const name = fit('PN', `${'a'.repeat(70)}=${'b'.repeat(70)}=c=d`);
  assert.equal(name, `${'a'.repeat(64)}=${'b'.repeat(64)}=c`);
  assert.equal(fit('UI', '1.2.3'), '1.2.3');
  assert.throws(() => fit('LO', 'ü', 'ISO 2022 IR 999'), /cannot be written/);
});
