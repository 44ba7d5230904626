import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { ServerResponse } from 'node:http';
import type { Failure } from '@scanflow/failure';
import { httpServer } from '@scanflow/testkit';
import { createProvider } from './oidc.ts';

const REDIRECT = new URL('http://127.0.0.1:1/oidc/callback');
const WORD = 'w'.repeat(43);

/** The failure of a sign-in at an issuer that answers so. */
async function failureAt(t: TestContext, answer: (response: ServerResponse, issuer: string) => void) {
  let issuer = '';
  issuer = await httpServer(t, (_request, response) => answer(response, issuer));
  const failures: Failure[] = [];
  const provider = createProvider(
    {
      issuer,
      name: 'an account',
      clientId: 'board',
      secretFile: '/none',
      scopes: [],
      groupsClaim: 'groups',
      roles: { it: ['admins'], operator: [], member: [] },
      projects: {},
      session: 1,
    },
    { now: () => 0, onFailure: (failure) => failures.push(failure), timeoutS: 0.2 },
  );
  await assert.rejects(provider.begin(WORD, REDIRECT));
  assert.equal(failures.length, 1);
  const { kind, code, message = '' } = failures[0] ?? {};
  return { of: `${kind ?? ''} ${code ?? ''}`, message };
}

const json = (response: ServerResponse, body: object, status = 200): void =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

test('oidc: an issuer that is silent, fails, breaks off or never ends is away', async (t) => {
  const answers: Record<string, (response: ServerResponse) => void> = {
    silent: () => undefined,
    failing: (response) => json(response, {}, 503),
    broken: (response) => response.destroy(),
    trickling: (response) => void response.writeHead(200).write('{'),
    endless: (response) => void response.end(Buffer.alloc(1_100_000, 32)),
  };
  for (const [name, answer] of Object.entries(answers)) {
    const { of, message } = await failureAt(t, answer);
    assert.equal(of, 'transient ISSUER_AWAY', name);
    assert.match(message, /^127\.0\.0\.1:\d+ does not answer: /, name);
  }
});

test('oidc: an issuer that is another one, or no issuer, is of no use', async (t) => {
  const endpoints = (issuer: string) => ({
    authorization_endpoint: `${issuer}/a`,
    token_endpoint: `${issuer}/t`,
  });
  const answers: Record<string, (response: ServerResponse, issuer: string) => void> = {
    another: (response, issuer) => json(response, { issuer: 'https://evil.example', ...endpoints(issuer) }),
    none: (response) => json(response, { hello: 'world' }),
    missing: (response) => json(response, {}, 404),
    redirect: (response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    text: (response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
  };
  for (const [name, answer] of Object.entries(answers))
    assert.equal((await failureAt(t, answer)).of, 'permanent ISSUER_UNUSABLE', name);
});
