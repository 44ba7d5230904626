import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { headersOf, openToken, tokenFileOf } from './api-token.ts';
import { createLog } from './log.ts';

async function place(t: TestContext) {
  const data = await mkdtemp(join(tmpdir(), 'scanflow-token-'));
  t.after(() => rm(data, { recursive: true }));
  let said = '';
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      said += chunk.toString();
      done();
    },
  });
  const config = { data, http: {} };
  return { config, file: tokenFileOf(config), log: createLog({ service: 'test', stream }), said: () => said };
}

test('token: the first service makes it, for user and group; all others and the command read the same', async (t) => {
  const { config, file, log } = await place(t);
  const all = await Promise.all(Array.from({ length: 6 }, () => openToken(file, log)));
  const { authorization } = await headersOf(tokenFileOf(config));
  assert.match(authorization, /^Bearer [A-Za-z0-9_-]{43}$/);
  for (const admits of all) assert.equal(await admits(authorization), true);
  assert.equal((await stat(file)).mode & 0o777, 0o440);
  assert.equal((await stat(join(config.data, 'token'))).mode & 0o777, 0o750);
});

test('token: nothing else is admitted', async (t) => {
  const { file, log } = await place(t);
  const admits = await openToken(file, log);
  const token = (await readFile(file, 'utf8')).trim();
  for (const given of [
    undefined,
    '',
    token,
    `Basic ${token}`,
    `Bearer ${token}x`,
    `Bearer ${token.slice(1)}`,
    'Bearer ',
  ])
    assert.equal(await admits(given), false, String(given));
});

test('token: another one counts at once', async (t) => {
  const { file, log } = await place(t);
  const admits = await openToken(file, log);
  await chmod(file, 0o600);
  await writeFile(file, 'another\n');
  assert.equal(await admits('Bearer another'), true);
  await writeFile(file, '');
  assert.equal(await admits('Bearer '), false, 'an empty file admits nobody');
});

test('token: where it cannot be made the service runs, its pages stay closed, and both sides say what to do', async (t) => {
  const { config, log, said } = await place(t);
  await writeFile(join(config.data, 'no-folder'), '');
  const file = join(config.data, 'no-folder', 'http-token');
  const admits = await openToken(file, log);
  assert.equal(await admits('Bearer x'), false);
  assert.match(said(), /stay closed.*scanflow secrets init/);
  await assert.rejects(
    headersOf(tokenFileOf({ ...config, http: { tokenFile: file } })),
    /http-token.*A service makes it/,
  );
});
