import assert from 'node:assert/strict';
import { test } from 'node:test';
import { privateTagOf } from '@scanflow/dicom';
import { digestOf, grown, missing, type Entry, tagRecord, type TagRules } from './record.ts';

const entry = (over: Partial<Entry> & { file: string }): Entry => ({
  orthancId: over.file,
  fileUuid: `uuid of ${over.file}`,
  sopInstanceUid: `uid of ${over.file}`,
  sha256: `sha of ${over.file}`,
  increment: 1,
  ...over,
});

test('record: it grows by what is new', () => {
  const a = entry({ file: 'a' });
  const b = entry({ file: 'b', increment: 2 });
  assert.deepEqual(grown([a], [b]), [a, b]);
  assert.deepEqual(grown([a], []), [a]);
});

test('record: the same bytes from another copy of Orthanc’s are the same entry', () => {
  const a = entry({ file: 'a' });
  const again = entry({ file: 'a', fileUuid: 'another', increment: 2 });
  assert.deepEqual(grown([a], [again]), [{ ...a, fileUuid: 'another' }]);
});

test('record: the same UID with other bytes is kept beside, and says so', () => {
  const a = entry({ file: 'a' });
  const other = entry({ file: 'a_1f', sopInstanceUid: a.sopInstanceUid, increment: 2 });
  assert.deepEqual(grown([a], [other]), [a, { ...other, differsFrom: 'a' }]);
});

test('record: images without a UID differ from nobody', () => {
  const a = entry({ file: 'a', sopInstanceUid: '' });
  const b = entry({ file: 'b', sopInstanceUid: '' });
  assert.deepEqual(grown([a], [b]), [a, b]);
});

test('record: what is missing is what has no entry of this very file of Orthanc’s', () => {
  const known = [entry({ file: 'a' }), entry({ file: 'b' })];
  const listed = [
    { id: 'a', fileUuid: 'uuid of a' },
    { id: 'b', fileUuid: 'overwritten' },
    { id: 'c', fileUuid: 'uuid of c' },
  ];
  assert.deepEqual(
    missing(listed, known).map(({ id }) => id),
    ['b', 'c'],
  );
});

test('record: the digest is of the set, whatever its order', () => {
  assert.equal(digestOf(['a', 'b']), digestOf(['b', 'a']));
  assert.notEqual(digestOf(['a', 'b']), digestOf(['ab']));
  assert.notEqual(digestOf(['a']), digestOf([]));
});

const RULES: TagRules = { group: 0x0021, creator: 'SCANFLOW', element: 0x10, vr: 'LO', value: 'DICOM send' };
const now = Temporal.Instant.from('2026-11-22T09:15:00.75Z');

test('tag: what a series gets is what its record says, and comes back from it', () => {
  const record = tagRecord(RULES, { accession: 'A1', now });
  assert.deepEqual(record, { group: '0021', creator: 'SCANFLOW', element: '10', value: 'DICOM send' });
  assert.deepEqual(privateTagOf(record), { ...RULES, also: [] });
});

test('tag: accession number and time are added where they are wanted', () => {
  const record = tagRecord({ ...RULES, accession: 0x11, time: 0xab }, { accession: ' A1 ', now });
  assert.ok(record !== undefined);
  assert.deepEqual(privateTagOf(JSON.parse(JSON.stringify(record)) as typeof record).also, [
    { element: 0x11, vr: 'SH', value: 'A1' },
    { element: 0xab, vr: 'DT', value: '20261122091500+0000' },
  ]);
});

test('tag: an accession number that is missing, too long or not ASCII is left out', () => {
  for (const accession of [undefined, '', '12345678901234567', 'Zugang-Ä'])
    assert.equal(tagRecord({ ...RULES, accession: 0x11 }, { accession, now })?.accession, undefined);
});

test('tag: apply', () => {
  assert.equal(tagRecord({ ...RULES, apply: 'none' }, { now }), undefined);
  assert.equal(tagRecord({ ...RULES, apply: 'forwarded' }, { now })?.apply, 'forwarded');
  assert.equal(tagRecord({ ...RULES, apply: 'stored+forwarded' }, { now })?.apply, undefined);
});
