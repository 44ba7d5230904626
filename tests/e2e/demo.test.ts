/** `scanflow demo` as a person runs it: whole sessions through real peers, and nothing left behind. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { run, until } from '@scanflow/testkit';

const MAIN = fileURLToPath(new URL('../../services/cli/src/main.ts', import.meta.url));

interface Demo {
  readonly child: ChildProcess;
  readonly exit: Promise<number | null>;
  out(): string;
  err(): string;
}

function startDemo(args: readonly string[], temporary: string): Demo {
  const child = spawn(process.execPath, [MAIN, 'demo', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: temporary },
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const exit = once(child, 'close').then(([code]) => code as number | null);
  return { child, exit, out: () => out, err: () => err };
}

/** Command lines of all processes that name this folder. */
async function processesOf(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (line.includes(folder)) found.push(line.replaceAll('\0', ' '));
  }
  return found;
}

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-e2e-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The exams that the worklist service recorded. */
async function readExams(folder: string): Promise<{ state: string; series: { images: unknown }[] }[]> {
  const [work = ''] = await readdir(folder);
  const performed = join(folder, work, 'data', 'performed');
  const names = (await readdir(performed)).filter((name) => /^[\d.]+\.json$/.test(name));
  const texts = await Promise.all(names.map((name) => readFile(join(performed, name), 'utf8')));
  return texts.map((text) => JSON.parse(text) as { state: string; series: { images: unknown }[] });
}

interface Result {
  readonly accessionNumber: string;
  readonly patientId: string;
  readonly images: number;
  readonly stored: { readonly where: string; readonly verified: number };
  readonly sent: { readonly where: string; readonly verified: number };
  readonly problems: readonly string[];
}

test('demo: every image of two scanners with two sessions each is verified at both ends', async () => {
  await withFolder(async (folder) => {
    const demo = startDemo(['--scanners', '2', '--sessions', '2', '--images', '12', '--json'], folder);
    assert.equal(await demo.exit, 0, demo.err());
    const results = JSON.parse(demo.out()) as Result[];
    assert.equal(results.length, 4);
    assert.equal(new Set(results.map(({ accessionNumber }) => accessionNumber)).size, 4);
    for (const { images, stored, sent, problems, patientId } of results) {
      assert.deepEqual(
        { images, stored: stored.verified, sent: sent.verified, problems },
        {
          images: 12,
          stored: 12,
          sent: 12,
          problems: [],
        },
      );
      const [project = '', subject = ''] = patientId.split('_');
      assert.ok(stored.where.startsWith(`${project}/raw/${subject}/ses-`), stored.where);
      assert.equal(sent.where, 'pacs');
    }
    assert.deepEqual(await processesOf(folder), []);
  });
});

test('demo: the table names booking, accession, series, images and both places', async () => {
  await withFolder(async (folder) => {
    const demo = startDemo(['--images', '3'], folder);
    assert.equal(await demo.exit, 0, demo.err());
    assert.match(demo.out(), /booking +accession +series +images +stored where +sent where/);
    assert.match(
      demo.out(),
      /PRISMA \d\d:\d\d 3010000\.01_sub-001 ses-mr01 +[0-9A-Z]{16} +MR .+ 3 +3\/3 in 3010000\.01\/raw\/sub-001\/ses-mr01\/\S+ +3\/3 at pacs +verified/,
    );
    assert.match(demo.err(), /project storage +\S+\/project/);
  });
});

/** A part of what `--bids --json` prints. */
interface BidsResults {
  readonly images: readonly Result[];
  readonly bids: readonly {
    readonly state: string;
    readonly result: { readonly verdict: string; readonly dataset: string; readonly folder: string };
    readonly files: readonly string[];
  }[];
}

test('demo: --bids goes on until the session is a valid dataset, for programs and people', async () => {
  await withFolder(async (folder) => {
    const demo = startDemo(['--bids', '--json'], folder);
    assert.equal(await demo.exit, 0, demo.err());
    const { images, bids } = JSON.parse(demo.out()) as BidsResults;
    assert.ok(images.length >= 8 && images.every(({ problems }) => problems.length === 0));
    const [one] = bids;
    assert.deepEqual([bids.length, one?.state, one?.result.verdict], [1, 'done', 'valid']);
    const at = one?.result.folder ?? '';
    const name = `${at}/func/${at.replace('/', '_')}_task-rest_bold.nii.gz`;
    assert.ok(one !== undefined);
    assert.ok(one.files.includes(name), one.files.join('\n'));
    // the aborted run is not in the dataset
    assert.equal(one.files.filter((file) => file.endsWith('_bold.nii.gz')).length, 1);
    assert.ok(existsSync(join(one.result.dataset, name)));
    assert.match(demo.err(), /: BIDS valid/);
    assert.match(demo.err(), /Every session is valid BIDS/);
    assert.deepEqual(await processesOf(folder), []);
  });
});

test('demo: --bids says what to install, and starts nothing', async () => {
  await withFolder(async (folder) => {
    const missing = await run(process.execPath, [MAIN, 'demo', '--bids'], {
      env: { PATH: folder, TMPDIR: folder },
    });
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /dcm2niix is missing. Install it: sudo apt-get install dcm2niix/);
    const away = await run(process.execPath, [MAIN, 'demo', '--bids', '--worklist', 'A@b:1']);
    assert.equal(away.code, 2);
    assert.match(away.stderr, /--bids plays here alone/);
    assert.deepEqual(await readdir(folder), []);
  });
});

test('demo: a log of a whole session holds no subject, project or title', async () => {
  await withFolder(async (folder) => {
    const place = join(folder, 'kept');
    const demo = startDemo(['--images', '3', '--folder', place], folder);
    assert.equal(await demo.exit, 0, demo.err());
    for (const name of await readdir(join(place, 'log'))) {
      const log = await readFile(join(place, 'log', name), 'utf8');
      assert.notEqual(log, '', name);
      assert.doesNotMatch(log, /sub-001|3010000\.01|ses-mr01/, name);
    }
  });
});

/** What a program reads when everything is up. */
interface Ready {
  readonly board: string;
  readonly services: Readonly<Record<string, string>>;
  readonly signIn: string;
}

/** Signs in by the one-time link, and reads the day. */
async function dayOf({ board, signIn }: Ready): Promise<string> {
  const signedIn = await fetch(signIn, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'sec-fetch-site': 'same-origin' },
    body: new URLSearchParams({ password: 'correct horse battery' }),
  });
  assert.equal(signedIn.status, 303, await signedIn.text());
  const cookie = String(signedIn.headers.get('set-cookie')).split(';')[0] ?? '';
  return (await fetch(board, { headers: { cookie } })).text();
}

test('demo: --keep --json prints one line when everything is up, with a link that signs in; Ctrl-C stops everything and leaves nothing behind', async () => {
  await withFolder(async (folder) => {
    const demo = startDemo(['--images', '3', '--keep', '--json'], folder);
    await until(() => demo.out().includes('\n'), { what: 'everything is up', timeoutMs: 120_000 });
    const ready = JSON.parse(demo.out()) as Ready;
    const names = ['cal2wl', 'worklist', 'receiver', 'streamer', 'dashboard'];
    for (const name of names)
      assert.equal((await fetch(`${ready.services[name] ?? ''}/healthz`)).status, 200, name);
    assert.match(await dayOf(ready), /PRISMA/);
    await until(() => demo.err().includes('Everything keeps running'), {
      what: 'the demo is done',
      timeoutMs: 120_000,
    });
    assert.match(demo.err(), /sign in, once, by this link/);
    assert.match(demo.err(), /MPPS, the exam is in progress[\s\S]+MPPS, the exam is completed/);
    const [exam] = await readExams(folder);
    assert.deepEqual([exam?.state, exam?.series[0]?.images], ['COMPLETED', 3]);
    assert.equal(demo.out().split('\n').length, 2, 'one line');
    assert.ok((await processesOf(folder)).length >= 5, 'three services, Orthanc and the PACS run');
    demo.child.kill('SIGINT');
    await demo.exit;
    assert.deepEqual(await processesOf(folder), []);
    assert.deepEqual(await readdir(folder), []);
  });
});

test('demo: Ctrl-C in the middle stops everything and leaves nothing behind', async () => {
  await withFolder(async (folder) => {
    const demo = startDemo(['--images', '2000'], folder);
    await until(() => demo.err().includes('C-FIND'), { what: 'the session has begun', timeoutMs: 120_000 });
    demo.child.kill('SIGINT');
    assert.equal(await demo.exit, 1, demo.err());
    assert.deepEqual(await processesOf(folder), []);
    assert.deepEqual(await readdir(folder), []);
  });
});

test('demo: one Ctrl-C that arrives several times, as under npm, still stops in order', async () => {
  await withFolder(async (folder) => {
    const demo = startDemo(['--images', '3', '--keep'], folder);
    await until(() => demo.err().includes('Everything keeps running'), {
      what: 'the demo is done',
      timeoutMs: 120_000,
    });
    for (let turn = 0; turn < 5; turn += 1) {
      demo.child.kill('SIGINT');
      await pause(10);
    }
    assert.equal(await demo.exit, 0, demo.err());
    assert.deepEqual(await processesOf(folder), []);
    assert.deepEqual(await readdir(folder), []);
  });
});

test('demo: wrong usage is exit code 2 and starts nothing', async () => {
  await withFolder(async (folder) => {
    const demo = startDemo(['--images', 'many'], folder);
    assert.equal(await demo.exit, 2);
    assert.match(demo.err(), /--images takes a whole number from 1 to 5000/);
    assert.ok(existsSync(folder));
    assert.deepEqual(await readdir(folder), []);
  });
});

test('demo: where its workspace is absent, as in the images of the services, the command says what to run', async () => {
  await withFolder(async (folder) => {
    const command = join(folder, 'services/cli/src');
    await cp(dirname(MAIN), command, { recursive: true });
    await cp(join(dirname(MAIN), '../package.json'), join(folder, 'services/cli/package.json'));
    const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));
    await mkdir(join(folder, 'node_modules/@scanflow'), { recursive: true });
    for (const name of await readdir(join(modules, '@scanflow')))
      if (name !== 'demo')
        await symlink(join(modules, '@scanflow', name), join(folder, 'node_modules/@scanflow', name));
    assert.deepEqual(await run(process.execPath, [join(command, 'main.ts'), 'demo', '--help']), {
      code: 2,
      stdout: '',
      stderr:
        'scanflow: the demo is not installed here: run npm run demo in a checkout, or compose.demo.yaml for containers\n' +
        'Try: scanflow --help\n',
    });
  });
});
