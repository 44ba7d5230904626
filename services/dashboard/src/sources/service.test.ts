import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { serviceAt } from './service.ts';

test('ask: the token goes along; an answer that is no JSON, refused, redirected or endless is SERVICE_AWAY', async (t) => {
  const server = createServer((request, response) => {
    if (request.url === '/json') response.end(JSON.stringify({ token: request.headers.authorization }));
    else if (request.url === '/html') response.end('<html>');
    else if (request.url === '/moved') response.writeHead(302, { location: '/json' }).end();
    else if (request.url === '/large') {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(1 << 20, 32)));
      };
      response.on('drain', more).on('error', () => undefined);
      more();
    } else response.writeHead(401).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const { ask } = serviceAt(`http://127.0.0.1:${port}`, () =>
    Promise.resolve({ authorization: 'Bearer word' }),
  );
  assert.deepEqual(await ask('/json'), { token: 'Bearer word' });
  for (const path of ['/html', '/moved', '/large', '/refused'])
    await assert.rejects(
      ask(path),
      (error) => (error as { failure?: { code: string } }).failure?.code === 'SERVICE_AWAY',
      path,
    );
});

test('ask: the token is read once, and anew where the service refuses the one of before', async (t) => {
  const words: (string | undefined)[] = [];
  let right = 'Bearer first';
  const server = createServer((request, response) => {
    words.push(request.headers.authorization);
    response.writeHead(request.headers.authorization === right ? 200 : 401).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  let [reads, file] = [0, 'Bearer first'];
  const { ask, post } = serviceAt(`http://127.0.0.1:${port}`, () => {
    reads += 1;
    return Promise.resolve({ authorization: file });
  });
  await ask('/a');
  await ask('/b');
  assert.equal(reads, 1);
  file = right = 'Bearer second';
  assert.equal((await post('/c', {})).status, 200);
  assert.equal(reads, 2);
  right = 'Bearer third';
  await assert.rejects(ask('/d'), /answered 401/);
  assert.deepEqual(
    words,
    ['first', 'first', 'first', 'second', 'second', 'second'].map((word) => `Bearer ${word}`),
    'a refusal is asked anew once',
  );
});

test('askEach: each address of a name is asked; one that is away is left out, and nobody at all is an error', async (t) => {
  const serve = async (address: string, at: number): Promise<Server> => {
    const server = createServer((_, response) => response.end(JSON.stringify({ address })));
    await new Promise<void>((resolve) => server.listen(at, address, resolve));
    t.after(() => server.close());
    return server;
  };
  const end = async (server: Server): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const one = await serve('127.0.0.1', 0);
  const { port } = one.address() as AddressInfo;
  const other = await serve('127.0.0.2', port);
  const addressesOf = (): Promise<string[]> => Promise.resolve(['127.0.0.1', '127.0.0.2']);
  const { askEach } = serviceAt(`http://receiver:${port}`, () => Promise.resolve({}), addressesOf);
  assert.deepEqual(await askEach('/a'), [{ address: '127.0.0.1' }, { address: '127.0.0.2' }]);
  await end(one);
  assert.deepEqual(await askEach('/a'), [{ address: '127.0.0.2' }]);
  await end(other);
  await assert.rejects(askEach('/a'), /receiver.* does not answer/);
  const alone = serviceAt(`http://127.0.0.1:${port}`, () => Promise.resolve({}));
  await serve('127.0.0.1', port);
  assert.deepEqual(await alone.askEach('/a'), [{ address: '127.0.0.1' }]);
});
