/** The compose stack as facility IT starts it, and the demo's imaging session through it, on a real Docker Engine. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { dcmtk, until } from '@scanflow/testkit';
import { DockerComposeEnvironment, Wait } from 'testcontainers';
import { assertHardened, orLogs } from './checks.ts';
import { docker, Project, ROOT, whyNot } from './engine.ts';

const SERVICES = ['cal2wl', 'worklist', 'orthanc', 'streamer'] as const;
const ONE_SHOTS = ['secrets', 'quickack'] as const;

const options = { skip: await whyNot() };

// the reaper is an image of a registry, which this test does without: it clears up by itself
process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';

/** Answers of a worklist query by this AE title, as text. */
async function findscu(port: number, aet: string, date = ''): Promise<string> {
  const step = 'ScheduledProcedureStepSequence[0]';
  const keys = ['PatientID', 'AccessionNumber', `${step}.ScheduledProcedureStepStartDate=${date}`];
  const args = ['-W', '-aet', aet, '-aec', 'SCANFLOW', ...keys.flatMap((key) => ['-k', key])];
  const { stdout, stderr } = await dcmtk('findscu', [...args, '127.0.0.1', String(port)]);
  return stdout + stderr;
}
const patientIds = (output: string): string[] =>
  [...output.matchAll(/\(0010,0020\) LO \[([^\]]+)\]/g)].map(([, id]) => id?.trim() ?? '').toSorted();

async function status(port: number, path: string, user?: string): Promise<number> {
  const headers = user === undefined ? {} : { authorization: `Basic ${btoa(user)}` };
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
  await response.arrayBuffer();
  return response.status;
}

suite('the stack', options, () => {
  let stack: Project;
  before(async () => {
    // one after the other where the machine is small; npm and apt are what takes time
    await (await Project.create('stack', ['compose.yaml'])).compose('build');
    // free ports are looked for only now: they might not stay free for as long as that takes
    stack = await Project.create('stack', ['compose.yaml']);
    const start = performance.now();
    await orLogs(stack, () => stack.compose('up', '--detach', '--wait'));
    console.error(`docker compose up -d --wait: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  });
  after(async () => {
    await stack.down();
    assert.deepEqual(await stack.remains(), [], 'nothing is left');
  });

  test('compose: four services are healthy, the one-shots are done', async () => {
    for (const service of SERVICES)
      assert.equal((await stack.inspect(service)).State.Health?.Status, 'healthy', service);
    for (const service of ONE_SHOTS) assert.equal((await stack.inspect(service)).State.ExitCode, 0, service);
  });

  for (const service of SERVICES)
    test(`hardening: ${service}`, async () => {
      const container = await stack.inspect(service);
      assertHardened(service, container);
      assert.match(container.Config.User, /^1000[12]:1000[12]$/);
      assert.equal(container.HostConfig.CapAdd, null);
      assert.equal(container.HostConfig.RestartPolicy.Name, 'unless-stopped');
      const [uid, capabilities] = await Promise.all([
        stack.exec(service, 'id', '-u'),
        stack.exec(service, 'grep', '-h', '^Cap', '/proc/1/status'),
      ]);
      assert.notEqual(uid.trim(), '0');
      assert.match(capabilities, /^(Cap\w+:\s+0+\s*)+$/, 'no capability in any set');
      await assert.rejects(stack.exec(service, 'touch', '/etc/x'), /Read-only file system/);
    });

  test('hardening: the one-shots too; only quickack has a capability, and only that one', async () => {
    for (const service of ONE_SHOTS) assertHardened(service, await stack.inspect(service));
    assert.deepEqual((await stack.inspect('quickack')).HostConfig.CapAdd, ['NET_ADMIN']);
    assert.equal((await stack.inspect('secrets')).HostConfig.CapAdd, null);
  });

  test('volumes: each service may write only what is its own', async () => {
    const writable = async (service: string): Promise<string[]> =>
      (await stack.inspect(service)).Mounts.filter(({ RW }) => RW)
        .map(({ Destination }) => Destination)
        .toSorted();
    assert.deepEqual(await writable('cal2wl'), ['/data/bookings', '/data/cal2wl', '/data/worklist']);
    assert.deepEqual(await writable('worklist'), ['/data/performed']);
    assert.deepEqual(await writable('streamer'), ['/data/streamer', '/project']);
    assert.deepEqual(await writable('orthanc'), ['/var/lib/orthanc']);
  });

  test('ports: DICOM where it is configured, HTTP on loopback', async () => {
    const bindings = async (service: string): Promise<string[]> =>
      Object.entries((await stack.inspect(service)).HostConfig.PortBindings ?? {}).flatMap(([port, hosts]) =>
        hosts.map(({ HostIp }) => `${port} ${HostIp}`),
      );
    assert.deepEqual((await bindings('worklist')).toSorted(), ['11112/tcp 127.0.0.1', '9102/tcp 127.0.0.1']);
    assert.deepEqual((await bindings('orthanc')).toSorted(), ['4242/tcp 127.0.0.1', '8042/tcp 127.0.0.1']);
    // by default scanners reach DICOM from anywhere; what compose makes of no environment at all
    const plain = JSON.parse(
      await docker(
        'compose',
        '-f',
        `${ROOT}/compose.yaml`,
        '--env-file',
        '/dev/null',
        'config',
        '--format',
        'json',
      ),
    ) as Plain;
    const published = Object.values(plain.services).flatMap(({ ports = [] }) =>
      ports.map(({ host_ip, published }) => `${host_ip}:${published}`),
    );
    assert.deepEqual(published.toSorted(), [
      '0.0.0.0:11112',
      '0.0.0.0:4242',
      '127.0.0.1:8042',
      '127.0.0.1:9101',
      '127.0.0.1:9102',
      '127.0.0.1:9103',
    ]);
  });

  test('passwords: none, a wrong one and the usual ones are refused, the generated one opens', async () => {
    const { orthanc } = stack.ports;
    for (const user of [
      undefined,
      'orthanc:orthanc',
      'scanflow:scanflow',
      'scanflow:',
      'admin:admin',
      'alice:alicePassword',
    ])
      assert.equal(await status(orthanc, '/system', user), 401, user ?? 'nobody');
    const password = await stack.exec('streamer', 'cat', '/run/secrets/scanflow/orthanc-password');
    assert.ok(password.trim().length >= 32);
    assert.equal(await status(orthanc, '/system', `scanflow:${password.trim()}`), 200);
  });

  test('passwords: a second `up` keeps them and restarts nothing', async () => {
    const read = (): Promise<string> => stack.exec('orthanc', 'sh', '-c', 'cat /run/secrets/scanflow/*');
    const started = async (): Promise<string[]> =>
      Promise.all(SERVICES.map(async (service) => (await stack.inspect(service)).State.StartedAt));
    const before = [await read(), ...(await started())];
    await stack.compose('up', '--detach', '--wait');
    assert.deepEqual([await read(), ...(await started())], before);
  });

  test("quickack: it is set on every route of Orthanc's namespace, and again after a restart", async () => {
    const assertSet = async (): Promise<void> => {
      const routes = (await stack.exec('orthanc', 'ip', 'route', 'show')).trim().split('\n');
      assert.ok(routes.length >= 3, routes.join('\n'));
      for (const route of routes) assert.match(route, / quickack 1\s*$/);
    };
    await assertSet();
    await stack.compose('restart', 'orthanc');
    await stack.compose('up', '--detach', '--wait');
    await assertSet();
  });

  test("quickack: without the capability, and on the host's network, it says so, changes nothing and ends well", async () => {
    const once = (...args: string[]): Promise<string> =>
      docker(
        'run',
        '--rm',
        '--user',
        '0',
        '--cap-drop',
        'ALL',
        ...args,
        '--entrypoint',
        'quickack.sh',
        'scanflow-orthanc',
      );
    assert.match(await once(), /default via .*: not set \(.*Operation not permitted/);
    const host = await once('--network', 'host', '--cap-add', 'NET_ADMIN');
    assert.match(host, /^quickack: Orthanc is on the host's network/);
  });

  test('orthanc: the identifier of its database stays when the container is made anew', async () => {
    const identifier = async (): Promise<unknown> => {
      const netrc = '/run/secrets/scanflow/orthanc-netrc';
      const text = await stack.exec(
        'orthanc',
        'curl',
        '-s',
        '--netrc-file',
        netrc,
        'http://127.0.0.1:8042/system',
      );
      return (JSON.parse(text) as Record<string, unknown>)['DatabaseServerIdentifier'];
    };
    const before = await identifier();
    const { Id } = await stack.inspect('orthanc');
    assert.match(String(before), /^[0-9a-f-]{36}$/);
    await stack.compose('up', '--detach', '--no-deps', '--force-recreate', 'orthanc');
    await stack.compose('up', '--detach', '--wait');
    assert.notEqual((await stack.inspect('orthanc')).Id, Id);
    assert.equal(await identifier(), before);
  });

  test('doctor: in each container all is well, and says where to look for the rest', async () => {
    for (const service of ['streamer', 'worklist', 'cal2wl']) {
      const { ok, checks } = JSON.parse(await stack.exec(service, 'scanflow', 'doctor', '--json')) as Doctor;
      const found = (state: string): string[] =>
        checks.filter((one) => one.state === state).map(({ check, message }) => `${check}: ${message}`);
      assert.equal(ok, true, JSON.stringify(checks, null, 1));
      // how much room this machine has is its own affair
      assert.deepEqual(
        found('warning').filter((text) => !/ free$/.test(text)),
        [],
        service,
      );
      assert.equal(found('skipped').length, 2, service);
      assert.equal(checks.find(({ check }) => check === service)?.state, 'ok');
    }
    const text = await stack.exec('streamer', 'scanflow', 'doctor', 'orthanc', 'images', 'storage');
    assert.match(text, /^ok +storage +\/project, on \/project \(/m);
    assert.match(text, /^ok +orthanc +http:\/\/orthanc:8042: version 1\.\d+\.\d+, /m);
    assert.match(text, /^ok +images prisma +ORTHANC at orthanc:4242 answers C-ECHO/m);
  });

  test('series: none yet, told from within the container', async () => {
    assert.equal(await stack.exec('streamer', 'scanflow', 'series', 'list'), 'no series\n');
  });

  test("worklist: findscu gets the sample calendar's bookings; a stranger gets none", async () => {
    const ids = await until(
      async () => {
        const found = patientIds(await findscu(stack.ports.worklist, 'PRISMA'));
        return found.length > 0 && found;
      },
      { what: 'the worklist holds bookings', timeoutMs: 30_000, everyMs: 500 },
    );
    for (const id of ids) assert.match(id, /^\d{7}\.\d{2}_sub-?\w+$/);
    assert.match(await findscu(stack.ports.worklist, 'STRANGER'), /reject/i);
  });
});

interface Doctor {
  readonly ok: boolean;
  readonly checks: readonly { readonly check: string; readonly state: string; readonly message: string }[];
}

interface Plain {
  readonly services: Readonly<
    Record<string, { readonly ports?: readonly { host_ip: string; published: string }[] }>
  >;
}

interface SeriesAnswer {
  readonly series: readonly {
    readonly accessionNumber: string;
    readonly state: string;
    readonly images: { readonly inOrthanc: number; readonly stored: number };
    readonly legs: readonly { readonly target: string; readonly state: string; readonly done: number }[];
  }[];
}

suite('an imaging session through the stack', options, () => {
  let demo: Project;
  before(async () => {
    const files = ['compose.yaml', 'compose.demo.yaml'];
    await (await Project.create('demo', files)).compose('build');
    demo = await Project.create('demo', files);
    demo.env['SCANFLOW_DEMO_SESSIONS'] = '2';
    demo.env['SCANFLOW_DEMO_IMAGES'] = '12';
    const environment = new DockerComposeEnvironment(ROOT, [...demo.files])
      .withProjectName(demo.name)
      .withEnvironment(demo.env)
      .withAutoCleanup(false)
      // it may have played its session and ended by the time that it is looked at
      .withWaitStrategy('scanner-1', Wait.forLogMessage(/C-FIND/));
    await orLogs(demo, () => environment.up());
  });
  after(async () => {
    await demo.down();
    assert.deepEqual(await demo.remains(), [], 'nothing is left');
  });

  test('demo: the scanner plays its sessions and every image is verified at both ends', async () => {
    const { Id } = await demo.inspect('scanner');
    const code = (await docker('wait', Id)).trim();
    const log = await docker('logs', Id);
    assert.equal(code, '0', log);
    assert.equal([...log.matchAll(/^.*12\/12 in .*12\/12 at pacs.*$/gm)].length, 4, log);
  });

  test('worklist: findscu on the host gets the bookings of today', async () => {
    const today = Temporal.Now.plainDateISO('Europe/Amsterdam').toString().replaceAll('-', '');
    const ids = patientIds(await findscu(demo.ports.worklist, 'PRISMA', today));
    assert.deepEqual(
      ids.filter((id) => id.startsWith('3010001.01')),
      ['3010001.01_sub-001', '3010001.01_sub-002'],
    );
  });

  test('streamer: every series is complete, and stored and sent as often as Orthanc has it', async () => {
    const response = await demo.ask(demo.ports.streamer, '/api/series');
    const { series } = (await response.json()) as SeriesAnswer;
    assert.equal(series.length, 4);
    for (const { state, images, legs } of series) {
      assert.equal(state, 'complete');
      assert.deepEqual([images.inOrthanc, images.stored], [12, 12]);
      assert.deepEqual(legs.map(({ target, state, done }) => `${target} ${state} ${done}`).toSorted(), [
        'pacs done 12',
        'storage done 12',
      ]);
    }
  });

  test('series: the table shows them from within the container', async () => {
    const table = await demo.exec('streamer', 'scanflow', 'series', 'list', '--state', 'complete');
    assert.equal(table.match(/^[0-9a-f]{8} {2}complete .* 12\/12$/gm)?.length, 4, table);
  });

  test('project storage: 48 images, and each manifest holds for its folder', async () => {
    const sh = (script: string): Promise<string> => demo.exec('streamer', 'sh', '-c', script);
    assert.equal((await sh("find /project -name '*.dcm' | wc -l")).trim(), '48');
    const checked = await sh(
      'for m in $(find /project -name manifest-sha256.txt); do (cd "$(dirname "$m")" && sha256sum -c manifest-sha256.txt) || exit 1; done',
    );
    assert.equal(checked.match(/\.dcm: OK$/gm)?.length, 48, checked);
  });

  test('research PACS: 48 images arrived', async () => {
    const files = await demo.exec('pacs', 'sh', '-c', 'ls /pacs | wc -l');
    assert.equal(files.trim(), '48');
  });
});
