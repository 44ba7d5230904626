/** No server can be used: which of their errors a person reads, and that no server is waited for without a limit. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { FailureError } from '@scanflow/failure';
import { openPostgres } from './postgres.ts';

/** A message of PostgreSQL's protocol (53.7): its type, its length and its content. */
function message(type: string, ...content: (string | number[])[]): Buffer {
  const body = Buffer.concat(content.map((part) => Buffer.from(part as string)));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(type), length, body]);
}
const READY = message('Z', 'I');
const ADMITTED = Buffer.concat([message('R', [0, 0, 0, 0]), READY]);
const DENIED = message('E', 'SFATAL\0', 'C28P01\0', 'Mno\0', '\0');
/** `SHOW transaction_read_only`: one column of text, one row. */
const ON = Buffer.concat([
  message('T', [0, 1], 'x\0', [0, 0, 0, 0, 0, 0, 0, 0, 0, 25, 255, 255, 255, 255, 255, 255, 0, 0]),
  message('D', [0, 1, 0, 0, 0, 2], 'on'),
  message('C', 'SHOW\0'),
  READY,
]);

/** A server that gives these answers, one to each piece that it gets. It closes a connection only after it denied one. */
async function answering(t: TestContext, ...answers: Buffer[]): Promise<string> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    t.after(() => socket.destroy());
    const left = [...answers];
    socket.on('error', () => undefined);
    socket.on('data', () => {
      const next = left.shift();
      if (next !== undefined) socket.write(next);
      if (next === DENIED) socket.end();
    });
  }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  return `postgresql://u@127.0.0.1:${(server.address() as AddressInfo).port}/d`;
}

async function codeWith(t: TestContext, ...url: string[]): Promise<[string, string]> {
  const database = openPostgres(
    { url, connectMs: 5_000 },
    {
      holds: 'the ledger',
      user: 'the streamer',
      section: 'ledger',
      application: 'test',
      migrations: [],
      versionTable: 'version',
      migrationLock: 1,
      tooNew: () => new FailureError({ kind: 'permanent', code: 'LEDGER_TOO_NEW', message: '' }),
    },
  );
  t.after(() => database.close());
  const error = await database.read(() => Promise.resolve()).catch((reason: unknown) => reason);
  assert.ok(error instanceof FailureError);
  return [error.code, error.message];
}

test(
  'servers: what one of them refuses has more to say than another one that is a replica, or away',
  { timeout: 10_000 },
  async (t) => {
    const [replica, denied] = [await answering(t, ADMITTED, ON), await answering(t, DENIED)];
    const away = 'postgresql://u@127.0.0.1:1/d';
    assert.match((await codeWith(t, away, replica)).join(' '), /LEDGER_UNREACHABLE .* it is a replica/);
    assert.match((await codeWith(t, away)).join(' '), /LEDGER_UNREACHABLE .* does not answer/);
    for (const urls of [
      [replica, denied, away],
      [away, denied, replica],
    ])
      assert.equal((await codeWith(t, ...urls))[0], 'LEDGER_DENIED', urls.join());
  },
);

test(
  'servers: a replica that does not close its connection holds nobody up',
  { timeout: 10_000 },
  async (t) => {
    const [code] = await codeWith(t, await answering(t, ADMITTED, ON));
    assert.equal(code, 'LEDGER_UNREACHABLE');
  },
);
