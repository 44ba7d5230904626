import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freshRecord, storedInstance } from '@scanflow/testkit/streamer';
import { provenanceOf } from './write-record.ts';

const system = { version: '1.12.7', database: 'db', recycling: undefined, ordered: true };
const image = (file: string, increment: number) => ({ ...storedInstance(file, file), increment });

test('provenance: an increment is noted once, with what it was', () => {
  const first = provenanceOf(
    freshRecord('one'),
    [image('a', 1), image('bb', 1)],
    { received: '2026-11-22T10:00:00Z', from: 'PRISMA' },
    system,
    'T1',
  );
  assert.deepEqual(first.increments, [
    { increment: 1, images: 2, bytes: 3, received: '2026-11-22T10:00:00Z', from: 'PRISMA', stored: 'T1' },
  ]);
  assert.equal(first.begun, 'T1');
  const second = provenanceOf(
    { ...freshRecord('one'), provenance: first },
    [image('a', 1), image('c', 2)],
    {},
    undefined,
    'T2',
  );
  assert.deepEqual(second.increments, [
    ...first.increments,
    { increment: 2, images: 1, bytes: 1, stored: 'T2' },
  ]);
  assert.deepEqual([second.begun, second.orthanc, second.orthancDatabase], ['T1', '1.12.7', 'db']);
});
