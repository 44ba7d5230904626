/** `scanflow doctor` as a person runs it, with real services, a real Orthanc and real peers that are wrong in every way. */
import manifest from '../../package.json' with { type: 'json' };
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import {
  apiFetch,
  freePort,
  makeAuthority,
  startOrthanc,
  type Authority,
  type RunningOrthanc,
} from '@scanflow/testkit';
import { makeDisk } from '../faults/disk.ts';
import {
  diagnose,
  install,
  scanflow,
  startService,
  startSilent,
  storescp,
  temporary,
  type Installation,
} from './doctor-support.ts';

const withoutTimes = (finding: { readonly message: string } | undefined): string | undefined =>
  finding?.message.replace(/\d+ ms/, '… ms');

/** What the services try out for the page Health, by the name of the check. It leaves no file and no query behind. */
async function triedOf({
  folder,
  ports,
}: Installation): Promise<Map<string, { state: string; message: string }>> {
  const data = join(folder, 'data');
  const ask = async <T>(service: keyof typeof ports, path: string, method = 'POST'): Promise<T> => {
    const answer = await apiFetch(data, `http://127.0.0.1:${ports[service]}${path}`, {
      method,
      ...(method === 'POST' ? { body: '{}', headers: { 'content-type': 'application/json' } } : {}),
    });
    assert.equal(answer.status, 200, path);
    return (await answer.json()) as T;
  };
  const before = await readdir(join(folder, 'project'));
  const sections = [
    ['cal2wl', 'calendars'],
    ['worklist', 'worklist'],
    ['streamer', 'storage'],
    ['streamer', 'destinations'],
    ['streamer', 'orthanc'],
  ] as const;
  const tried = await Promise.all(
    sections.map(([service, section]) =>
      ask<{ results: { check: string; state: string; message: string }[] }>(service, `/api/try/${section}`),
    ),
  );
  assert.deepEqual(await readdir(join(folder, 'project')), before);
  assert.deepEqual(await ask('worklist', '/api/queries', 'GET'), { queries: [] });
  const open = await fetch(`http://127.0.0.1:${ports.streamer}/api/try/storage`, { method: 'POST' });
  assert.equal(open.status, 401, 'not without the internal token');
  return new Map(tried.flatMap(({ results }) => results.map((one) => [one.check, one] as const)));
}

suite('doctor', () => {
  let folder: string;
  let orthanc: RunningOrthanc;
  let access: Readonly<Record<string, unknown>>;
  let authority: Authority;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'scanflow-doctor-'));
    orthanc = await startOrthanc({ folder: join(folder, 'orthanc') });
    const { url, username, passwordFile } = orthanc;
    access = { url, username, passwordFile };
    authority = await makeAuthority(folder, 'authority');
  });
  after(async () => {
    await orthanc.kill();
    await rm(folder, { recursive: true, force: true });
  });

  test('doctor: a whole installation that is well', async (t) => {
    const sections = {
      destinations: { pacs: { ...(await storescp(t)), aet: 'PACS' } },
      calendars: { prisma: { file: 'prisma.ics', scanner: 'prisma' } },
      bookings: { labels: {} },
    };
    const installation = await install(t, { orthanc: access, sections });
    const calendar = ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:test', 'END:VCALENDAR', ''].join('\r\n');
    await writeFile(join(installation.folder, 'prisma.ics'), calendar);
    await Promise.all(
      (['cal2wl', 'worklist', 'streamer', 'dashboard'] as const).map((name) =>
        startService(t, name, installation),
      ),
    );
    const trials = await triedOf(installation);
    const { of, code, checks } = await diagnose(installation.file);
    assert.equal(code, 0, JSON.stringify(checks, null, 1));
    const expected: Readonly<Record<string, RegExp>> = {
      configuration: /scanflow\.yaml is good, of Test/,
      secrets: /^2 files of/,
      cal2wl: new RegExp(`it runs, version ${RegExp.escape(manifest.version)}`),
      worklist: /it runs/,
      streamer: /it runs/,
      dashboard: /it runs, version \d+\.\d+\.\d+/,
      hooks: /none failed/,
      calendars: /^prisma: read well/,
      clock: /Orthanc's clock agrees/,
      'worklist prisma': /SCANFLOW at port \d+ answers PRISMA: 0 items/,
      'images prisma': /ORTHANC at 127\.0\.0\.1:\d+ answers C-ECHO in \d+ ms, and takes MR images/,
      ledger: /ledger\.sqlite is in order/,
      series: /none failed, none in quarantine/,
      'destination pacs': /PACS at .* answers C-ECHO in \d+ ms, and takes MR images, enhanced MR images/,
    };
    for (const [name, message] of Object.entries(expected)) {
      const [first, ...more] = of(name);
      assert.deepEqual(more, []);
      assert.equal(first?.state, 'ok', name);
      assert.match(first.message, message);
    }
    const storage = of('storage').find(({ state }) => state === 'ok');
    assert.match(storage?.message ?? '', /written and synchronised in \d+ ms as user \d+, .* GB free/);

    // what the page Health has services try says the same
    for (const name of ['destination pacs', 'worklist prisma', 'clock', 'prisma'])
      assert.equal(trials.get(name)?.state, 'ok', JSON.stringify([...trials]));
    assert.equal(trials.get('orthanc')?.state, of('orthanc')[0]?.state);
    assert.equal(withoutTimes(trials.get('worklist prisma')), withoutTimes(of('worklist prisma')[0]));
    assert.equal(withoutTimes(trials.get('destination pacs')), withoutTimes(of('destination pacs')[0]));
    assert.match(trials.get('prisma')?.message ?? '', /unchanged since|a calendar of 1 kB; 0 events/);

    const text = await scanflow(['pacs', 'worklist', '--config', installation.file]);
    assert.equal(text.code, 0);
    assert.match(text.stdout, /^ok +destination pacs +PACS at/m);
    assert.match(text.stdout, /^Nothing is wrong: 3 ok$/m);
  });

  test('doctor: Orthanc with a wrong password, without any, dead, silent, and something else in its place', async (t) => {
    const wrong = join(folder, 'wrong-password');
    await writeFile(wrong, 'nonsense\n', { mode: 0o600 });
    const server = createServer((_, response) => response.end('{"hello":"world"}')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const other = server.address();
    assert.ok(other !== null && typeof other !== 'string');
    const open = await startOrthanc({
      folder: join(await temporary(t), 'open'),
      extra: { AuthenticationEnabled: false },
    });
    t.after(() => open.kill());
    const { url } = orthanc;
    const cases: readonly (readonly [object, string | undefined, RegExp])[] = [
      [{ ...access, passwordFile: wrong }, 'ORTHANC_DENIED', /refuses the user or the password \(401\)/],
      [{ url }, 'ORTHANC_DENIED', /401/],
      [{ ...access, passwordFile: '/none' }, undefined, /secret \/none cannot be read/],
      [
        { url: `http://127.0.0.1:${await freePort()}` },
        'ORTHANC_UNREACHABLE',
        /does not answer .*ECONNREFUSED/,
      ],
      [{ url: `http://127.0.0.1:${other.port}` }, 'ORTHANC_UNCLEAR', /no Orthanc/],
    ];
    for (const [reach, code, message] of cases) {
      const { file } = await install(t, { orthanc: { ...reach } });
      const [found] = (await diagnose(file, ['orthanc'])).of('orthanc');
      assert.equal(found?.state, 'failed', JSON.stringify(reach));
      assert.match(found.message, message);
      assert.equal(found.code, code);
    }
    const silent = await install(t, { orthanc: { url: `http://127.0.0.1:${await startSilent(t)}` } });
    const [hanging] = (await diagnose(silent.file, ['orthanc'], ['--timeout', '3s'])).of('orthanc');
    assert.equal(hanging?.state, 'failed');
    assert.match(hanging.message, /sent nothing for|no answer within/);
    const { file } = await install(t, { orthanc: { ...access, url: open.url } });
    const opened = (await diagnose(file, ['orthanc'])).of('orthanc');
    assert.ok(opened.some(({ state, message }) => state === 'warning' && /without a password/.test(message)));
  });

  test('doctor: Orthanc that refuses the scanner’s AE title', async (t) => {
    const picky = await startOrthanc({
      folder: join(await temporary(t), 'picky'),
      extra: { DicomAlwaysAllowEcho: false, DicomAlwaysAllowStore: false },
    });
    t.after(() => picky.kill());
    const { url, username, passwordFile } = picky;
    const { file } = await install(t, { orthanc: { url, username, passwordFile } });
    const [found] = (await diagnose(file, ['images'])).of('images prisma');
    assert.equal(found?.state, 'warning');
    assert.match(found.message, /calling AE title not recognized/);
    assert.match(found.todo ?? '', /DicomAlwaysAllowStore/);
  });

  test('doctor: project storage that is missing, no folder, full below its floor', async (t) => {
    const plain = join(folder, 'plain-file');
    await writeFile(plain, '');
    const root = join(await temporary(t), 'root');
    await mkdir(root);
    const cases: readonly (readonly [object, string | undefined, RegExp])[] = [
      [{ root: join(folder, 'none') }, 'STORE_ROOT_MISSING', /does not exist/],
      [{ root: plain }, undefined, /is no folder/],
      [{ root, freeSpace: '999999TB' }, 'STORE_SPACE_FLOOR', /storing waits below/],
    ];
    for (const [storage, code, message] of cases) {
      const { file } = await install(t, { orthanc: access, sections: { storage } });
      const found = (await diagnose(file, ['storage'])).of('storage').find(({ state }) => state === 'failed');
      assert.ok(found !== undefined, JSON.stringify(storage));
      assert.equal(found.code, code);
      assert.match(found.message, message);
    }
  });

  test('doctor: project storage that is mounted read-only, and in memory', async (t) => {
    const disk = await makeDisk(t, { kind: 'tmpfs', megabytes: 8 });
    if (disk === undefined) return;
    const { file } = await install(t, { orthanc: access, sections: { storage: { root: disk.path } } });
    const writable = (await diagnose(file, ['storage'])).of('storage');
    assert.ok(writable.some(({ state, message }) => state === 'warning' && /lies in memory/.test(message)));
    await disk.remount('ro');
    const found = (await diagnose(file, ['storage'])).of('storage').find(({ state }) => state === 'failed');
    assert.equal(found?.code, 'STORE_READ_ONLY');
    assert.match(found.message, /mounted read-only \(EROFS, as user \d+\)/);
  });

  test('doctor: secrets that are missing, open to everybody, and certificates that expired', async (t) => {
    const world = join(folder, 'world-password');
    await writeFile(world, 'secret\n');
    await chmod(world, 0o644);
    const expired = await authority.issue('ours', { expired: true });
    const destinations = {
      pacs: {
        host: '127.0.0.1',
        port: 1,
        aet: 'PACS',
        tls: { ca: authority.certificate, key: expired.key, certificate: expired.certificate },
      },
    };
    const ledger = { url: 'postgresql://scanflow@127.0.0.1/scanflow', passwordFile: '/none' };
    const { file } = await install(t, {
      orthanc: { ...access, passwordFile: world },
      sections: { destinations, ledger },
    });
    const found = (await diagnose(file, ['secrets'])).of('secrets');
    const saying = (state: string, what: RegExp): boolean =>
      found.some((one) => one.state === state && what.test(one.message));
    assert.ok(saying('warning', /orthanc\.passwordFile: everybody on the machine may read/));
    assert.ok(saying('failed', /ledger\.passwordFile: .*\/none cannot be read/));
    assert.ok(saying('failed', /destinations\.pacs\.tls\.certificate: .*CN=ours expired \d+ days ago/));
    assert.ok(!JSON.stringify(found).includes('secret\n'));
  });

  test('doctor: services and a PostgreSQL that are not there', async (t) => {
    const ledger = { url: `postgresql://scanflow@127.0.0.1:${await freePort()}/scanflow` };
    const calendars = { prisma: { file: 'prisma.ics', scanner: 'prisma' } };
    const { file } = await install(t, { orthanc: access, sections: { ledger, calendars } });
    const { of, code } = await diagnose(file);
    assert.equal(code, 1);
    for (const service of ['cal2wl', 'worklist', 'streamer'])
      assert.match(of(service)[0]?.message ?? '', /does not answer at http.*ECONNREFUSED/);
    assert.equal(of('calendars')[0]?.state, 'skipped');
    assert.equal(of('series')[0]?.state, 'skipped');
    assert.equal(of('ledger')[0]?.code, 'LEDGER_UNREACHABLE');
    assert.equal(of('worklist prisma')[0]?.code, 'DEST_UNREACHABLE');
    assert.match(of('worklist prisma')[0]?.todo ?? '', /Start the worklist/);
    assert.match(of('data')[0]?.message ?? '', /does not exist yet/);
  });

  test('doctor: a mistake in the configuration is all that is told, with its place', async (t) => {
    const { file } = await install(t, { orthanc: access, sections: { storage: { rot: '/project' } } });
    const { checks, code } = await diagnose(file);
    assert.equal(code, 1);
    assert.ok(checks.every(({ check, state }) => check === 'configuration' && state === 'failed'));
    assert.match(checks[0]?.message ?? '', /scanflow\.yaml:\d+:\d+/);
  });

  test('doctor: in a service’s container, only what belongs to it; the others are named', async (t) => {
    const cal2wl = { user: 'cal2wl', passwordFile: '/none' };
    const ledger = { url: 'postgresql://scanflow@127.0.0.1:1/scanflow', cal2wl };
    const { file } = await install(t, { orthanc: access, sections: { ledger } });
    const streamer = await scanflow(['secrets', '--config', file, '--json'], { SERVICE: 'streamer' });
    assert.doesNotMatch(streamer.stdout, /ledger\.cal2wl/, 'its password is in the container of cal2wl');
    const { stdout } = await scanflow(['--config', file, '--json'], { SERVICE: 'worklist' });
    const { checks } = JSON.parse(stdout) as { checks: { check: string; state: string; todo?: string }[] };
    // the ports of this test are not those that Compose publishes: a warning for each
    assert.deepEqual(
      [...new Set(checks.map(({ check }) => check))],
      [
        'configuration',
        'secrets',
        'data',
        'clock',
        'worklist',
        'worklist prisma',
        'exams',
        'cal2wl',
        'receiver',
        'streamer',
        'dashboard',
      ],
    );
    assert.equal(checks.at(-1)?.state, 'skipped');
    assert.equal(checks.at(-1)?.todo, 'docker compose exec dashboard scanflow doctor');
  });

  test('doctor: what cannot be started is exit code 2', async (t) => {
    const { file } = await install(t, { orthanc: access });
    const cases: [RegExp, ...string[]][] = [
      [/there is no \/none\.yaml/, '--config', '/none.yaml'],
      [/nothing called frobnicate/, 'frobnicate', '--config', file],
      [/--timeout/, '--config', file, '--timeout', '5'],
    ];
    for (const [message, ...args] of cases) {
      const { code, stderr } = await scanflow(args);
      assert.equal(code, 2, args.join(' '));
      assert.match(stderr, message);
    }
  });
});
