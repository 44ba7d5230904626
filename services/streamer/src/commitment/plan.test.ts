/** What becomes of each image whose keeping a destination is asked to promise. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  judgeReport,
  named,
  planCommitment,
  readNamed,
  type CommitmentFacts,
  type CommitmentItem,
  type CommitmentPlan,
  type CommitmentRow,
  type Transaction,
} from './plan.ts';

const image = (instance: string, increment = 1): CommitmentItem => ({
  instance,
  sopClassUid: '1.2',
  sopInstanceUid: `uid-${instance}`,
  increment,
});
const A = image('a');
const B = image('b');
const LIMITS = { attempts: 3, batch: 2 };
const NOW = 1_000;

const plan = (facts: Partial<CommitmentFacts>, limits = LIMITS): CommitmentPlan =>
  planCommitment(
    { through: 0, sent: 1, unsent: new Map(), rows: [], transactions: [], images: [A, B], ...facts },
    limits,
    NOW,
  );
const request = (over: Partial<Transaction>): Transaction => ({
  uid: 't1',
  state: 'accepted',
  round: 1,
  until: 2_000,
  items: [A, B],
  ...over,
});
const row = (instance: string, outcome: CommitmentRow['outcome'], detail = ''): CommitmentRow => ({
  instance,
  outcome,
  detail,
});
const asked = ({ ask }: CommitmentPlan): [number, string[]][] =>
  ask.map(({ round, items }) => [round, items.map(({ instance }) => instance)]);

test('commitment plan: what was sent and is not settled is asked for, a bounded number at a time', () => {
  const images = [A, B, image('c'), image('d', 2)];
  assert.deepEqual(asked(plan({ images })), [
    [1, ['a', 'b']],
    [1, ['c']],
  ]);
  assert.deepEqual(asked(plan({ images, through: 1, sent: 2 })), [[1, ['d']]]);
  assert.deepEqual(asked(plan({ images, sent: 2, rows: [row('a', 'done'), row('b', 'failed', '{}')] })), [
    [1, ['c', 'd']],
  ]);
});

test('commitment plan: what a report is due for is waited for', () => {
  const waiting = plan({ transactions: [request({})] });
  assert.deepEqual([asked(waiting), waiting.until, waiting.ended], [[], 2_000, []]);
});

test('commitment plan: a request whose images are settled is waited for no longer', () => {
  const settled = plan({ transactions: [request({})], rows: [row('a', 'done'), row('b', 'done')] });
  assert.deepEqual(
    [asked(settled), settled.until, settled.ended],
    [[], undefined, [{ uid: 't1', state: 'closed' }]],
  );
});

test('commitment plan: an overdue report means a new round; after the last, failure', () => {
  const second = plan({ transactions: [request({ until: NOW })] });
  assert.deepEqual(asked(second), [[2, ['a', 'b']]]);
  assert.deepEqual(second.ended, [{ uid: 't1', state: 'expired' }]);
  const transactions = [
    request({ state: 'expired' }),
    request({ uid: 't2', state: 'expired', round: 2 }),
    request({ uid: 't3', round: 3, until: 0 }),
  ];
  const last = plan({ transactions });
  assert.deepEqual(asked(last), []);
  assert.equal(last.failure?.code, 'COMMITMENT_EXPIRED');
  assert.deepEqual(
    last.rows.map(({ instance, outcome }) => [instance, outcome]),
    [
      ['a', 'failed'],
      ['b', 'failed'],
    ],
  );
  assert.deepEqual(
    last.ended.map(({ state }) => state),
    ['closed', 'closed', 'closed'],
  );
  // a person retries: the rounds begin anew
  const again = last.rows.map(({ instance, detail }) => row(instance, 'again', detail));
  const closed = transactions.map((one) => ({ ...one, state: 'closed' as const }));
  assert.deepEqual(asked(plan({ transactions: closed, rows: again, through: 1 })), [[1, ['a', 'b']]]);
});

test('commitment plan: a request of which nobody knows whether it got there is made again, and does not count', () => {
  const left = plan({ transactions: [request({ state: 'asked', round: 3 })] });
  assert.deepEqual([asked(left), left.ended], [[[1, ['a', 'b']]], [{ uid: 't1', state: 'closed' }]]);
});

test('commitment plan: what was named as failed is sent again a bounded number of times', () => {
  const first = plan({ rows: [row('a', 'again', named(1, false, '0112')), row('b', 'done')] });
  assert.deepEqual([first.resend, asked(first)], [['a'], []]);
  const resent = plan({ rows: [row('a', 'again', named(1, true, '0112')), row('b', 'done')], through: 1 });
  assert.deepEqual([resent.resend, asked(resent)], [[], [[1, ['a']]]]);
  const last = plan({ rows: [row('a', 'again', named(3, false, '0112')), row('b', 'done')] });
  assert.deepEqual([last.resend, last.failure?.code], [[], 'COMMITMENT_REFUSED']);
  assert.match(last.failure?.message ?? '', /3 times \(0112\)/);
  const [given] = last.rows;
  assert.deepEqual(
    readNamed(given?.detail ?? ''),
    { tries: 0, resent: false },
    'a retry begins by sending it',
  );
});

test('commitment plan: what is not sent is not asked for, until it is', () => {
  const unsent = new Map([
    ['a', 'failed'],
    ['b', 'again'],
  ] as const);
  const held = plan({ unsent });
  assert.deepEqual([asked(held), held.sending, held.failure], [[], true, undefined]);
  assert.deepEqual(asked(plan({ rows: held.rows, through: 1 })), [[1, ['a', 'b']]]);
});

const report = (committed: string[], failed: string[] = [], askAgain = false) => ({
  committed: new Set(committed.map((one) => `uid-${one}`)),
  failed: new Map(failed.map((one) => [`uid-${one}`, { text: '0112', askAgain }] as const)),
});
const judge = (
  transaction: Partial<Transaction>,
  said: ReturnType<typeof report>,
  rows: readonly CommitmentRow[] = [],
  through = 0,
) =>
  judgeReport(request(transaction), said, new Map(rows.map((one) => [one.instance, one])), through).map(
    ({ instance, outcome, detail }) => [instance, outcome, detail === '' ? '' : readNamed(detail)],
  );

test('commitment report: what is committed is done, what failed or is not named comes again', () => {
  assert.deepEqual(judge({}, report(['a', 'b'])), [
    ['a', 'done', ''],
    ['b', 'done', ''],
  ]);
  assert.deepEqual(judge({ state: 'asked' }, report(['a'], ['b'])), [
    ['a', 'done', ''],
    ['b', 'again', { tries: 1, resent: false, reason: '0112' }],
  ]);
  assert.deepEqual(
    judge({}, report([])).map(([, , detail]) => detail),
    [
      { tries: 1, resent: false, reason: 'not named in the report' },
      { tries: 1, resent: false, reason: 'not named in the report' },
    ],
  );
  assert.deepEqual(judge({ items: [A] }, report([], ['a'], true), [row('a', 'again', named(1, true))]), [
    ['a', 'again', { tries: 2, resent: true, reason: '0112' }],
  ]);
});

test('commitment report: a late one counts for what nobody has said anything of since', () => {
  const gone = JSON.stringify({ kind: 'permanent', code: 'COMMITMENT_EXPIRED', message: 'm' });
  for (const state of ['expired', 'closed'] as const) {
    assert.deepEqual(judge({ state }, report(['a'], ['b'])), [['a', 'done', '']]);
    assert.deepEqual(judge({ state }, report(['a', 'b']), [row('a', 'failed', gone), row('b', 'done')]), [
      ['a', 'done', ''],
    ]);
    // it was sent anew, or settled and forgotten
    assert.deepEqual(judge({ state, items: [A] }, report(['a']), [row('a', 'again', named(1, true))]), []);
    assert.deepEqual(judge({ state }, report(['a', 'b']), [], 1), []);
  }
});
