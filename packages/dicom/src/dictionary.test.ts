import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import data from './dictionary-data.json' with { type: 'json' };
import { isSignDependent, keywordOf, tagOf, vrOf } from './dictionary.ts';

type Theirs = Readonly<Record<string, { readonly tag: string; readonly vr: string; readonly name: string }>>;
const theirs = createRequire(import.meta.url)('dcmjs') as {
  readonly data: { readonly DicomMetaDictionary: { readonly nameMap: Theirs } };
};

test('dictionary: its data is that of dcmjs (if not: node scripts/generate-dictionary.ts)', () => {
  const lines = Object.values(theirs.data.DicomMetaDictionary.nameMap).map(
    ({ tag, vr, name }) => `${tag.replace(/[(,)]/g, '')} ${vr} ${name.replace(/^RETIRED_/, '')}`,
  );
  assert.deepEqual(data, lines.sort());
});

const cases: [string, number, string][] = [
  ['PatientName', 0x00100010, 'PN'],
  ['ScheduledProcedureStepSequence', 0x00400100, 'SQ'],
  ['SmallestImagePixelValue', 0x00280106, 'US'],
  ['PixelData', 0x7fe00010, 'OW'],
  ['StudyComments', 0x00324000, 'LT'],
];
for (const [keyword, tag, vr] of cases)
  test(`dictionary: ${keyword}`, () =>
    assert.deepEqual([tagOf(keyword), keywordOf(tag), vrOf(tag)], [tag, keyword, vr]));

test('dictionary: the first keywords and the last are found, and none but whole ones', () => {
  for (const line of data) assert.equal(tagOf(line.slice(12)), Number.parseInt(line.slice(0, 8), 16), line);
});

for (const slip of ['', 'Name', 'PN PatientName', 'patientName'])
  test(`dictionary: no keyword: '${slip}'`, () => assert.throws(() => tagOf(slip), /has no attribute/));

test('dictionary: overlays and curves are known in each of their groups', () => {
  assert.equal(keywordOf(0x60023000), keywordOf(0x60003000));
  assert.equal(vrOf(0x60023000), 'OW');
});

test('dictionary: what it does not have', () => {
  assert.equal(keywordOf(0x00091001), undefined);
  assert.deepEqual([0x00091001, 0x00090010, 0x00090000].map(vrOf), ['UN', 'LO', 'UL']);
  assert.throws(() => tagOf('PatientNames'), /has no attribute 'PatientNames'/);
});

test('dictionary: US or SS by Pixel Representation', () => {
  assert.equal(isSignDependent(tagOf('SmallestImagePixelValue')), true);
  assert.equal(isSignDependent(tagOf('Rows')), false);
});
