/** The memory that strangers may take up, and slices of work: who waits, and that the event loop goes round between them. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { until } from '@scanflow/testkit';
import {
  abort,
  beginning,
  bench,
  ECHO,
  FIND,
  identifier,
  message,
  three,
} from '@scanflow/testkit/dimse/raw-peer';
import { setImmediate as round } from 'node:timers/promises';
import type { Pdu } from '../ul/pdu.ts';
import { Budget, Turns, type Turn } from './fairness.ts';
import type { NoRoom } from './types.ts';

const KB = 1_000;
const LIMITS = { heldBytes: 100 * KB, heldBytesPerPeer: 60 * KB, freeBytes: 10 * KB };
const OTHER = '127.0.0.2';

test('budget: the bound per peer and the total hold, the first bytes of each connection are free', () => {
  const full: NoRoom[] = [];
  const budget = new Budget(LIMITS);
  const open = (address: string) => budget.open(address, (why) => full.push(why));
  const [first, second, other] = [open('A'), open('A'), open('B')];
  assert.equal(first.take(10 * KB), true);
  assert.equal(budget.taken, 0, 'free');
  assert.equal(first.take(50 * KB), true);
  assert.equal(second.take(30 * KB), false, 'more than the peer may hold');
  assert.equal(second.take(20 * KB), true);
  assert.equal(other.take(51 * KB), false, 'more than there is');
  assert.equal(other.take(50 * KB), true);
  assert.equal(open('C').take(10 * KB), true, 'a query of another is answered');
  assert.deepEqual(full, ['bytes per peer', 'bytes']);
  first.give(60 * KB);
  assert.equal(first.heldSince, undefined);
  assert.equal(budget.taken, 50 * KB);
  for (const account of [first, second, other]) account.close();
  assert.equal(budget.taken, 0);
  assert.equal(other.take(1), false, 'a closed one holds nothing');
});

test('budget: the message that exceeds it is aborted, the others and every query are served', async (t) => {
  const refused: string[] = [];
  const events = { refused: (_: string, why: string) => void refused.push(why) };
  const { raw, logged } = await bench(t, three, LIMITS, { events });
  const [first, second, other, query] = [raw(), raw(), raw(OTHER), raw('127.0.0.3')];
  for (const peer of [first, second, other, query]) await peer.associate();
  const unfinished = beginning(1, FIND, new Uint8Array(40 * KB));
  first.write(...unfinished);
  second.write(...beginning(1, FIND, new Uint8Array(50 * KB)));
  assert.deepEqual(await second.pdu('A-ABORT'), abort(2, 0));
  other.write(...unfinished);
  assert.equal(await query.status(1, FIND, identifier), 0xff00);
  assert.equal(first.closed || other.closed, false);
  assert.deepEqual(refused, ['bytes per peer']);
  assert.match(logged.join('\n'), /message\.no-room .*bytes per peer/);
});

test('budget: room is given back when a request is answered, and when its connection ends', async (t) => {
  const { raw } = await bench(t, three, LIMITS);
  const large = Buffer.alloc(40 * KB, 0xff);
  for (let turn = 0; turn < 4; turn += 1) {
    const peer = raw();
    await peer.associate();
    peer.send(1, FIND, large);
    const { command } = await peer.message('an answer');
    assert.equal(command.status, 0xa900);
    peer.write(...beginning(1, FIND, large));
    assert.equal(peer.closed, false);
    peer.socket.destroy();
    await peer.ended();
  }
  const last = raw();
  await last.associate();
  last.write(...message(1, FIND, large));
  assert.equal((await last.message('an answer')).command.status, 0xa900);
});

test('budget: a message of which nothing more comes ends its association', async (t) => {
  const { raw, logged } = await bench(t, three, { stalledMs: 300, idleMs: 60_000 });
  const [stalled, idle] = [raw(), raw()];
  await idle.associate();
  await stalled.associate();
  stalled.write(...beginning(1, FIND, identifier));
  assert.deepEqual(await stalled.pdu('A-ABORT'), abort(2, 0));
  assert.match(logged.join('\n'), /an unfinished message for 300 ms/);
  assert.equal(await idle.status(3, ECHO), 0);
});

test('budget: where a bound on connections is reached, a message that is not finished gives way', async (t) => {
  const { raw } = await bench(t, three, { connections: 2, yieldMs: 60_000 });
  const [idle, unfinished] = [raw(), raw()];
  await idle.associate();
  await unfinished.associate();
  unfinished.write(...beginning(1, FIND, identifier));
  // refused until it has been unfinished for a second
  const attempt = async (): Promise<Pdu | undefined> => {
    const peer = raw();
    return Promise.race([peer.associate().catch(() => undefined), peer.ended().then(() => undefined)]);
  };
  const late = await until(attempt, { what: 'there is room for another', timeoutMs: 60_000 });
  assert.equal(late.type, 'associate-ac');
  assert.deepEqual(await unfinished.pdu('A-ABORT'), abort(2, 0));
  assert.equal(await idle.status(3, ECHO), 0);
});

/** Works until the slice is used up, without letting go of the event loop. */
function work(turn: Turn): void {
  while (!turn.isOver);
}

test('turns: a request that nobody waits before begins at once', async () => {
  const turn = new Turns().of('A');
  let begun = false;
  void turn.next().then(() => (begun = true));
  await Promise.resolve();
  await Promise.resolve();
  assert.equal(begun, true);
});

test('turns: the event loop goes round before a second slice', async () => {
  const turn = new Turns().of('A');
  await turn.next();
  work(turn);
  let rounds = 0;
  void round().then(() => (rounds += 1));
  await turn.next();
  await turn.next();
  assert.ok(rounds > 0);
});

test('turns: a peer with many requests does not keep another one waiting', async () => {
  const turns = new Turns();
  const order: string[] = [];
  const ask = async (peer: string, slices: number): Promise<void> => {
    const turn = turns.of(peer);
    for (let slice = 0; slice < slices; slice += 1) {
      await turn.next();
      work(turn);
      order.push(peer);
    }
  };
  const flood: Promise<void>[] = [];
  for (let index = 0; index < 20; index += 1) {
    flood.push(ask('flood', 5));
    await round();
  }
  const begun = order.length;
  await ask('scanner', 1);
  const before = order.indexOf('scanner') - begun;
  assert.ok(before <= 6, `${before} slices of the flood came first`);
  await Promise.all(flood);
  assert.equal(order.length, 101);
});
