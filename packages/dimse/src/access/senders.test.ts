import assert from 'node:assert/strict';
import { test } from 'node:test';
import { senderList, type Sender } from './senders.ts';

const sender = (callingAet: string): Sender => ({ callingAet, calledAet: 'ORTHANC', address: '10.0.0.1' });

test('senders: associations of one sender are counted, the latest sender stands first', () => {
  const list = senderList(10);
  list.add(sender('A'), '1');
  list.add(sender('B'), '2');
  list.add(sender('A'), '3');
  assert.deepEqual(list.all(), [
    { ...sender('A'), count: 2, first: '1', last: '3' },
    { ...sender('B'), count: 1, first: '2', last: '2' },
  ]);
});

test('senders: called AE title, address and reason tell senders apart', () => {
  const list = senderList(10);
  list.add(sender('A'), '1', 'unknown');
  list.add(sender('A'), '2', 'other address');
  list.add({ ...sender('A'), address: '10.0.0.2' }, '3', 'unknown');
  list.add({ ...sender('A'), calledAet: 'OTHER' }, '4', 'unknown');
  assert.deepEqual(
    list.all().map(({ why, count }) => [why, count]),
    [
      ['unknown', 1],
      ['unknown', 1],
      ['other address', 1],
      ['unknown', 1],
    ],
  );
});

test('senders: strangers with ever new AE titles push out the one that was silent for longest, and are counted', () => {
  const list = senderList(3);
  for (const name of ['A', 'B', 'C', 'A', 'D', 'E']) list.add(sender(name), name);
  assert.deepEqual(
    list.all().map(({ callingAet }) => callingAet),
    ['E', 'D', 'A'],
  );
  assert.equal(list.dropped, 2);
});
