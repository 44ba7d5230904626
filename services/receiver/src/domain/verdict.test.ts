import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verdictOf, type Given } from './verdict.ts';

const answer = (status: number, body: unknown = {}): Given => ({
  answered: true,
  status,
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
});
const ids = { ID: 'i', ParentSeries: 's' };

test('verdict: stored, and known already, with the ids of Orthanc', () => {
  assert.deepEqual(verdictOf(answer(200, { ...ids, Status: 'Success' })), {
    kind: 'stored',
    instance: 'i',
    series: 's',
  });
  assert.deepEqual(verdictOf(answer(200, { ...ids, Status: 'AlreadyStored' })), {
    kind: 'known',
    instance: 'i',
    series: 's',
  });
});

test('verdict: the status tells the scanner whether sending again helps; only some are asked again at once', () => {
  const cases: readonly (readonly [Given, status: number, again: boolean, comment: RegExp])[] = [
    [{ answered: false, why: 'ECONNREFUSED' }, 0xa700, true, /does not answer: ECONNREFUSED/],
    [answer(503), 0xa700, true, /busy/],
    [answer(401), 0xa700, false, /refuses the user/],
    [answer(403), 0xa700, false, /refuses the user/],
    [answer(507), 0xa700, false, /full/],
    [answer(500), 0xa700, false, /cannot store it \(500\)/],
    [answer(404), 0xa700, false, /cannot store it \(404\)/],
    [answer(400), 0xc000, false, /cannot read/],
    [answer(415), 0xc000, false, /cannot read/],
    [answer(500, { OrthancStatus: 15 }), 0xc000, false, /cannot read/],
    [answer(200, { Status: 'FilteredOut' }), 0xc000, false, /filter/],
  ];
  for (const [given, status, again, comment] of cases) {
    const verdict = verdictOf(given);
    assert.ok(verdict.kind === 'failed', JSON.stringify(given));
    assert.deepEqual([verdict.status, verdict.again], [status, again], verdict.comment);
    assert.match(verdict.comment, comment);
    // LO of the C-STORE-RSP
    assert.ok(verdict.comment.length <= 64);
  }
});

test('verdict: an answer that is not understood is never Success', () => {
  for (const body of [
    '',
    'null',
    '[]',
    '"Success"',
    '{',
    { Status: 'Success' },
    { ...ids },
    { ...ids, ID: 7 },
  ])
    assert.equal(verdictOf(answer(200, body)).kind, 'failed', JSON.stringify(body));
});
