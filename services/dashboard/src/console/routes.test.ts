import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { iso, rig, TLS } from '../web/board-kit.test.ts';

test('console: a link leaves the address by a redirect, and its cookie opens that console alone', async (t) => {
  const { get, linkOf, store } = await rig(t);
  const link = await linkOf('prisma');
  const first = await get(link);
  assert.deepEqual([first.statusCode, first.headers.location], [303, '/console/prisma']);
  const set = String(first.headers['set-cookie']);
  assert.match(
    set,
    /^__Host-scanflow-console-prisma=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+; Secure$/,
  );
  const cookie = set.split(';')[0] ?? '';
  assert.equal((await get('/console/prisma', { cookie })).statusCode, 200);
  for (const path of ['/console/prisma', '/console/prisma/events', '/console/none', `${link}x`])
    assert.equal((await get(path)).statusCode, 404, path);
  for (const path of ['/console/skyra', '/console/skyra/events', '/console/none'])
    assert.equal((await get(path, { cookie })).statusCode, 404, path);
  // neither under its own name nor as the cookie of a person
  const asPerson = cookie.replace('-console-prisma', '');
  for (const path of ['/', '/day/2026-11-28', '/session/A1', '/series', '/bookings', '/health', '/walk-in'])
    for (const given of [cookie, asPerson])
      assert.match(String((await get(path, { cookie: given })).headers.location), /^\/sign-in/, path);
  for (const given of [cookie, asPerson])
    assert.equal((await get('/events', { cookie: given })).statusCode, 401);
  const entries = (await store.audited(10)).map(({ what, subject, result }) => [what, subject, result]);
  assert.deepEqual(entries, [
    ['open console', 'prisma', 'done'],
    ['link console', 'prisma', 'done'],
  ]);
  assert.equal(JSON.stringify(await store.audited(10)).includes(link.split('/').at(-1) ?? ''), false);
});

test('console: it shows its scanner and labels as text; no title, no booker, and nothing of another scanner', async (t) => {
  const { get, opened } = await rig(t);
  const { body } = await get('/console/prisma', { cookie: await opened('prisma') });
  const main = body.slice(body.indexOf('<main'));
  assert.match(main, /Last query/);
  assert.match(main, /7 items/);
  assert.match(main, /not begun, 10 min late/);
  assert.match(main, /1 rejected/);
  assert.match(main, /&quot;&gt;&lt;img src=x onerror=alert\(1\)&gt;/);
  assert.match(main, /&lt;img src=x&gt;/);
  assert.doesNotMatch(main, /<img|<form|<button|<a |<input/);
  assert.doesNotMatch(body, /Anna Smith|Jane Doe|sub-of-skyra/);
});

test('console: of several worklists and receivers, the one counts that the scanner called last', async (t) => {
  const asked = (minutes: number, items: number) => ({
    scanners: [
      { scanner: 'skyra', lastQuery: { at: iso(-1), items: 99 } },
      { scanner: 'prisma', lastQuery: { at: iso(minutes), items } },
    ],
  });
  const { get, opened } = await rig(t, undefined, {
    '/api/board/scanners': [asked(-50, 41), asked(-4, 42), { scanners: [{ scanner: 'prisma' }] }],
    '/api/senders': [{ lastImages: [{ scanner: 'prisma', at: iso(-5) }] }, { lastImages: [] }],
  });
  const { body } = await get('/console/prisma', { cookie: await opened('prisma') });
  assert.match(body, /42 items/);
  assert.doesNotMatch(body, /41 items|99 items/);
  assert.match(body, /Last image[^<]*<[^]*?5 min ago/);
});

test('console: a cookie is renewed by a page; revoked, the page is gone and the events end', async (t) => {
  const { app, get, opened, clock, internal, followers } = await rig(t);
  const cookie = await opened('prisma');
  assert.equal((await get('/console/prisma', { cookie })).headers['set-cookie'], undefined);
  clock.now += 3_600_000;
  const renewed =
    String((await get('/console/prisma', { cookie })).headers['set-cookie']).split(';')[0] ?? '';
  assert.match(renewed, /^__Host-scanflow-console-prisma=/);
  assert.notEqual(renewed, cookie);
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  const asked = request(`${url}/console/prisma/events`, { headers: { ...TLS, cookie: renewed } }).end();
  const [stream] = (await once(asked, 'response')) as [IncomingMessage];
  const heard: string[] = [];
  stream.on('data', (chunk: Buffer) => heard.push(chunk.toString()));
  await once(stream, 'data');
  for (const changed of followers) changed();
  await once(stream, 'data');
  asked.destroy();
  assert.match(heard.join(''), /^retry: 3000\n\n(?:event: changed\ndata:\n\n)+$/);
  const revoked = await internal.inject({ method: 'POST', url: '/api/consoles/prisma/revoke' });
  assert.equal(revoked.statusCode, 200);
  for (const path of ['/console/prisma', '/console/prisma/events'])
    assert.equal((await get(path, { cookie: renewed })).statusCode, 404);
  assert.equal(
    (await internal.inject({ method: 'POST', url: '/api/consoles/prisma/revoke' })).statusCode,
    404,
  );
  assert.equal((await internal.inject({ method: 'POST', url: '/api/consoles/none/link' })).statusCode, 404);
});

test('console: it can change nothing, by any method and any path', async (t) => {
  const { app, opened, posts } = await rig(t);
  const cookie = await opened('prisma');
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const)
    for (const url of [
      '/console/prisma',
      '/console/prisma/events',
      '/walk-in',
      '/series/s1/retry',
      '/sign-out',
    ]) {
      const { statusCode, headers } = await app.inject({
        method,
        url,
        headers: { ...TLS, cookie, 'sec-fetch-site': 'same-origin' },
      });
      assert.ok([303, 404].includes(statusCode), `${method} ${url}: ${statusCode}`);
      assert.doesNotMatch(String(headers['set-cookie'] ?? ''), /console/);
    }
  assert.deepEqual(posts, []);
});
