/** The demo's imaging session through the compose stack, on a real Docker Engine. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { DockerComposeEnvironment, Wait } from 'testcontainers';
import { until } from '@scanflow/testkit';
import { findscu, orLogs, patientIds } from './checks.ts';
import { docker, Project, ROOT, whyNot } from './engine.ts';

const options = { skip: await whyNot() };

// the reaper is an image of a registry, which this test does without: it clears up by itself
process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';

interface SeriesAnswer {
  readonly series: readonly {
    readonly accessionNumber: string;
    readonly state: string;
    readonly labels: { readonly project: string; readonly subject: string };
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
    demo.env['SCANFLOW_DEMO_WORKLIST_PORT'] = String(demo.ports.worklist);
    demo.env['SCANFLOW_DEMO_STREAMER_PORT'] = String(demo.ports.streamer);
    demo.env['SCANFLOW_DEMO_BOARD_PORT'] = String(demo.ports.board);
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
    assert.equal(table.match(/^[0-9a-f]{8} {2}complete .* 12\/12 +\/project\/\S+ *$/gm)?.length, 4, table);
  });

  test('find: what people know leads to the booking, its item, its exam and its series', async () => {
    const find = (term: string): Promise<string> => demo.exec('streamer', 'scanflow', 'find', term);
    const bySubject = await find('sub-001');
    const [, accession = ''] = /^\d{4}-.* booking +(\w+) +3010001\.01 sub-001 /m.exec(bySubject) ?? [];
    assert.notEqual(accession, '', bySubject);
    const found = await find(accession);
    const [, series] = /^BOOKINGS \(1\)\n[^]*^SERIES \((\d+)\)\n/m.exec(found) ?? [];
    const paths = [...found.matchAll(/\/project\/\S+/g)].map(([path]) => path);
    assert.ok(paths.length > 0 && paths.length === Number(series), found);
    for (const path of paths) assert.match(await find(path), new RegExp(`^BOOKINGS[^]*${accession}`, 'm'));
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

  test('board: the first administrator signs in by the link of the command, and sees the day of both sessions', async () => {
    const address = `http://127.0.0.1:${demo.ports.board}`;
    const link = await demo.exec('dashboard', 'scanflow', 'user', 'invite');
    const invited = await fetch(address + new URL(link.trim()).pathname, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'sec-fetch-site': 'same-origin' },
      body: new URLSearchParams({ name: 'anna', password: 'correct horse battery' }),
    });
    assert.equal(invited.status, 303);
    const cookie = String(invited.headers.get('set-cookie')).split(';')[0] ?? '';
    const today = async (): Promise<string> =>
      (await fetch(`${address}/`, { redirect: 'manual', headers: { cookie } })).text();
    const rows = async (): Promise<string[]> => (await today()).split('<li id=').slice(1);
    for (const subject of ['sub-001', 'sub-002'])
      for (const step of ['understood', 'worklist', 'stored', 'sent'])
        await until(
          async () =>
            (await rows()).some((row) => row.includes(subject) && row.includes(`>${step}: done. <`)),
          { what: `the row of ${subject} says ${step}`, timeoutMs: 30_000, everyMs: 500 },
        );
    assert.equal((await fetch(`${address}/`, { redirect: 'manual' })).status, 303, 'nobody else sees it');
  });

  test('erase: by the command in a container; nothing is left in the volume of any service', async () => {
    const id = '3010001.01_sub-001';
    const sh = (service: string, script: string): Promise<string> => demo.exec(service, 'sh', '-c', script);
    const netrc = '--netrc-file /run/secrets/scanflow/orthanc-netrc';
    const query = JSON.stringify({ Level: 'Study', Query: { PatientID: id } });
    const find = `curl -fsS ${netrc} -d '${query}' http://127.0.0.1:8042/tools/find`;
    const left = async (): Promise<Record<string, number>> => {
      const count = async (service: string, script: string): Promise<number> =>
        Number(await sh(service, `${script} | wc -l`));
      return {
        images: await count('streamer', 'find /project -path "*3010001.01*sub-001*" -name "*.dcm"'),
        bookings: await count('streamer', `grep -rlF ${id} /data/bookings`),
        items: await count('worklist', `grep -rlF ${id} /data/worklist`),
        exams: await count('worklist', `grep -rlF ${id} /data/performed`),
        calendars: await count('cal2wl', `grep -rlF ${id} /data/cal2wl`),
        studies: (JSON.parse(await sh('orthanc', find)) as string[]).length,
      };
    };
    const before = await left();
    const { images = 0, bookings = 0, items = 0, studies = 0 } = before;
    assert.ok(images >= 12 && bookings > 0 && items > 0 && studies === 1, JSON.stringify(before));
    const subject = ['--project', '3010001.01', '--subject', 'sub-001'];
    const why = ['--reason', 'consent withdrawn', '--yes'];
    const said = await demo.exec('streamer', 'scanflow', 'erase', ...subject, ...why);
    assert.match(said, /Erased, and looked for again: nothing is left/);
    assert.match(said, /pacs/, 'who else holds it');
    const nothing = Object.fromEntries(Object.keys(before).map((name) => [name, 0]));
    assert.deepEqual(await left(), nothing);
    const response = await demo.ask(demo.ports.streamer, '/api/series');
    const { series } = (await response.json()) as SeriesAnswer;
    assert.equal(series.length, 4 - images / 12);
    assert.ok(!series.some(({ labels }) => `${labels.project}_${labels.subject}` === id));
    assert.ok(series.every(({ state }) => state === 'complete'));
    assert.ok(!patientIds(await findscu(demo.ports.worklist, 'PRISMA')).includes(id));
  });
});
