import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf, grown, missing, type Entry } from './record.ts';

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
