/** Who sees and may do what in the compose stack, updated from version 0.1.0: secrets, token, Orthanc's users, pages. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, suite, test } from 'node:test';
import { orLogs } from './checks.ts';
import { docker, imageOf, Project, whyNot } from './engine.ts';

const OLD = 'a-word-of-version-0.1.0-and-of-its-volume00';
const FOLDER = '/run/secrets/scanflow';
/** The volume `secrets` as `scanflow secrets init` of 0.1.0 left it. */
const MAKE_OLD = [
  'umask 227',
  `cd ${FOLDER}`,
  `echo ${OLD} >orthanc-password`,
  `echo '{"RegisteredUsers":{"scanflow":"${OLD}"}}' >orthanc-users.json`,
  `echo 'machine 127.0.0.1 login scanflow password ${OLD}' >orthanc-netrc`,
  'echo a-word-for-the-ledger >ledger-password',
  'echo a-word-for-the-index >orthanc-index-password',
  'echo of-a-destination >pacs-token',
].join(' && ');

interface Sbom {
  readonly bomFormat: string;
  readonly components: readonly { readonly name: string }[];
}

interface Ask {
  readonly auth?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The status of an answer. Not by fetch, which sets Host itself. */
const ask = (port: number, path: string, options: Ask = {}): Promise<number> =>
  new Promise((done, fail) => {
    const asked = request({ host: '127.0.0.1', port, path, ...options }, (answer) => {
      answer.resume();
      answer.on('end', () => {
        done(answer.statusCode ?? 0);
      });
    });
    asked.on('error', fail).end(options.method === 'POST' ? '{}' : undefined);
  });

suite('security of the stack', { skip: await whyNot() }, () => {
  let stack: Project;
  before(async () => {
    await (await Project.create('security', ['compose.yaml'])).compose('build');
    stack = await Project.create('security', ['compose.yaml']);
    const volume = `${stack.name}_secrets`;
    const label = 'com.docker.compose';
    const labels = [`${label}.project=${stack.name}`, `${label}.volume=secrets`];
    await docker('volume', 'create', ...labels.flatMap((one) => ['--label', one]), volume);
    const mount = ['--user', '10001:10000', '--volume', `${volume}:${FOLDER}`];
    await docker('run', '--rm', ...mount, imageOf('cli'), 'sh', '-c', MAKE_OLD);
    await orLogs(stack, () => stack.compose('up', '--detach', '--wait'));
  });
  after(async () => {
    await stack.down();
    assert.deepEqual(await stack.remains(), [], 'nothing is left');
  });
  const sh = (service: string, script: string): Promise<string> => stack.exec(service, 'sh', '-c', script);
  const secret = async (name: string): Promise<string> =>
    (await stack.compose('run', '--rm', '--no-deps', 'secrets', 'cat', `${FOLDER}/${name}`)).trim();

  test('secrets: each service sees its own and no other; a volume of 0.1.0 keeps its passwords', async () => {
    assert.equal(
      (await sh('orthanc', `ls ${FOLDER}`)).trim(),
      'orthanc-index-password\northanc-netrc\northanc-users.json',
    );
    assert.equal(
      (await sh('streamer', `ls ${FOLDER}`)).trim(),
      'ledger-password\northanc-password\npacs-token',
    );
    for (const service of ['cal2wl', 'worklist'])
      await assert.rejects(sh(service, `ls ${FOLDER}/*`), service);
    await assert.rejects(sh('orthanc', 'ls /data/token/http-token'));
    assert.equal((await sh('streamer', `cat ${FOLDER}/orthanc-password`)).trim(), OLD);
    const modes = await sh('streamer', `stat -c %a ${FOLDER} ${FOLDER}/* /data/token /data/token/*`);
    assert.deepEqual(modes.trim().split('\n'), ['750', '440', '440', '440', '750', '440']);
  });

  test('secrets: a second `up` keeps them, for all who have them', async () => {
    const read = async (): Promise<string> =>
      (await sh('orthanc', `cat ${FOLDER}/*`)) + (await sh('streamer', `cat ${FOLDER}/* /data/token/*`));
    const before = await read();
    await stack.compose('up', '--detach', '--wait');
    assert.equal(await read(), before);
  });

  test('pages: the token opens them, for a name of the service only; probes need neither', async () => {
    const token = (await sh('worklist', 'cat /data/token/http-token')).trim();
    const authorization = `Bearer ${token}`;
    const { cal2wl, worklistHttp, streamer } = stack.ports;
    const pages = [
      [cal2wl, '/api/bookings'],
      [cal2wl, '/api/calendars'],
      [worklistHttp, '/api/worklist'],
      [streamer, '/api/series'],
    ] as const;
    for (const [port, path] of pages) {
      assert.equal(await ask(port, path), 401, path);
      assert.equal(await ask(port, path, { headers: { authorization } }), 200, path);
      const rebound = { authorization, host: 'rebind.attacker.example' };
      assert.equal(await ask(port, path, { headers: rebound }), 403, path);
      for (const open of ['/livez', '/readyz', '/healthz', '/metrics'])
        assert.equal(await ask(port, open, { headers: { host: '10.1.2.3:9103' } }), 200, open);
    }
    assert.equal(await stack.exec('streamer', 'scanflow', 'series', 'list'), 'no series\n');
    assert.match(await stack.exec('cal2wl', 'scanflow', 'calendars'), /^prisma /m);
  });

  test('images: each tells what it holds, of npm and of Debian', async () => {
    const list = '/usr/share/scanflow';
    for (const service of ['cal2wl', 'worklist', 'streamer']) {
      const sbom = JSON.parse(await sh(service, `cat ${list}/sbom.cdx.json`)) as Sbom;
      assert.equal(sbom.bomFormat, 'CycloneDX');
      const names = sbom.components.map(({ name }) => name);
      const installed = (await sh(service, 'cd /app/node_modules && ls -d [!.@]* @*/*')).trim().split('\n');
      assert.ok(installed.includes('fastify'));
      for (const name of installed)
        assert.ok(name.startsWith('@scanflow/') || names.includes(name), `${service}: ${name} is not listed`);
      for (const name of ['typescript', 'eslint', 'testcontainers', '@scanflow/testkit'])
        assert.ok(!names.includes(name), `${service}: ${name}`);
    }
    for (const service of ['cal2wl', 'worklist', 'streamer', 'orthanc'])
      assert.match(await sh(service, `cat ${list}/debian-packages.txt`), /^libc6\S*\s+2\.\d+/m, service);
    assert.match(await sh('orthanc', `cat ${list}/debian-packages.txt`), /^orthanc\s+1\./m);
  });

  test('orthanc: people look, the streamer writes, and pages of others do nothing', async () => {
    const { orthanc } = stack.ports;
    const people = `people:${await secret('orthanc-people-password')}`;
    const streamer = `scanflow:${OLD}`;
    assert.equal(await ask(orthanc, '/studies', { auth: people }), 200);
    assert.equal(
      await ask(orthanc, '/tools/find', { auth: people, method: 'POST' }),
      400,
      'asked, with a body that is none',
    );
    assert.equal(await ask(orthanc, '/tools/bulk-delete', { auth: people, method: 'POST' }), 403);
    assert.equal(await ask(orthanc, '/tools/bulk-delete', { auth: streamer, method: 'POST' }), 400);
    const headers = {
      origin: 'https://evil.example',
      host: 'rebind.evil.example',
      'content-type': 'text/plain',
    };
    assert.equal(await ask(orthanc, '/tools/bulk-delete', { auth: streamer, method: 'POST', headers }), 403);
    assert.equal(await ask(orthanc, '/tools/execute-script', { auth: streamer, method: 'POST' }), 403);
    const receiver = `receiver:${await secret('orthanc-receiver-password')}`;
    assert.equal(await ask(orthanc, '/system', { auth: receiver }), 200);
    assert.equal(await ask(orthanc, '/studies', { auth: receiver }), 403);
  });
});
