import assert from 'node:assert/strict';
import { test } from 'node:test';
import fastify from 'fastify';
import { html } from '../page/html.ts';
import { send, sendMessage } from './request.ts';

test('send: who has the page already gets 304 alone; another page, or a message, is sent', async (t) => {
  const app = fastify();
  t.after(() => app.close());
  let text = 'Friday';
  app.get('/page', (_request, reply) => send(reply, { title: 'a', main: html`<h1>${text}</h1>` }));
  app.get('/none', (_request, reply) => sendMessage(reply, 404, 'Not found', 'x'));
  const page = await app.inject('/page');
  assert.match(page.body, /^<!doctype html>[^]*<main id="main"[^]*<h1>Friday<\/h1>[^]*<\/html>\n$/);
  const headers = { 'if-none-match': String(page.headers['etag']) };
  const again = await app.inject({ url: '/page', headers });
  assert.deepEqual([again.statusCode, again.body], [304, '']);
  text = 'Saturday';
  assert.equal((await app.inject({ url: '/page', headers })).statusCode, 200);
  const { statusCode, headers: sent } = await app.inject({ url: '/none', headers });
  assert.deepEqual([statusCode, sent['etag']], [404, undefined]);
});
