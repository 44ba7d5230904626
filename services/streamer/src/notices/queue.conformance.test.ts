/** The queue of notices, whatever the database: run against each of them by its tests. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Notice } from '@scanflow/notify';
import { FAILURE, LEASE_MS } from '../ledger/conformance-kit.test.ts';
import type { Ledger } from '../ledger/tx.ts';
import type { OpenFollowed } from '../hooks/conformance.test.ts';
import {
  enqueue,
  layDown,
  messages,
  nextMessage,
  nextMessageTime,
  notSent,
  pruneNotices,
  renewMessage,
  sent,
  withdraw,
  type MessageWork,
} from './sql.ts';

const IT = { channel: 'mail', address: 'it@example.org' };
const OPS = { channel: 'ops', address: '' };
const LOST = { code: 'LEDGER_LEASE_LOST' };
export const NO_HOOKS = { hooksFor: () => [], sessionQuietMs: 100 };

const notice = (id: string): Notice => ({
  ...{
    id,
    thread: 't',
    role: 'it',
    topic: 'failed',
    state: 'new',
    heading: id,
    paragraphs: [],
    items: ['secret'],
  },
  ...{ more: 0, facility: 'F', at: '2026-11-30T08:00:00Z' },
});

export async function take(ledger: Ledger, now: number, channel = 'mail'): Promise<MessageWork> {
  const work = await ledger.write(nextMessage, channel, now);
  assert.ok(work !== undefined, 'no message is due');
  return work;
}

export function queueConformance(name: string, open: OpenFollowed): void {
  test(`${name}: a message goes to one worker, and comes up again with the end of its lease`, async (t) => {
    const { ledger, again } = await open(t, NO_HOOKS);
    await ledger.write(enqueue, notice('m'), { matter: 'x', recipient: IT }, 1);
    assert.equal(await ledger.write(nextMessage, 'ops', 1), undefined);
    const first = await take(ledger, 1);
    assert.deepEqual([first.id, first.notice.heading, first.recipient, first.attempts], ['m', 'm', IT, 0]);
    assert.equal(await ledger.write(nextMessage, 'mail', 2), undefined);
    await ledger.write(renewMessage, first, 500);
    assert.equal(await ledger.write(nextMessage, 'mail', 500 + LEASE_MS - 1), undefined);
    assert.equal(await ledger.read(nextMessageTime, 'mail'), 500 + LEASE_MS);
    const second = await take(ledger, 500 + LEASE_MS);
    await assert.rejects(ledger.write(sent, first, 2_000), LOST);
    await assert.rejects(ledger.write(renewMessage, first, 2_000), LOST);
    assert.equal(await ledger.write(withdraw, 'm'), 0, 'it is being sent');
    await ledger.write(layDown, second, 2_000);
    assert.equal(await ledger.write(withdraw, 'm'), 0, 'it may have got there');
    const later = await again();
    await later.write(sent, await take(later, 2_001), 2_002);
    const [view] = await later.read(messages, 9);
    assert.deepEqual([view?.state, view?.attempts, view?.channel], ['done', 1, 'mail']);
    const left = await later.read((tx) => tx.all('SELECT body FROM notice_message'));
    assert.deepEqual(
      left.map(({ body }) => body),
      [''],
      'the text is gone',
    );
  });

  test(`${name}: what fails is tried again, or given up; a channel that is down waits as a whole`, async (t) => {
    const { ledger } = await open(t, NO_HOOKS);
    for (const id of ['a', 'b']) await ledger.write(enqueue, notice(id), { matter: id, recipient: IT }, 1);
    await ledger.write(enqueue, notice('c'), { matter: 'c', recipient: OPS }, 1);
    const end = { failure: FAILURE, nextTry: 1_000, down: true };
    await ledger.write(notSent, await take(ledger, 2), end, 3);
    assert.equal(await ledger.write(nextMessage, 'mail', 999), undefined);
    const other = await take(ledger, 4, 'ops');
    await ledger.write(notSent, other, { ...end, nextTry: undefined, down: false }, 5);
    const b = await take(ledger, 1_000);
    assert.equal(b.attempts, 1);
    await ledger.write(
      notSent,
      b,
      { ...end, failure: { ...FAILURE, kind: 'ambiguous' }, nextTry: 5_000, down: false },
      1_001,
    );
    assert.equal(await ledger.write(withdraw, b.id), 0, 'it may have got there');
    await ledger.write(pruneNotices, ['ops'], 1_000_000, 1_002);
    const all = await ledger.read(messages, 9);
    assert.deepEqual(all.map(({ id, state, failure }) => [id, state, failure?.code]).sort(), [
      ['a', 'failed', 'NOTICE_NO_CHANNEL'],
      ['b', 'failed', 'NOTICE_NO_CHANNEL'],
      ['c', 'failed', 'X'],
    ]);
    await ledger.write(pruneNotices, ['ops'], 1_000, 9_000);
    assert.deepEqual(await ledger.read(messages, 9), []);
  });
}
