/** A facility loses its volumes and puts a backup back, by the commands of docs/backup.md. */
import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { dataSet, makeSeries } from '@scanflow/dicom';
import { run, storescu, until } from '@scanflow/testkit';
import { orLogs } from './checks.ts';
import { docker, imageOf, impatientConfig, Project, ROOT, whyNot } from './engine.ts';

const options = { skip: await whyNot() };

interface Row {
  readonly id: string;
  readonly accessionNumber: string;
  readonly state: string;
  readonly images: { readonly inOrthanc: number; readonly stored: number };
}

interface Booking {
  readonly accessionNumber: string;
  readonly studyInstanceUid: string;
  readonly patientId: string;
}

suite('backup and restore of the stack', options, () => {
  let stack: Project;
  let folder: string;
  let config: string;
  const compose = (...args: string[]): Promise<string> => stack.compose(...args);
  const up = (): Promise<unknown> => orLogs(stack, () => compose('up', '--detach', '--wait'));
  const series = async (): Promise<Row[]> =>
    JSON.parse(await stack.exec('streamer', 'scanflow', 'series', 'list', '--json')) as Row[];
  const complete = (count: number): Promise<Row[]> =>
    until(
      async () => {
        const rows = await series().catch(() => []);
        return rows.length === count && rows.every(({ state }) => state === 'complete') ? rows : undefined;
      },
      { what: `${count} series are complete`, timeoutMs: 120_000, everyMs: 500 },
    );
  const bookings = async (): Promise<Booking[]> => {
    const text = await stack.exec('streamer', 'sh', '-c', 'cat /data/bookings/[!r]*.json');
    const records = text.split(/(?<=^\})\s*$/m).filter((one) => one.trim() !== '');
    return records
      .map((one) => JSON.parse(one) as Booking)
      .toSorted((a, b) => (a.accessionNumber < b.accessionNumber ? -1 : 1));
  };
  /** Every file of project storage by what it is: one that was written anew differs. */
  const stored = async (): Promise<string[]> => {
    const found: string[] = [];
    const root = join(folder, 'project');
    for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || entry.parentPath === root) continue;
      const path = join(entry.parentPath, entry.name);
      const { ino, mtimeMs } = await stat(path);
      found.push(`${path} ${ino} ${mtimeMs}`);
    }
    return found.toSorted();
  };
  const send = async (booking: Booking, number: number): Promise<void> => {
    const into = join(folder, `images-${number}`);
    await mkdir(into);
    const made = makeSeries({
      modality: 'MR',
      patientId: booking.patientId,
      images: 3,
      seriesNumber: number,
      when: Temporal.Now.zonedDateTimeISO('Europe/Amsterdam'),
      worklistItem: dataSet({
        AccessionNumber: booking.accessionNumber,
        StudyInstanceUID: booking.studyInstanceUid,
      }),
    });
    for (const { sopInstanceUid, bytes } of made) await writeFile(join(into, `${sopInstanceUid}.dcm`), bytes);
    await storescu({ port: stack.ports.dicom, calledAet: 'ORTHANC', callingAet: 'PRISMA' }, [into]);
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'scanflow-backup-'));
    for (const name of ['project', 'backup']) {
      await mkdir(join(folder, name));
      await chmod(join(folder, name), 0o777);
    }
    await chmod(folder, 0o755);
    await (await Project.create('backup', ['compose.yaml'])).compose('build');
    stack = await Project.create('backup', ['compose.yaml']);
    config = await impatientConfig('scanflow.yaml');
    stack.env['SCANFLOW_CONFIG'] = config;
    stack.env['SCANFLOW_PROJECT'] = join(folder, 'project');
    stack.env['SCANFLOW_BACKUP'] = join(folder, 'backup');
    await up();
  });
  after(async () => {
    await stack.down();
    assert.deepEqual(await stack.remains(), [], 'nothing is left');
    // files of the containers' users
    await docker(
      'run',
      '--rm',
      '--user',
      '0',
      '-v',
      `${folder}:/f`,
      imageOf('cli'),
      'rm',
      '-rf',
      '/f/project',
      '/f/backup',
    );
    for (const made of [folder, config]) await rm(made, { recursive: true, force: true });
  });

  test('compose: neither is started by `up`, and backup may write nothing but the backup', async () => {
    assert.deepEqual(await stack.containers('backup'), []);
    const plain = JSON.parse(await compose('--profile', 'backup', 'config', '--format', 'json')) as {
      services: Record<
        string,
        { read_only: boolean; cap_drop: string[]; volumes: { target: string; read_only?: boolean }[] }
      >;
    };
    for (const service of ['backup', 'restore']) {
      assert.equal(plain.services[service]?.read_only, true);
      assert.deepEqual(plain.services[service].cap_drop, ['ALL']);
    }
    const writable = (plain.services['backup']?.volumes ?? []).filter((one) => one.read_only !== true);
    assert.deepEqual(
      writable.map(({ target }) => target),
      ['/backup'],
    );
  });

  const PASSWORD = 'correct horse battery';
  const board = (path: string, form: Record<string, string>): Promise<Response> =>
    fetch(`http://127.0.0.1:${stack.ports.board}${path}`, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'sec-fetch-site': 'same-origin' },
      body: new URLSearchParams(form),
    });

  let held: Booking[] = [];
  let files: string[] = [];

  test('volumes lost, storage on a host folder survives: all is recognised', async () => {
    held = await until(
      async () => {
        const found = await bookings().catch(() => []);
        return found.length > 1 ? found : undefined;
      },
      { what: 'there are bookings', timeoutMs: 60_000, everyMs: 500 },
    );
    const [first] = held;
    assert.ok(first !== undefined);
    await send(first, 1);
    const [row] = await complete(1);
    files = await stored();
    assert.ok(files.length >= 5, files.join('\n'));
    const link = await stack.exec('dashboard', 'scanflow', 'user', 'add', 'anna');
    const invited = await board(new URL(link.trim()).pathname, { password: PASSWORD });
    assert.equal(invited.status, 303);
    // while everything runs; and stopped, when nobody keeps the ledger's files open
    assert.match(await compose('run', '--rm', 'backup'), /scanflow-\d{8}T\d{6}Z: \d+ files/);
    await compose('stop', 'streamer', 'dashboard');
    assert.match(await compose('run', '--rm', 'backup'), /scanflow-\d{8}T\d{6}Z: \d+ files/);
    await assert.rejects(compose('run', '--rm', 'restore'), /cal2wl runs; nothing was changed/);
    await compose('down', '--volumes');
    await compose('run', '--rm', 'restore');
    await up();
    const [again] = await complete(1);
    const cookie = String(invited.headers.get('set-cookie')).split(';')[0] ?? '';
    const address = `http://127.0.0.1:${stack.ports.board}/`;
    const before = await fetch(address, { redirect: 'manual', headers: { cookie } });
    assert.equal(before.status, 303, 'browsers sign in anew');
    const signedIn = await board('/sign-in', { name: 'anna', password: PASSWORD });
    assert.deepEqual([signedIn.status, signedIn.headers.get('location')], [303, '/']);
    assert.deepEqual([again?.id, again?.images.stored], [row?.id, 3]);
    assert.deepEqual(await stored(), files);
    const now = new Map((await bookings()).map((one) => [one.accessionNumber, one.studyInstanceUid]));
    for (const { accessionNumber, studyInstanceUid } of held)
      assert.equal(now.get(accessionNumber), studyInstanceUid);
  });

  test('a backup that is older than storage: what came since is recognised, nothing is stored twice', async () => {
    await send(held[1] ?? held[0]!, 2);
    await complete(2);
    files = await stored();
    await compose('down', '--volumes');
    await compose('run', '--rm', 'restore');
    await up();
    const rows = await complete(2);
    assert.deepEqual(
      rows.map(({ images }) => images.stored),
      [3, 3],
    );
    assert.deepEqual(await stored(), files);
  });

  test('storage and Orthanc are lost, too, and restored by their documented commands', async () => {
    const page = await readFile(join(ROOT, 'docs/backup.md'), 'utf8');
    const command = (pattern: RegExp): string => {
      const found = pattern.exec(page)?.[0];
      assert.ok(found !== undefined, `docs/backup.md has no command like ${String(pattern)}`);
      return found;
    };
    const shell = async (text: string): Promise<void> => {
      const name = ['--project-name', stack.name, ...stack.files.flatMap((file) => ['-f', file])].join(' ');
      const script = text.replaceAll('docker compose', `docker compose ${name}`);
      const result = await run('sh', ['-ec', script.replaceAll('/srv/backup', folder)], {
        cwd: ROOT,
        env: stack.env,
        timeoutMs: 300_000,
      });
      assert.equal(result.code, 0, `${script}: ${result.stderr}`);
    };
    // one of Orthanc's own, which the streamer has stored
    await send(held[0]!, 3);
    await complete(3);
    await compose('stop', 'streamer', 'orthanc');
    await shell(command(/^docker compose run .*\/var\/lib\/orthanc -cz.*$/m));
    await shell(command(/^docker compose run .*cd \/project && .*$/m));
    await compose('start', 'orthanc', 'streamer');
    await compose('run', '--rm', 'backup');
    await compose('down', '--volumes');
    await docker(
      'run',
      '--rm',
      '--user',
      '0',
      '-v',
      `${folder}:/f`,
      imageOf('cli'),
      'sh',
      '-c',
      'rm -rf /f/project/*',
    );
    await compose('run', '--rm', 'restore');
    await shell(command(/^docker compose run .*\/var\/lib\/orthanc -xz.*$/m));
    await shell(command(/^docker compose run .*\/project -xz.*$/m));
    files = await stored();
    await up();
    const rows = await complete(3);
    assert.deepEqual(
      rows.map(({ images }) => [images.inOrthanc, images.stored]),
      [
        [3, 3],
        [3, 3],
        [3, 3],
      ],
    );
    assert.deepEqual(await stored(), files);
    const checked = await stack.exec(
      'streamer',
      'sh',
      '-c',
      'for m in $(find /project -name manifest-sha256.txt); do (cd "$(dirname "$m")" && sha256sum -c --quiet manifest-sha256.txt) || exit 1; done; find /project -name "*.dcm" | wc -l',
    );
    assert.equal(checked.trim(), '9');
  });
});
