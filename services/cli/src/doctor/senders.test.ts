import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeSenders, type Sender } from './senders.ts';

const sender = (aet: string, admitted = true): Sender => ({
  aet,
  called: 'ORTHANC',
  address: '10.0.0.7',
  admitted,
});

test('doctor: without arrivals.from everybody may send, which is a warning that lists who did', () => {
  const { state, message } = judgeSenders(undefined, [sender('PRISMA'), sender('')]);
  assert.equal(state, 'warning');
  assert.match(message, /seen: PRISMA at 10\.0\.0\.7 calling ORTHANC; no AE title at 10\.0\.0\.7/);
  assert.match(judgeSenders(undefined, []).message, /nobody sent any yet/);
  const many = Array.from({ length: 12 }, (_, index) => sender(`S${index}`));
  assert.match(judgeSenders(undefined, many).message, /; and 2 more$/);
});

test('doctor: a sender that is not admitted is named, with its address', () => {
  const { state, message } = judgeSenders('scanners', [sender('PRISMA'), sender('NOBODY', false)]);
  assert.equal(state, 'warning');
  assert.match(message, /images of NOBODY at 10\.0\.0\.7 calling ORTHANC are quarantined/);
  assert.equal(judgeSenders('scanners', [sender('PRISMA')]).state, 'ok');
  assert.equal(judgeSenders('any', []).state, 'ok');
});
