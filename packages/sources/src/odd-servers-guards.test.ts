/** What is told to servers with odd answers, and what they cannot have from us. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  answer,
  calendar,
  encoded,
  fetchFrom,
  outcomeOf,
  packed,
  refused,
  serve,
  size,
} from '@scanflow/testkit/odd-servers';

test('servers: a login that we do not know is named, and only then', async (t) => {
  const messageOf = async (...lines: string[]): Promise<string> => {
    const fetched = await fetchFrom(await serve(t, refused('401 U', ...lines)));
    return fetched.kind === 'failed' ? fetched.failure.message : '';
  };
  assert.match(
    await messageOf('WWW-Authenticate: Negotiate', 'WWW-Authenticate: NTLM'),
    /only Negotiate, NTLM logins/,
  );
  assert.match(await messageOf('WWW-Authenticate: Digest realm="Basic, x", nonce="y"'), /only Digest logins/);
  for (const other of ['Basic realm="x"', 'Digest realm="x", Basic realm="y"', 'Bearer', ''])
    assert.match(await messageOf(`WWW-Authenticate: ${other}`), /Give username and passwordFile/, other);
});

test('servers: a cookie goes to no other origin', async (t) => {
  const heads: string[] = [];
  const other = await serve(t, ({ head }) => (heads.push(head), answer([`Content-Length: ${size}`])));
  const first = await serve(
    t,
    refused('302 Found', 'Set-Cookie: a=1; Domain=127.0.0.1; Path=/', `Location: ${other}/x`),
  );
  assert.equal(outcomeOf(await fetchFrom(first)), 'calendar');
  assert.equal(heads.length, 1);
  assert.doesNotMatch(heads[0] ?? '', /^cookie:/im);
});

test('servers: a server that sets cookies without end gets a bounded number back', async (t) => {
  let sent = '';
  const many = Array.from(
    { length: 300 },
    (_, at) => `Set-Cookie: c${at}=${'x'.repeat(at === 0 ? 5000 : 50)}`,
  );
  const server = await serve(t, ({ path, head }) => {
    if (path === '/') return refused('302 Found', ...many, 'Location: /x');
    sent = /^Cookie: (.*)\r$/im.exec(head)?.[1] ?? '';
    return answer([`Content-Length: ${size}`]);
  });
  assert.equal(outcomeOf(await fetchFrom(server)), 'calendar');
  assert.equal(sent.split('; ').length, 50);
  assert.ok(!sent.includes('c0='));
});

test('servers: the password goes with the second request too, and to nobody else', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-servers-'));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(`${folder}/token`, 'sesame\n');
  const heads: string[] = [];
  const url = await serve(
    t,
    ({ head }) => (
      heads.push(head),
      answer(['Content-Type: text/calendar', 'Connection: close'], calendar, '200 OK', '\n')
    ),
  );
  const fetching = fetchFrom(url, { tokenFile: `${folder}/token`, timeoutMs: 1_000 });
  assert.equal((await fetching).kind, 'failed', 'a body without an end');
  assert.ok(heads.length === 2 && heads.every((head) => /^authorization: Bearer sesame\r$/im.test(head)));
});

test('servers: a redirect to another kind of address is not followed by the lenient request either', async (t) => {
  const url = await serve(
    t,
    answer(['Location: http://169.254.169.254/latest'], Buffer.alloc(0), '302 Found', '\n'),
  );
  assert.equal(outcomeOf(await fetchFrom(url)), 'FETCH_INWARD');
});

test('servers: IPv6', async (t) => {
  const url = await serve(t, answer([]), '::1').catch(() => undefined);
  if (url === undefined) t.skip('this machine has no IPv6');
  else assert.equal(outcomeOf(await fetchFrom(url)), 'calendar');
});

test('servers: a body that comes byte by byte is read', async (t) => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    const drip = async (): Promise<void> => {
      for (const byte of encoded('gzip', packed))
        if (!socket.write(Uint8Array.of(byte))) await once(socket, 'drain');
      socket.end();
    };
    socket.once('data', () => void drip());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  assert.equal(outcomeOf(await fetchFrom(`http://127.0.0.1:${port}`)), 'calendar');
});
