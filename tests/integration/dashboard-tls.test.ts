/** The board with TLS of its own, for other machines: by its name, with its certificate, and in no other way. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeAuthority } from '@scanflow/testkit';
import { PASSWORD, startBoardAlone } from './dashboard-support.ts';

const HOST = 'board.example.org';

test('the board with TLS of its own: people sign in over it, with a cookie for TLS alone', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-dashboard-tls-'));
  t.after(() => rm(folder, { recursive: true }));
  const authority = await makeAuthority(folder, 'authority');
  const tls = await authority.issue('board');
  const board = await startBoardAlone(t, { dashboard: { hosts: [HOST], tls } });
  const { port } = new URL(board.url);
  const ca = await readFile(authority.certificate, 'utf8');
  const ask = async (path: string, host: string, form?: Record<string, string>): Promise<IncomingMessage> => {
    const asked = request({
      ...{ host: '127.0.0.1', port, path, ca, servername: HOST, method: form ? 'POST' : 'GET' },
      headers: {
        host: `${host}:${port}`,
        'sec-fetch-site': 'same-origin',
        ...(form && { 'content-type': 'application/x-www-form-urlencoded' }),
      },
    });
    asked.end(form && new URLSearchParams(form).toString());
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    return answer.resume();
  };
  assert.equal((await ask('/sign-in', HOST)).statusCode, 200);
  assert.equal((await ask('/sign-in', 'other.example.org')).statusCode, 403);

  const link = new URL(String((await board.api('/api/users', { name: 'gwen', role: 'it' }))['link']));
  assert.equal(link.origin, `https://${HOST}:${port}`);
  const answer = await ask(`${link.pathname}${link.search}`, HOST, { password: PASSWORD });
  assert.match(
    String(answer.headers['set-cookie']),
    /^__Host-scanflow=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure$/,
  );

  await assert.rejects(fetch(`http://127.0.0.1:${port}/sign-in`), 'plain HTTP');
});
