/** Slices of work: who waits, and that the event loop goes round between them. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { setImmediate as round } from 'node:timers/promises';
import { Turns, type Turn } from './turns.ts';

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
