import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freshRecord } from '@scanflow/testkit/streamer';
import { membersIn } from './parts.ts';

const joinable = (begun: string) => ({ ...freshRecord('o1'), joinable: { alike: 'same', begun } });

test('joining: a record says how a later part is recognised', () => {
  const [one] = membersIn(joinable('2026-11-22T10:00:00'));
  assert.deepEqual(one?.traits, {
    alike: 'same',
    at: Temporal.Instant.from('2026-11-22T10:00:00Z').epochMilliseconds,
  });
});

test('joining: a record that somebody edited stops no rebuild and no erasure; no later part is recognised', () => {
  for (const begun of ['yesterday', '2026-02-30T10:00:00', '', '999999-01-01T00:00:00'])
    assert.deepEqual(
      membersIn(joinable(begun)).map(({ series, traits }) => [series, traits]),
      [['o1', undefined]],
      begun,
    );
});
