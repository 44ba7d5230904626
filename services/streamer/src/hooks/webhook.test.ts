import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { freePort } from '@scanflow/testkit';
import { retryAfterMs } from '../work/pace.ts';
import { callWebhook, type WebhookCall } from './run.ts';

const NOW = Temporal.Instant.from('2026-11-22T10:00:00Z').epochMilliseconds;
const never = (): AbortSignal => new AbortController().signal;

interface Got {
  readonly method: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A server that answers as told, and what it got. */
async function receiver(
  t: TestContext,
  answer: (response: ServerResponse) => void,
): Promise<{ call: WebhookCall; got: Got[] }> {
  const got: Got[] = [];
  const server = createServer((request, response) => {
    const parts: Uint8Array[] = [];
    request.on('data', (part: Uint8Array) => parts.push(part));
    request.on('end', () => {
      got.push({ method: request.method, headers: request.headers, body: Buffer.concat(parts).toString() });
      answer(response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/in`;
  const call = { url, secretFile: undefined, id: 'e1', event: 'stored', body: '{"ü":1}', timeoutMs: 60_000 };
  return { call, got };
}

test('webhook: the record comes as JSON, signed with its time', async (t) => {
  const { call, got } = await receiver(t, (response) => response.end('thanks'));
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-webhook-'));
  t.after(() => rm(folder, { recursive: true }));
  const secretFile = join(folder, 'key');
  await writeFile(secretFile, 'top secret\n');
  const outcome = await callWebhook({ ...call, secretFile }, NOW, never());
  assert.deepEqual(outcome, { kind: 'done', output: 'HTTP 200\nthanks' });
  const [{ method, headers, body } = assert.fail('nothing came')] = got;
  assert.deepEqual([method, headers['content-type'], body], ['POST', 'application/json', '{"ü":1}']);
  assert.deepEqual([headers['x-scanflow-event'], headers['x-scanflow-event-id']], ['stored', 'e1']);
  const expected = createHmac('sha256', 'top secret')
    .update(`${NOW / 1000}.{"ü":1}`)
    .digest('hex');
  assert.equal(headers['x-scanflow-signature'], `t=${NOW / 1000},v1=${expected}`);
});

test('webhook: without its key nothing is sent', async (t) => {
  const { call, got } = await receiver(t, (response) => response.end());
  const outcome = await callWebhook({ ...call, secretFile: '/no/such/key' }, NOW, never());
  assert.equal(outcome.kind === 'failed' ? outcome.failure.code : '', 'HOOK_SECRET');
  assert.equal(got.length, 0);
});

for (const [status, kind, code] of [
  [500, 'transient', 'HOOK_STATUS'],
  [503, 'transient', 'HOOK_STATUS'],
  [429, 'transient', 'HOOK_STATUS'],
  [408, 'transient', 'HOOK_STATUS'],
  [404, 'permanent', 'HOOK_REFUSED'],
  [401, 'permanent', 'HOOK_REFUSED'],
  [302, 'permanent', 'HOOK_REFUSED'],
] as const)
  test(`webhook: an answer of ${status} is ${kind}`, async (t) => {
    const { call, got } = await receiver(t, (response) =>
      response.writeHead(status, { location: '/elsewhere', 'retry-after': '120' }).end('why'),
    );
    const outcome = await callWebhook(call, NOW, never());
    assert.ok(outcome.kind === 'failed');
    assert.deepEqual([outcome.failure.kind, outcome.failure.code], [kind, code]);
    assert.equal(outcome.output, `HTTP ${status}\nwhy`);
    assert.equal(outcome.askedMs, kind === 'transient' ? 120_000 : undefined);
    assert.equal(got.length, 1, 'a redirect was followed');
  });

test('webhook: silence, a closed connection and an endless answer', async (t) => {
  const silent = await receiver(t, () => undefined);
  const slow = await callWebhook({ ...silent.call, timeoutMs: 200 }, NOW, never());
  assert.equal(slow.kind === 'failed' ? slow.failure.code : '', 'HOOK_TIMEOUT');
  const closing = await receiver(t, (response) => response.destroy());
  const cut = await callWebhook(closing.call, NOW, never());
  assert.equal(cut.kind === 'failed' ? cut.failure.code : '', 'HOOK_UNREACHABLE');
  const port = await freePort();
  const nobody = await callWebhook({ ...silent.call, url: `http://127.0.0.1:${port}/` }, NOW, never());
  assert.match(nobody.kind === 'failed' ? nobody.failure.message : '', /ECONNREFUSED/);
  const endless = await receiver(t, (response) => {
    const more = (): void => void response.write('x'.repeat(4096), (error) => error ?? more());
    more();
  });
  const long = await callWebhook(endless.call, NOW, never());
  assert.equal(long.kind, 'done');
});

test('webhook: when we are stopped it is to be told again', async (t) => {
  const stopping = new AbortController();
  const { call } = await receiver(t, () => stopping.abort());
  assert.deepEqual(await callWebhook(call, NOW, stopping.signal), { kind: 'interrupted' });
});

test('retry-after: seconds, moments, and what is neither', () => {
  assert.equal(retryAfterMs('30', NOW), 30_000);
  assert.equal(retryAfterMs('Sun, 22 Nov 2026 10:05:00 GMT', NOW), 300_000);
  assert.equal(retryAfterMs('Sun, 22 Nov 2026 09:00:00 GMT', NOW), 0);
  assert.equal(retryAfterMs('999999999', NOW), 86_400_000);
  for (const text of ['soon', '', '-1', 'Sun, 99 Nov 2026 10:05:00 GMT', null])
    assert.equal(retryAfterMs(text, NOW), undefined, String(text));
});
