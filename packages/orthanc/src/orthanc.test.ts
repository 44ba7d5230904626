import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { test, type TestContext } from 'node:test';
import { httpServer } from '@scanflow/testkit';
import { createOrthanc } from './orthanc.ts';

const ID = '2f859814-2cf8fe4f-c7963e7d-d32c018d-66fc8cfa';
const never = new AbortController().signal;

type Client = ReturnType<typeof createOrthanc>;
type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A client of an Orthanc whose answers are scripted. */
async function scripted(t: TestContext, answer: Answer, idleMs = 2_000): Promise<Client> {
  const url = await httpServer(t, answer);
  const client = createOrthanc({ url, username: 'u', password: 'p', idleMs });
  t.after(() => client.close());
  return client;
}

async function read(client: Client): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of (await client.open({ id: ID }, never)).chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

test('orthanc: asks for plain bytes, with its user', async (t) => {
  let headers: IncomingMessage['headers'] = {};
  const client = await scripted(t, (request, response) => {
    ({ headers } = request);
    response.end('{"Version":"1.12.7","DatabaseServerIdentifier":"db","MaximumPatientCount":0}');
  });
  const system = { version: '1.12.7', database: 'db', recycling: undefined, ordered: false };
  assert.deepEqual(await client.system(never), system);
  assert.equal(headers['accept-encoding'], 'identity');
  assert.equal(headers.authorization, `Basic ${Buffer.from('u:p').toString('base64')}`);
});

test('orthanc: recycling is noticed, rejecting is not recycling', async (t) => {
  let mode = '';
  const client = await scripted(t, (_request, response) =>
    response.end(`{"Version":"1.12.7","MaximumStorageSize":"100","MaximumPatientCount":3,${mode}"x":1}`),
  );
  assert.equal((await client.system(never)).recycling, 'MaximumStorageSize 100, MaximumPatientCount 3');
  mode = '"MaximumStorageMode":"Reject",';
  assert.equal((await client.system(never)).recycling, undefined);
});

test('orthanc: two of one database say the same; its own SQLite alone has its changes in order', async (t) => {
  let system: Record<string, unknown> = {};
  const client = await scripted(t, (_request, response) =>
    response.end(JSON.stringify({ Version: '1.12.7', ...system })),
  );
  const seen = async (over: Record<string, unknown>): Promise<unknown[]> => {
    system = over;
    const { database, ordered } = await client.system(never);
    return [database, ordered];
  };
  const plugin = { DatabaseBackendPlugin: '/usr/lib/orthanc/libOrthancPostgreSQLIndex.so' };
  assert.deepEqual(await seen({ ...plugin, DatabaseServerIdentifier: '73-16@a' }), ['73-16', false]);
  assert.deepEqual(await seen({ ...plugin, DatabaseServerIdentifier: '73-16@b' }), ['73-16', false]);
  assert.deepEqual(await seen({ ...plugin, DatabaseServerIdentifier: '73-16' }), ['73-16', false]);
  assert.deepEqual(await seen({ DatabaseServerIdentifier: '@x', DatabaseBackendPlugin: null }), ['@x', true]);
});

test('orthanc: length and MD5 come before the bytes', async (t) => {
  const client = await scripted(t, (_request, response) => {
    response.setHeader('etag', '"0-d95c81ab3b75e66996ff85b26cd9a6ec"');
    response.setHeader('content-length', '5');
    response.end('bytes');
  });
  const body = await client.open({ id: ID }, never);
  assert.equal(body.bytes, 5);
  assert.equal(body.md5, 'd95c81ab3b75e66996ff85b26cd9a6ec');
});

test('orthanc: the MD5 of nothing, which it records for 2 GiB and more, is no MD5', async (t) => {
  const client = await scripted(t, (_request, response) => {
    response.setHeader('etag', '"0-d41d8cd98f00b204e9800998ecf8427e"');
    response.setHeader('content-length', '5');
    response.end('bytes');
  });
  const body = await client.open({ id: ID }, never);
  assert.equal(body.bytes, 5);
  assert.equal(body.md5, undefined);
});

test('orthanc: bytes that end too early are a failure', async (t) => {
  const client = await scripted(t, (_request, response) => {
    response.setHeader('content-length', '10');
    response.write('bytes');
    response.destroy();
  });
  await assert.rejects(read(client), { code: 'ORTHANC_UNREACHABLE', kind: 'transient' });
});

test('orthanc: an instance without its length is not taken', async (t) => {
  const client = await scripted(t, (_request, response) => {
    response.write('bytes');
    response.end();
  });
  await assert.rejects(read(client), { code: 'ORTHANC_UNCLEAR' });
});

test('orthanc: what its status says', async (t) => {
  let status = 0;
  const client = await scripted(t, (_request, response) => response.writeHead(status).end('{}'));
  const cases: readonly (readonly [number, string, string])[] = [
    [401, 'ORTHANC_DENIED', 'transient'],
    [403, 'ORTHANC_DENIED', 'transient'],
    [404, 'ORTHANC_GONE', 'permanent'],
    [500, 'ORTHANC_ERROR', 'transient'],
    [503, 'ORTHANC_ERROR', 'transient'],
  ];
  for (const [given, code, kind] of cases) {
    status = given;
    await assert.rejects(client.system(never), { code, kind });
  }
});

test('orthanc: silence on an open connection ends', async (t) => {
  const client = await scripted(t, () => undefined, 100);
  await assert.rejects(client.system(never), { code: 'ORTHANC_STALLED', kind: 'transient' });
});

test('orthanc: silence in the midst of the bytes ends', async (t) => {
  const answer: Answer = (_request, response) => {
    response.setHeader('content-length', '10');
    response.write('bytes');
  };
  const client = await scripted(t, answer, 100);
  await assert.rejects(read(client), { code: 'ORTHANC_STALLED', kind: 'transient' });
});

test('orthanc: a kept connection that is closed under a request is no failure', async (t) => {
  let requests = 0;
  const client = await scripted(t, (request, response) => {
    requests += 1;
    // every second request finds its connection closed
    if (requests % 2 === 0) request.socket.destroy();
    else response.end('{"Version":"x"}');
  });
  for (let round = 0; round < 5; round += 1) assert.equal((await client.system(never)).version, 'x');
});

test('orthanc: nobody there, and a stranger there', async (t) => {
  const client = createOrthanc({ url: 'http://127.0.0.1:1' });
  await assert.rejects(client.system(never), { code: 'ORTHANC_UNREACHABLE', kind: 'transient' });
  const stranger = await scripted(t, (_request, response) => response.end('<html>'));
  await assert.rejects(stranger.changes(0, 10, never), { code: 'ORTHANC_UNCLEAR', kind: 'transient' });
});

test('orthanc: an identifier of another form never becomes a path', async (t) => {
  const asked: string[] = [];
  const client = await scripted(t, (request, response) => {
    asked.push(request.url ?? '');
    response.end('{}');
  });
  await assert.rejects(client.open({ id: '../../system' }, never), { code: 'ORTHANC_UNCLEAR' });
  assert.deepEqual(asked, []);
});

test('orthanc: an abort ends the bytes', async (t) => {
  const client = await scripted(t, (_request, response) => {
    response.setHeader('content-length', '10');
    response.write('bytes');
  });
  const stopping = new AbortController();
  const body = await client.open({ id: ID }, stopping.signal);
  const reading = (async () => {
    for await (const _chunk of body.chunks) stopping.abort();
  })();
  await assert.rejects(reading);
});
