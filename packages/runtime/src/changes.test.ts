import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { test, type TestContext } from 'node:test';
import { until } from '@scanflow/testkit';
import fastify from 'fastify';
import { addChanges } from './pages.ts';

async function rig(t: TestContext) {
  const marks: Record<string, string> = { series: 'a', sessions: 'a' };
  const state = { looks: 0, broken: false };
  const app = fastify({ forceCloseConnections: true });
  addChanges(app, {
    marks: () => {
      state.looks += 1;
      if (state.broken) throw new Error('the ledger is away');
      return { ...marks };
    },
    everyMs: 5,
    beatMs: 10,
  });
  t.after(() => app.close());
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const listen = async () => {
    const [answer] = (await once(get(`${url}/api/events`), 'response')) as [IncomingMessage];
    const heard = { text: '' };
    answer.setEncoding('utf8').on('data', (text: string) => (heard.text += text));
    answer.on('error', () => undefined);
    return { answer, heard };
  };
  return { marks, state, listen };
}

const has = (heard: { readonly text: string }, text: string) =>
  until(() => heard.text.includes(text), { what: text, timeoutMs: 5_000, everyMs: 5 });

test('changes: a listener hears where it begins, what kind of thing changed, and that the stream goes on', async (t) => {
  const { marks, state, listen } = await rig(t);
  const { heard } = await listen();
  await has(heard, 'event: begin\ndata: {"instance":"');
  await until(() => state.looks > 3, { what: 'some looks', timeoutMs: 5_000, everyMs: 5 });
  await has(heard, '\n: \n\n');
  assert.equal(heard.text.includes('change'), false);
  marks['series'] = 'secret label';
  await has(heard, 'event: change\ndata: {"sequence":1,"kind":"series"}\n\n');
  marks['sessions'] = 'b';
  await has(heard, '{"sequence":2,"kind":"sessions"}');
  assert.equal(heard.text.includes('secret'), false, 'no label goes out');
  const second = await listen();
  await has(second.heard, '"sequence":2}');
});

test('changes: nobody listens, nothing is looked at; what cannot be looked at now is told later', async (t) => {
  const { marks, state, listen } = await rig(t);
  assert.equal(state.looks, 0);
  const { answer, heard } = await listen();
  await until(() => state.looks > 1, { what: 'a look', timeoutMs: 5_000, everyMs: 5 });
  state.broken = true;
  const before = state.looks;
  await until(() => state.looks > before + 2, { what: 'looks in vain', timeoutMs: 5_000, everyMs: 5 });
  marks['series'] = 'b';
  state.broken = false;
  await has(heard, '"kind":"series"');
  answer.destroy();
  let seen = -1;
  await until(() => seen === (seen = state.looks), {
    what: 'no look any more',
    timeoutMs: 5_000,
    everyMs: 50,
  });
});

test('changes: at most so many listen at the same time; who leaves makes room', async (t) => {
  const { listen } = await rig(t);
  const all = await Promise.all(Array.from({ length: 16 }, listen));
  const late = await listen();
  assert.equal(late.answer.statusCode, 503);
  all[0]?.answer.destroy();
  await until(async () => (await listen()).answer.statusCode === 200, {
    what: 'there is room',
    timeoutMs: 5_000,
    everyMs: 20,
  });
});
