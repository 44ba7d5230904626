import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyOf, nameOf, readList, type List } from './requests.ts';

const read = (text: string | Uint8Array): List =>
  readList(typeof text === 'string' ? Buffer.from(text, 'utf8') : text);

function requests(text: string | Uint8Array) {
  const list = read(text);
  assert.ok(list.ok, JSON.stringify(list));
  return list.requests;
}

function mistakes(text: string | Uint8Array): string[] {
  const list = read(text);
  assert.ok(!list.ok, 'a mistake is found');
  return list.mistakes.map(({ line, message }) => `${line}: ${message}`);
}

test('list: one column of accession numbers, whatever the line ends, blank lines and a byte order mark', () => {
  for (const text of ['A1\nA2\n\nA3', 'A1\r\n\r\n  A2 \r\nA3\r\n\r\n', '\ufeffA1\rA2\rA3', '"A1"\n"A2",\nA3'])
    assert.deepEqual(
      requests(text).map(({ accession }) => accession),
      ['A1', 'A2', 'A3'],
      JSON.stringify(text),
    );
  assert.deepEqual(
    requests('A1\n\nA2').map(({ line }) => line),
    [1, 3],
  );
});

test('list: columns by their headings, in any order, with comma, semicolon or tab', () => {
  const expected = [
    { line: 2, accession: 'A1' },
    { line: 3, studyUid: '1.2.3' },
    { line: 4, patientId: 'P 1', dates: { from: '20261101', to: '20261130' } },
    { line: 5, patientId: 'P2', dates: { from: '20261122', to: '20261122' } },
  ];
  for (const separator of [',', ';', '\t']) {
    const rows = [
      ['Patient ID', 'StudyDate', 'Remark', 'Study Instance UID', 'accession_number'],
      ['', '', `"a ""b""${separator} c"`, '', 'A1'],
      ['', '', '', '1.2.3', ''],
      ['P 1', '2026-11-01..2026-11-30', '', '', ''],
      ['P2', '20261122', '', '', ''],
    ];
    const list = read(rows.map((row) => row.join(separator)).join('\r\n'));
    assert.ok(list.ok, JSON.stringify(list));
    assert.deepEqual(list.requests, expected);
    assert.deepEqual(list.notices, [{ line: 1, message: 'the column “Remark” is not used' }]);
  }
});

test('list: an accession number that looks like a heading with a number is none', () => {
  assert.deepEqual(
    requests('ACC1\nDATE-2').map(({ accession }) => accession),
    ['ACC1', 'DATE-2'],
  );
});

test('list: quoted cells may hold line ends, and lines are counted on', () => {
  const list = 'AccessionNumber,Remark\n"A1","two\nlines"\nA2,\nB*,x';
  assert.deepEqual(mistakes(list), ['5: “B*”: *, ? and \\ cannot stand in an accession number']);
});

test('list: a repeated row is named and done once', () => {
  const list = read('A1\nA2\nA1\n');
  assert.ok(list.ok);
  assert.equal(list.requests.length, 2);
  assert.deepEqual(list.notices, [{ line: 3, message: 'the same as line 1; it is done once' }]);
});

test('list: every mistake at once, with its line', () => {
  const list = [
    'AccessionNumber,StudyInstanceUID,PatientID,StudyDate',
    '12345678901234567,,,',
    '1.23457E+11,,,',
    ',1.2.x,,',
    ',,P1,',
    ',,P1,22/11/2026',
    ',,P1,2026-02-30',
    ',,P1,2026-11-30..2026-11-01',
    ',,,2026-11-22',
    'A?,,,',
    'A1,,,,more',
    'A2,,,',
  ];
  const expected = [
    /^2: .*longer than 16/,
    /^3: .*spreadsheet.*as text/,
    /^4: .*no Study Instance UID/,
    /^5: .*give a StudyDate/,
    /^6: .*no date/,
    /^7: .*no date/,
    /^8: .*ends before it begins/,
    /^9: .*no accession number/,
    /^10: .*cannot stand/,
    /^11: more cells/,
  ];
  const found = mistakes(list.join('\n'));
  assert.equal(found.length, expected.length, found.join('\n'));
  for (const [at, pattern] of expected.entries()) assert.match(found[at] ?? '', pattern);
});

test('list: what cannot be a list at all', () => {
  const cases: [string | Uint8Array, RegExp][] = [
    ['', /^1: the list is empty/],
    ['\n \r\n', /^1: the list is empty/],
    ['AccessionNumber\n', /nothing stands below/],
    ['Acession Nummer\nA1\n', /no heading that is known; columns are called AccessionNumber/],
    ['A1,B2\n', /the first row names them/],
    ['Accession,AccessionNumber\nA,B\n', /same meaning/],
    ['A1\n"A2\nA3', /^2: a quotation mark/],
    ['"A1"x\n', /^1: something stands behind/],
    [Buffer.from('A1\nA2', 'utf16le'), /^1: .*CSV UTF-8/],
    [Buffer.from('A1\nM\xfcller1\n', 'latin1'), /^2: .*CSV UTF-8/],
    [Buffer.alloc(9 * 1024 * 1024, 'A1\n'), /larger than 8 MiB/],
    [Array.from({ length: 100_001 }, (_, at) => `A${at}`).join('\n'), /more than 100000 rows/],
  ];
  for (const [text, pattern] of cases) assert.match(mistakes(text)[0] ?? '', pattern);
});

test('list: a key is the same for the same request, and tells no patient', () => {
  const [one] = requests('PatientID,StudyDate\nSECRET,20261122');
  const [other] = requests('PatientID,StudyDate\nX,20261122\nSECRET,2026-11-22').slice(1);
  assert.ok(one !== undefined && other !== undefined);
  assert.equal(keyOf(one), keyOf(other));
  assert.ok(!keyOf(one).includes('SECRET'));
  assert.equal(nameOf(one), 'SECRET 20261122');
});
