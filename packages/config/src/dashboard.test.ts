import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfig, parseConfig } from './load.ts';
import { MINIMUM, mistakesOf } from './mistakes-kit.test.ts';

const GOOD = 'issuer: https://login.example.org, clientId: board, secretFile: s, roles: { it: [admins] }';

const parsed = (oidc: string) => parseConfig(`${MINIMUM}dashboard: { oidc: { ${oidc} } }`, 'f');

const mistakes = (oidc: string): string[] => mistakesOf(`dashboard: { oidc: { ${oidc} } }`);

test('dashboard: sign-in by OpenID Connect needs an issuer, a client and a group', () => {
  const result = parsed(GOOD);
  assert.ok(result.ok);
  const { scopes, groupsClaim, session, roles } = result.config.dashboard.oidc ?? {};
  assert.deepEqual(
    { scopes, groupsClaim, session, roles },
    {
      scopes: ['profile', 'email'],
      groupsClaim: 'groups',
      session: 12 * 3_600_000,
      roles: { it: ['admins'], operator: [], member: [] },
    },
  );
  assert.deepEqual(mistakes('issuer: https://login.example.org, clientId: board, secretFile: s'), [
    'dashboard.oidc.roles: needs a group: without any, nobody who signs in would see anything',
  ]);
});

test('dashboard: an issuer in the clear is one of this machine', () => {
  const issuer = (url: string) => mistakes(GOOD.replace('https://login.example.org', `'${url}'`));
  for (const url of ['http://127.0.0.1:9/a', 'http://localhost:9', 'http://[::1]:9'])
    assert.deepEqual(issuer(url), [], url);
  for (const url of ['http://login.example.org', 'http://127.0.0.1.example.org', 'http://10.0.0.1'])
    assert.match(issuer(url).join(''), /issuer: must begin with https/, url);
  for (const url of ['https://u:p@login.example.org', 'https://login.example.org?a', 'https://x.org/#a'])
    assert.match(issuer(url).join(''), /issuer: expected an address without/, url);
});

test('dashboard: a pattern of projects names the project', () => {
  assert.deepEqual(mistakes(`${GOOD}, projectPattern: '^mri-(?<project>\\d+)$'`), []);
  assert.match(mistakes(`${GOOD}, projectPattern: '^mri-(\\d+)$'`).join(''), /projectPattern: needs a named/);
});

test('dashboard: files are found beside the configuration', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-config-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'scanflow.yaml');
  const tls = 'tls: { key: tls/a.key, certificate: tls/a.pem }';
  await writeFile(file, `${MINIMUM}dashboard: { ${tls}, oidc: { ${GOOD}, tls: { ca: ca.pem } } }`);
  const loaded = await loadConfig(file);
  assert.ok(loaded.ok);
  const { tls: own, oidc } = loaded.config.dashboard;
  assert.deepEqual(own, { key: join(folder, 'tls/a.key'), certificate: join(folder, 'tls/a.pem') });
  assert.deepEqual([oidc?.secretFile, oidc?.tls], [join(folder, 's'), { ca: join(folder, 'ca.pem') }]);
});
