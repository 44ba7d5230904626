/** Signing in to the day board by OpenID Connect, against oidc-provider: roles, refusals, and a provider that is away. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { PASSWORD, startBoardAlone, Visitor, type Dashboard, type Shown } from './dashboard-support.ts';
import { CLIENT, makeProvider, type TestProvider } from './identity-provider.ts';

const isCallback = (url: string): boolean => url.includes('/oidc/callback');

suite('the day board and an identity provider', () => {
  const endings: (() => unknown)[] = [];
  let provider: TestProvider;
  let board: Dashboard;
  let secretFile: string;

  before(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'scanflow-oidc-'));
    endings.push(() => rm(folder, { recursive: true }));
    secretFile = join(folder, 'secret');
    await writeFile(secretFile, `${CLIENT.secret}\n`);
    provider = await makeProvider();
    endings.push(() => provider.stop());
    const oidc = {
      issuer: provider.issuer,
      name: 'Example account',
      clientId: CLIENT.clientId,
      secretFile,
      roles: { it: ['admins'], operator: ['console'] },
      projects: { 'lab-7': ['3010000.07'] },
      projectPattern: String.raw`^mri-(?<project>\d{7}\.\d{2})$`,
    };
    board = await startBoardAlone(
      { after: (end) => endings.push(end as () => unknown) },
      { dashboard: { oidc } },
    );
    await provider.serve(board.url);
  });
  after(async () => {
    for (const end of endings.reverse()) await end();
  });

  /** Goes to the provider and types a login there. Stops before the address with which it leads back. */
  async function comesBack(visitor: Visitor, login: string, next = '/'): Promise<string> {
    const form = await visitor.open(`${board.url}/oidc/sign-in?next=${encodeURIComponent(next)}`);
    assert.match(form.url, /\/interaction\//, form.body);
    const fields = { prompt: 'login', login, password: 'any' };
    const { url } = await visitor.open(form.url, fields, isCallback);
    assert.ok(isCallback(url), url);
    return url;
  }
  const signIn = async (visitor: Visitor, login: string, next = '/'): Promise<Shown> =>
    visitor.open(await comesBack(visitor, login, next));
  const userNamed = async (name: string) =>
    ((await board.api('/api/users'))['users'] as Record<string, unknown>[]).find(
      (user) => user['name'] === name,
    );

  test('groups give role and projects; a verified address counts, and signing in leads back', async () => {
    provider.accounts.set('anna', {
      groups: ['mri-3010000.01', 'lab-7', 'chess'],
      email: 'Anna@Example.org',
      email_verified: true,
    });
    const visitor = new Visitor();
    const page = await visitor.open(`${board.url}/sign-in?next=/bookings`);
    assert.match(page.body, /href="\/oidc\/sign-in\?next=%2Fbookings"[^>]*>Sign in with Example account</);
    const shown = await signIn(visitor, 'anna', '/bookings');
    assert.deepEqual([shown.status, new URL(shown.url).pathname], [200, '/bookings']);
    const { issuer } = provider;
    assert.deepEqual(await userNamed('anna'), {
      name: 'anna',
      role: 'member',
      projects: ['3010000.07', '3010000.01'],
      addresses: ['anna@example.org'],
      entered: [],
      hasPassword: false,
      issuer,
    });
    assert.equal((await visitor.open(`${board.url}/health`)).status, 403);
    const [passage] = visitor.set.filter((header) => header.startsWith('scanflow-oidc='));
    assert.match(passage ?? '', /; Path=\/; HttpOnly; SameSite=Lax; Max-Age=600$/);
  });

  test('the highest role counts; an address that nobody verified does not', async () => {
    provider.accounts.set('ben', { groups: ['console', 'admins'], email: 'anna@example.org' });
    const visitor = new Visitor();
    assert.equal((await signIn(visitor, 'ben')).status, 200);
    assert.equal((await visitor.open(`${board.url}/health`)).status, 200);
    const { role, addresses } = (await userNamed('ben')) ?? {};
    assert.deepEqual([role, addresses], ['it', []]);
  });

  test('a role that was taken away is gone at the next sign-in, in every browser', async () => {
    provider.accounts.set('cleo', { groups: ['admins'] });
    const [here, there] = [new Visitor(), new Visitor()];
    await signIn(here, 'cleo');
    await signIn(there, 'cleo');
    provider.accounts.set('cleo', { groups: ['lab-7'] });
    await signIn(new Visitor(), 'cleo');
    assert.equal((await here.open(`${board.url}/health`)).status, 403);
    provider.accounts.set('cleo', { groups: ['chess'] });
    const refused = await signIn(new Visitor(), 'cleo');
    assert.equal(refused.status, 403);
    assert.match(refused.body, /You are cleo at Example account, but this account opens nothing here\./);
    assert.match(refused.body, /Ask facility IT for a group .* It came with 1 group\./s);
    for (const visitor of [here, there])
      assert.match((await visitor.open(`${board.url}/`)).url, /\/sign-in\?next=/);
    provider.accounts.set('cleo', {});
    assert.match((await signIn(new Visitor(), 'cleo')).body, /came without the claim of its groups/);
  });

  test('a local user of the same name stays another person', async () => {
    await board.api('/api/users', { name: 'dora', role: 'it' });
    provider.accounts.set('dora', { groups: ['lab-7'] });
    const visitor = new Visitor();
    const { body } = await signIn(visitor, 'dora');
    assert.match(body, /dora\.[0-9a-f]{8}/);
    assert.equal((await visitor.open(`${board.url}/health`)).status, 403);
    assert.equal((await userNamed('dora'))?.['role'], 'it');
  });

  test('the way back counts once, and only in the browser that began', async () => {
    const [own, foreign] = [new Visitor(), new Visitor()];
    provider.accounts.set('eve', { groups: ['lab-7'] });
    const url = await comesBack(own, 'eve');
    const stolen = await foreign.open(url);
    assert.deepEqual([stolen.status, foreign.cookies.has('scanflow')], [400, false]);
    assert.match(stolen.body, /no longer counts/);
    const passage = own.cookies.get('scanflow-oidc') ?? '';
    for (const state of ['', '&state=', '&state=x', `&state=x&state=y`]) {
      const { status } = await own.open(`${board.url}/oidc/callback?code=x${state}`);
      assert.equal(status, 400, state);
    }
    assert.equal((await own.open(url)).status, 200);
    const again = await own.open(url);
    assert.equal(again.status, 400);
    own.cookies.set('scanflow-oidc', passage);
    assert.equal((await own.open(url)).status, 400, 'with the cookie of before, too');
    assert.equal((await own.open(`${board.url}/`)).status, 200, 'the session goes on');
  });

  test('a refusal of the provider, and an answer of somebody else, are clear pages', async () => {
    const visitor = new Visitor();
    const to = await visitor.open(`${board.url}/oidc/sign-in`, undefined, () => true);
    const asked = new URL(to.url).searchParams;
    assert.equal(asked.get('code_challenge_method'), 'S256');
    assert.match(asked.get('nonce') ?? '', /^[\w-]{43}$/);
    const back = new URL(`${board.url}/oidc/callback`);
    back.search = String(
      new URLSearchParams({ error: 'access_denied', state: asked.get('state') ?? '', iss: provider.issuer }),
    );
    const refused = await visitor.open(back.href);
    assert.equal(refused.status, 403);
    assert.match(refused.body, /did not let you in: access_denied\./);
    const other = new Visitor();
    const begun = new URL((await other.open(`${board.url}/oidc/sign-in`, undefined, () => true)).url);
    back.search = String(
      new URLSearchParams({
        code: 'x',
        state: begun.searchParams.get('state') ?? '',
        iss: 'https://evil.example',
      }),
    );
    assert.equal((await other.open(back.href)).status, 502);
  });

  test('signing out leads to a page that signs out of the provider, too', async () => {
    const visitor = new Visitor();
    await signIn(visitor, 'anna');
    const { url, body } = await visitor.open(`${board.url}/sign-out`, {});
    assert.equal(url, `${board.url}/signed-out`);
    const leave = /href="(http[^"]+session\/end[^"]+)"/.exec(body)?.[1]?.replaceAll('&amp;', '&') ?? '';
    assert.equal(new URL(leave).searchParams.get('post_logout_redirect_uri'), `${board.url}/signed-out`);
    assert.equal((await visitor.open(leave)).status, 200);
    assert.match((await visitor.open(`${board.url}/`)).url, /\/sign-in\?next=/);
  });

  test('a wrong secret is a clear page and a line of the log, a new one counts at once; no log holds it', async () => {
    await writeFile(secretFile, 'not-the-secret\n');
    const refused = await signIn(new Visitor(), 'anna');
    assert.equal(refused.status, 502);
    assert.match(refused.body, /cannot use the answer of Example account/);
    await writeFile(secretFile, CLIENT.secret);
    assert.equal((await signIn(new Visitor(), 'anna')).status, 200);
    const log = board.program.output();
    assert.match(log, /"code":"ISSUER_UNUSABLE","message":"the answer of http[^"]*: invalid_client"/);
    assert.doesNotMatch(log, /not-the-secret|a-secret-of-the-client|code=|anna/);
  });

  test('a provider that is away is a clear page, and local users go on', async () => {
    const own = new Visitor();
    const url = await comesBack(own, 'anna');
    await provider.stop();
    const away = await own.open(url);
    assert.equal(away.status, 503);
    assert.match(away.body, /does not answer\. Try again in some minutes\./);
    const link = String((await board.api('/api/users', { name: 'fay', role: 'it' }))['link']);
    const visitor = new Visitor();
    assert.equal((await visitor.open(link, { password: PASSWORD })).status, 200);
    const again = new Visitor();
    assert.equal(
      (await again.open(`${board.url}/sign-in`, { name: 'fay', password: PASSWORD, next: '/health' })).status,
      200,
    );
    assert.match(board.program.output(), /"code":"ISSUER_AWAY"/);
  });
});
