import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defined } from '@scanflow/failure/defined';
import type { InstanceListing } from '@scanflow/orthanc';
import { grown, keysOf, newest } from './record.ts';
import type { StoredInstance } from './types.ts';
import { tellingImages, mended, newestFirst } from './versions.ts';
import { versionsOf } from './sent-again.ts';

const listing = (id: string, version?: number): InstanceListing => ({
  id,
  fileUuid: `${id}${version ?? 0}`,
  bytes: 1,
  tags: {},
  ...defined({ version }),
});

const stored = (id: string, over: Partial<StoredInstance> = {}): StoredInstance => ({
  orthancId: id,
  fileUuid: `${id}${over.version ?? 0}`,
  sopClassUid: '1',
  sopInstanceUid: `uid-${id}`,
  transferSyntax: '1',
  file: `${id}${over.version ?? 0}.dcm`,
  sha256: `sum-${id}${over.version ?? 0}`,
  bytes: 1,
  original: { md5: 'm', bytes: 1 },
  tagged: true,
  increment: 1,
  ...over,
});

test('versions: the files of an image are pulled one after another, the last first', () => {
  assert.deepEqual(
    newestFirst([listing('a'), listing('a', 1), listing('a', 2), listing('b')]).map((files) =>
      files.map(({ fileUuid }) => fileUuid),
    ),
    [['a2', 'a1', 'a0'], ['b0']],
  );
});

test('versions: a damaged file is mended by a later version alone, and by the latest of them', () => {
  const found = { kept: [stored('a', { version: 1 })], images: [stored('a', { version: 2 })], gone: [] };
  const refused = [listing('a'), listing('a', 3), listing('b')].map((one) => ({ listing: one }));
  const { found: now, open } = mended(found, refused);
  assert.deepEqual(
    open.map(({ listing: one }) => one.fileUuid),
    ['a3', 'b0'],
  );
  assert.equal(now.kept[0], found.kept[0], 'what stands for nothing else stays the same entry');
  assert.deepEqual(now.images[0]?.also, ['a0']);
  assert.deepEqual(now.images.flatMap(keysOf), ['a a2', 'a a0']);
});

test('versions: the version that came last stands for its image, and counts once', () => {
  const [own, first, second] = [stored('a'), stored('a', { version: 1 }), stored('a', { version: 2 })];
  const again = stored('c', { sopInstanceUid: 'uid-a', increment: 2 });
  const other = stored('b');
  const nameless = [stored('x', { sopInstanceUid: '' }), stored('y', { sopInstanceUid: '' })];
  assert.deepEqual([...newest([own, second, first, other])], [second, other]);
  assert.deepEqual([...newest([own, second, again])], [again], 'sent again after it was cleaned away');
  assert.equal(newest(nameless).size, 2);
  const record = grown([], [second, own]);
  assert.deepEqual(
    record.map(({ differsFrom }) => differsFrom),
    [undefined, second.file],
  );
  assert.deepEqual(
    versionsOf({ instances: [...record, other] }).map(({ files }) => files.map((one) => one.newest)),
    [[false, true]],
  );
});

test('versions: the same bytes under two files of Orthanc are one entry that stands for both', () => {
  const own = stored('a');
  const again = { ...stored('a', { version: 1 }), file: own.file, sha256: own.sha256 };
  const [entry, ...more] = grown([own], [again]);
  assert.deepEqual([entry?.also, entry?.version, more], [['a0'], 1, []]);
  // an Orthanc that overwrote it has one file only
  const [overwritten] = grown([own], [{ ...own, fileUuid: 'new' }]);
  assert.deepEqual([overwritten?.fileUuid, overwritten?.also], ['new', undefined]);
});

test('versions: the correction tells where a series belongs, with an image that was not corrected beside it', () => {
  const all = [listing('a'), listing('b'), listing('b', 1), listing('b', 2), listing('c', 1)] as const;
  const { first, uncorrected } = tellingImages(all);
  assert.deepEqual([first.fileUuid, uncorrected?.fileUuid], ['b2', 'a0']);
  assert.deepEqual(tellingImages([listing('a'), listing('b')]), { first: listing('a') });
  assert.equal(tellingImages([listing('a'), listing('a', 1)]).uncorrected, undefined);
});
