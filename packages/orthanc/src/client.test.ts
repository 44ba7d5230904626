import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { httpServer } from '@scanflow/testkit';
import { collected, orthancClient, type OrthancClient } from './client.ts';
import type { OrthancAccess } from './line.ts';

const never = new AbortController().signal;

async function clientOf(
  t: TestContext,
  answer: Parameters<typeof httpServer>[1],
  access: Partial<OrthancAccess> = {},
): Promise<OrthancClient> {
  const client = orthancClient({ url: await httpServer(t, answer), ...access });
  t.after(() => client.close());
  return client;
}

async function* pieces(count: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < count; at += 1) yield await Promise.resolve(Buffer.alloc(65_536, at));
}

test('orthanc client: the address that people see holds no password, paths go below it', async (t) => {
  let asked = '';
  const client = await clientOf(t, (request, response) => {
    asked = request.url ?? '';
    response.end('[]');
  });
  const { port } = new URL(client.url);
  const below = orthancClient({ url: `http://u:secret@127.0.0.1:${port}/orthanc` });
  t.after(() => below.close());
  assert.equal(below.url, `http://127.0.0.1:${port}/orthanc`);
  assert.deepEqual(await below.json('/modalities', never), []);
  assert.equal(asked, '/orthanc/modalities');
});

test('orthanc client: an upload goes out with its length, piece by piece, byte for byte', async (t) => {
  const got: Buffer[] = [];
  let headers: IncomingMessage['headers'] = {};
  const client = await clientOf(t, (request, response) => {
    ({ headers } = request);
    request.on('data', (part: Buffer) => got.push(part)).on('end', () => response.end('{}'));
  });
  const body = { bytes: 40 * 65_536, content: () => pieces(40) };
  const given = await client.exchange('/instances', { method: 'POST', body });
  assert.ok(given.answered);
  await given.sent;
  assert.equal(headers['content-length'], String(body.bytes));
  assert.equal(headers['transfer-encoding'], undefined);
  const sent: Uint8Array[] = [];
  for await (const piece of pieces(40)) sent.push(piece);
  assert.ok(Buffer.concat(got).equals(Buffer.concat(sent)));
});

test('orthanc client: an exchange gives any status, and says whether Orthanc took the connection', async (t) => {
  const client = await clientOf(t, (request, response) => {
    if (request.url === '/broken') request.socket.destroy();
    else response.writeHead(409).end('taken');
  });
  const refused = await client.exchange('/instances', { method: 'PUT', body: 'x' });
  assert.ok(refused.answered);
  assert.equal(refused.response.statusCode, 409);
  assert.equal(await textOf(refused.response), 'taken');
  const fresh = orthancClient({ url: client.url });
  t.after(() => fresh.close());
  const broken = await fresh.exchange('/broken');
  assert.ok(!broken.answered && broken.connected);
  const nobody = orthancClient({ url: 'http://127.0.0.1:1' });
  const away = await nobody.exchange('/');
  assert.ok(!away.answered && !away.connected);
});

test('orthanc client: many requests on one kept connection leave nothing on it', async (t) => {
  const connections = new Set<unknown>();
  const client = await clientOf(t, (request, response) => {
    connections.add(request.socket);
    response.end('{}');
  });
  const warnings: string[] = [];
  const warned = ({ message }: Error): void => void warnings.push(message);
  process.on('warning', warned);
  t.after(() => process.off('warning', warned));
  for (let count = 0; count < 30; count += 1) assert.deepEqual(await client.json('/x', never), {});
  // a warning comes on the next turn of the loop
  await new Promise(setImmediate);
  assert.equal(connections.size, 1);
  assert.deepEqual(warnings, []);
});

test('orthanc client: an upload that cannot be read is no answer, and names its reason', async (t) => {
  const client = await clientOf(t, (request) => void request.resume());
  const content = async function* (): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(Buffer.alloc(10));
    throw new Error('the disk is gone');
  };
  const given = await client.exchange('/instances', { method: 'POST', body: { bytes: 20, content } });
  assert.ok(!given.answered);
  assert.match(String(given.error), /the disk is gone/);
});

test('orthanc client: an answer that is longer than its limit is not read on', async (t) => {
  const client = await clientOf(t, (_request, response) => response.end(Buffer.alloc(100_000)));
  const response = await client.get('/file', never);
  await assert.rejects(collected(response, { url: client.url, most: 1_000 }), {
    code: 'ORTHANC_UNCLEAR',
    message: /over 1000 bytes/,
  });
});

test('orthanc client: a failure names address and reason, not the password', async () => {
  const client = orthancClient({ url: 'http://u:secret@127.0.0.1:1', username: 'u', password: 'secret' });
  await assert.rejects(client.text('/tools/now', never), {
    code: 'ORTHANC_UNREACHABLE',
    message:
      'Orthanc does not answer at http://127.0.0.1:1 (ECONNREFUSED). Check that it runs, and its address.',
  });
});

test('orthanc client: an abort is an abort, not a failure of Orthanc', async (t) => {
  const stopping = new AbortController();
  const client = await clientOf(t, () => stopping.abort(new Error('stopped by SIGINT')));
  await assert.rejects(client.json('/system', stopping.signal), { name: 'AbortError' });
});

/** A client of two servers that answer so; an address where nobody listens if undefined. */
async function two(
  t: TestContext,
  ...answers: readonly (Parameters<typeof httpServer>[1] | undefined)[]
): Promise<{ client: OrthancClient; urls: string[] }> {
  const urls = await Promise.all(
    answers.map(async (answer) =>
      answer === undefined ? 'http://127.0.0.1:1' : await httpServer(t, answer),
    ),
  );
  const client = orthancClient({ url: urls, idleMs: 1_000 });
  t.after(() => client.close());
  return { client, urls };
}

test('orthanc client: of several addresses it stays with one that answers', async (t) => {
  let alive = true;
  const asked: string[] = [];
  const { client, urls } = await two(
    t,
    (request, response) => {
      asked.push('first');
      if (alive) response.end('{}');
      else request.socket.destroy();
    },
    (_request, response) => {
      asked.push('second');
      response.end('{}');
    },
  );
  for (let count = 0; count < 2; count += 1) await client.json('/x', never);
  assert.equal(client.url, urls[0]);
  alive = false;
  await client.json('/x', never);
  assert.equal(client.url, urls[1]);
  alive = true;
  await client.json('/x', never);
  assert.deepEqual(
    asked.filter((one, index) => one !== asked[index - 1]),
    ['first', 'second'],
  );
});

test('orthanc client: an upload that is cut goes to the other address, whole', async (t) => {
  const got: Buffer[] = [];
  const { client } = await two(
    t,
    (request) => request.once('data', () => request.socket.destroy()),
    (request, response) => {
      request.on('data', (part: Buffer) => got.push(part)).on('end', () => response.end('{}'));
    },
  );
  const body = { bytes: 40 * 65_536, content: () => pieces(40) };
  const given = await client.exchange('/instances', { method: 'POST', body });
  assert.ok(given.answered);
  assert.equal(Buffer.concat(got).length, body.bytes);
});

test('orthanc client: one that has lost its database is passed over, unless all have', async (t) => {
  let well = true;
  const { client, urls } = await two(
    t,
    (request, response) => response.writeHead(request.method === 'GET' ? 500 : 409).end(),
    (_request, response) => response.writeHead(well ? 200 : 503).end('{}'),
  );
  // what it said to an order is an answer
  const refused = await client.exchange('/x', { method: 'PUT', body: '' });
  assert.ok(refused.answered && refused.response.statusCode === 409);
  refused.response.resume();
  assert.deepEqual(await client.json('/x', never), {});
  assert.equal(client.url, urls[1]);
  well = false;
  await assert.rejects(client.json('/x', never), { code: 'ORTHANC_ERROR', message: /503/ });
});

test('orthanc client: an image that one cannot store goes to the other', async (t) => {
  const { client, urls } = await two(
    t,
    (request, response) => request.resume().once('end', () => response.writeHead(500).end('{}')),
    (request, response) => request.resume().once('end', () => response.end('{"Status":"Success"}')),
  );
  const given = await client.exchange('/instances', { method: 'POST', body: 'an image' });
  assert.ok(given.answered);
  given.response.resume();
  assert.deepEqual([given.response.statusCode, client.url], [200, urls[1]]);
});

test('orthanc client: a failure names all addresses; a look at each says which answers, and prefers it', async (t) => {
  const nobody = await two(t, undefined, undefined);
  await assert.rejects(nobody.client.json('/x', never), {
    code: 'ORTHANC_UNREACHABLE',
    message: /at http:\/\/127\.0\.0\.1:1 or http:\/\/127\.0\.0\.1:1 \(ECONNREFUSED\)/,
  });
  // it takes connections and says nothing
  const { client, urls } = await two(
    t,
    () => undefined,
    (_request, response) => response.end('{"Version":"1"}'),
  );
  const [first, second] = await client.survey(never);
  assert.deepEqual([first?.url, first?.failure?.code], [urls[0], 'ORTHANC_STALLED']);
  assert.deepEqual(second, { url: urls[1], system: { Version: '1' } });
  assert.equal(client.url, urls[1]);
  const alone = await clientOf(t, () => assert.fail('it was asked'));
  assert.deepEqual(await alone.survey(never), []);
});
