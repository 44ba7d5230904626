/** What people ask of the streamer: `scanflow series`, by the HTTP interface that no web page can use. */
import assert from 'node:assert/strict';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { headersOf, tokenFileOf } from '@scanflow/runtime';
import { run, startScriptedScp, until, type RunResult } from '@scanflow/testkit';
import { folderOf, verifyStored } from './streamer-verify.ts';
import { legOf, legWhen, makeRig, phantom, sendTo, settled, type Rig } from './streamer-support.ts';

const SCANFLOW = join(import.meta.dirname, '../../services/cli/bin/scanflow');
const series = (rig: Rig, ...args: string[]): Promise<RunResult> =>
  run(SCANFLOW, ['series', ...args, '--config', rig.configFile]);

/** What `scanflow series show` says of a series, once it fits. */
const showsInTime = (rig: Rig, id: string, pattern: RegExp): Promise<string> =>
  until(
    async () => {
      const { stdout } = await series(rig, 'show', id);
      return pattern.test(stdout) ? stdout : undefined;
    },
    { what: String(pattern), timeoutMs: 60_000 },
  );

test('people: a quarantined series is listed, shown and released with its labels', async (t) => {
  const rig = await makeRig(t);
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'a'), { images: 3, patientId: 'typed by hand' });
  await sendTo(rig.orthanc, folder);
  const [waiting] = await settled(rig, 1);
  const id = waiting?.id ?? '';
  const table = await series(rig, 'list', '--state', 'quarantined');
  assert.equal(table.code, 0, table.stderr);
  assert.match(table.stdout, new RegExp(`^ID .*\n${id.slice(0, 8)}  quarantined .*ROUTE_NO_MATCH`));
  assert.match((await series(rig, 'show', id.slice(0, 8))).stdout, /^reason +ROUTE_NO_MATCH: /m);
  const labels = ['--project', '3010000.09', '--subject', 'sub-009', '--session', 'ses-mri09'];
  assert.equal((await series(rig, 'release', id, ...labels.slice(0, 4))).code, 2, 'without a session');
  const released = await series(rig, 'release', id.slice(0, 8), ...labels);
  assert.deepEqual([released.code, released.stderr], [0, '']);
  const [stored] = await settled(rig, 1, ['complete']);
  assert.ok(stored !== undefined);
  assert.equal(relative(rig.root, folderOf(stored)), '3010000.09/raw/sub-009/ses-mri09/001-phantom_mr');
  assert.equal(await verifyStored(rig, stored), 3);
  const again = await series(rig, 'release', id, ...labels);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /stored already/);
  const listed = JSON.parse((await series(rig, 'list', '--json')).stdout) as { outcome: string }[];
  assert.deepEqual(
    listed.map(({ outcome }) => outcome),
    ['Complete'],
  );
  await rig.streamer().said(/series released by hand/);
  assert.doesNotMatch(rig.streamer().output(), /sub-009|3010000\.09/, 'a label stands in the log');
});

test('people: what a destination refused is sent again, and only that', async (t) => {
  let good = false;
  const scp = await startScriptedScp({ onStore: (count) => ({ status: good || count !== 2 ? 0 : 0xa900 }) });
  t.after(() => scp.close());
  const rig = await makeRig(t, { destinations: { pacs: scp.port } });
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'a'), { images: 4 });
  await sendTo(rig.orthanc, folder);
  const [failed] = await settled(rig, 1, ['failed']);
  assert.equal(legOf(failed, 'pacs').done, 3);
  good = true;
  const before = scp.requests.length;
  const id = failed?.id ?? '';
  const wrong = await series(rig, 'retry', id, '--target', 'storage');
  assert.deepEqual([wrong.code, wrong.stdout], [1, '']);
  const retried = await series(rig, 'retry', id, '--target', 'pacs');
  assert.deepEqual([retried.code, retried.stdout], [0, `${id}: pacs is tried again now\n`]);
  const leg = await legWhen(rig, 'pacs', ({ state }) => state === 'done', 'everything is sent');
  assert.equal(leg.done, 4);
  assert.equal(scp.requests.length, before + 1);
});

test('people: a paused destination gets nothing, also after a restart, until it is resumed', async (t) => {
  const scp = await startScriptedScp({ onStore: () => ({ status: 0 }) });
  t.after(() => scp.close());
  const rig = await makeRig(t, { destinations: { pacs: scp.port } });
  await rig.start();
  await settled(rig, 0);
  const destination = (...args: string[]): Promise<RunResult> =>
    run(SCANFLOW, ['destination', ...args, '--config', rig.configFile]);
  assert.equal((await destination('pause', 'pacs')).code, 2, 'without a reason');
  assert.equal((await destination('pause', 'nowhere', '--reason', 'x')).code, 2);
  assert.equal((await destination('resume', 'pacs')).code, 1, 'it is not paused');
  const paused = await destination('pause', 'pacs', '--reason', 'the archive is updated');
  assert.deepEqual([paused.code, paused.stderr], [0, '']);
  assert.match(
    (await destination('pause', 'pacs', '--reason', 'twice')).stderr,
    /paused already since .*updated/,
  );
  const { folder } = await phantom(join(rig.folder, 'a'), { images: 2 });
  await sendTo(rig.orthanc, folder);
  const leg = await legWhen(rig, 'pacs', ({ state }) => state === 'pending', 'it waits');
  assert.equal(leg.state, 'pending');
  await rig.streamer().stop('SIGKILL');
  await rig.start();
  const [one] = await settled(rig, 1, ['working']);
  const shown = await series(rig, 'show', one?.id ?? '');
  assert.match(
    shown.stdout,
    /^pacs +pending 0\/2\n +paused since (?:[\d-]+ )?\d\d:\d\d by \S+: the archive is updated$/m,
  );
  assert.match(
    (await destination('list')).stdout,
    /^pacs +paused +[\d-]+ [\d:+]+ +\S+ +1 +the archive is updated$/m,
  );
  assert.match(await rig.metrics(), /^scanflow_streamer_paused_series\{target="pacs"\} 1$/m);
  assert.equal(scp.requests.length, 0);
  assert.equal((await destination('resume', 'pacs', '--reason', 'it is back')).code, 0);
  await settled(rig, 1, ['complete']);
  assert.doesNotMatch(await rig.metrics(), /scanflow_streamer_paused_series\{/);
  assert.doesNotMatch(rig.streamer().output(), /the archive is updated/, 'a reason may name a person');
});

test('people: a hook that was given up is retried, its output is shown; one that left the configuration shows, and is given up', async (t) => {
  const rig = await makeRig(t, {
    extra: {
      hooks: {
        convert: {
          on: ['stored'],
          retries: 0,
          command: ['/bin/sh', '-c', 'echo looking; test -d "$1/ready"', 'sh', '{folder}'],
        },
        lost: { on: ['stored'], command: ['/bin/false'] },
      },
    },
  });
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'a'), { images: 2 });
  await sendTo(rig.orthanc, folder);
  const [stored] = await settled(rig, 1, ['complete']);
  assert.ok(stored !== undefined);
  const shown = (pattern: RegExp): Promise<string> => showsInTime(rig, stored.id, pattern);
  assert.match(await shown(/^hook:convert +failed/m), /HOOK_EXIT: .*\n +\| looking$/m);
  await shown(/^hook:lost +pending, 1 try/m);
  assert.equal((await series(rig, 'skip', '--all', '--target', 'hook:lost')).code, 1, 'it is configured');

  await rig.streamer().stop('SIGTERM');
  const config = JSON.parse(await readFile(rig.configFile, 'utf8')) as { hooks: Record<string, unknown> };
  const { lost: _, ...hooks } = config.hooks;
  await writeFile(rig.configFile, JSON.stringify({ ...config, hooks }));
  await rig.start();
  await rig.streamer().said(/runs of a hook wait.*HOOK_NOT_CONFIGURED/);
  assert.match(await shown(/^hook:lost +pending/m), /^ +HOOK_NOT_CONFIGURED: The hook lost is no longer/m);
  const { open } = (await (await rig.api('/api/hooks')).json()) as { open: Record<string, unknown>[] };
  assert.deepEqual(
    open.map(({ target, configured, pending, failed }) => [target, configured, pending, failed]),
    [
      ['hook:convert', true, 0, 1],
      ['hook:lost', false, 1, 0],
    ],
  );
  assert.match(await rig.metrics(), /^scanflow_streamer_hook_runs\{hook="lost",state="pending"\} 1$/m);
  assert.match((await series(rig, 'retry', stored.id, '--target', 'hook:lost')).stderr, /no longer in the/);

  await mkdir(join(folderOf(stored), 'ready'));
  const retried = await series(rig, 'retry', stored.id);
  assert.equal(retried.stdout, `${stored.id}: hook:convert is tried again now\n`);
  await shown(/^hook:convert +done/m);
  const skipped = await series(rig, 'skip', '--all', '--target', 'hook:lost');
  assert.deepEqual([skipped.code, skipped.stdout], [0, 'hook:lost: 1 run is skipped\n']);
  assert.match(await shown(/^hook:lost +done/m), /HOOK_SKIPPED: /);
});

test('people: a hook of a session that was given up is retried by any of its series, or skipped, and clean-up goes on', async (t) => {
  const rig = await makeRig(t, {
    extra: {
      sessions: { quiet: '500ms' },
      cleanup: { after: '500ms' },
      hooks: {
        tell: { on: ['complete'], retries: 0, command: ['/usr/bin/test', '-d', '{folder}/ready'] },
        lost: { on: ['complete'], retries: 0, command: ['/bin/false'] },
      },
    },
  });
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'a'), { images: 2 });
  await sendTo(rig.orthanc, folder);
  const [stored] = await settled(rig, 1, ['complete']);
  assert.ok(stored !== undefined);
  const shown = (pattern: RegExp): Promise<string> => showsInTime(rig, stored.id, pattern);
  await shown(/^hook:lost \(session\) +failed/m);
  assert.match(await shown(/^hook:tell \(session\) +failed/m), /HOOK_EXIT/);

  await mkdir(join(dirname(folderOf(stored)), 'ready'));
  const retried = await series(rig, 'retry', stored.id, '--target', 'hook:tell');
  assert.deepEqual([retried.code, retried.stdout], [0, `${stored.id}: hook:tell is tried again now\n`]);
  assert.match(await shown(/^hook:tell \(session\) +done/m), /^hook:lost \(session\) +failed/m);
  const listed = async (): Promise<number> => ((await rig.orthanc.get('/instances')) as unknown[]).length;
  assert.equal(await listed(), 2, 'deleted though a hook of its session has failed');

  assert.equal((await series(rig, 'skip', stored.id)).code, 2, 'skipped without saying what');
  assert.equal((await series(rig, 'skip', stored.id, '--target', 'hook:tell')).code, 1, 'that was done');
  const skipped = await series(rig, 'skip', stored.id, '--target', 'hook:lost');
  assert.deepEqual([skipped.code, skipped.stdout], [0, `${stored.id}: hook:lost is skipped\n`]);
  assert.match(await shown(/^hook:lost \(session\) +done/m), /HOOK_SKIPPED: /);
  assert.equal((await series(rig, 'retry', stored.id)).code, 1, 'there is nothing left to retry');
  await until(async () => (await listed()) === 0, { what: 'Orthanc is empty', timeoutMs: 60_000 });
});

test('people: nothing is asked where there is no streamer or no such series', async (t) => {
  const rig = await makeRig(t);
  const silent = await series(rig, 'list');
  assert.equal(silent.code, 2);
  assert.match(silent.stderr, /does not answer/);
  await rig.start();
  await settled(rig, 0);
  const unknown = await series(rig, 'show', '0123abcd');
  assert.deepEqual([unknown.code, unknown.stderr], [2, 'scanflow: there is no series 0123abcd\n']);
  assert.equal((await series(rig, 'show', 'x')).code, 2);
  assert.equal((await series(rig, 'list', '--state', 'lost')).code, 2);
  assert.equal((await series(rig, 'frobnicate')).code, 2);
  assert.equal((await series(rig, 'list')).stdout, 'no series\n');
});

/** The answer to a request that names the service as it likes. Not by fetch, which sets Host itself. */
const askAs = (rig: Rig, path: string, headers: Readonly<Record<string, string>>): Promise<string> =>
  new Promise((done, fail) => {
    const asked = request(`${rig.url}${path}`, { headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => {
        done(`${answer.statusCode} ${Buffer.concat(chunks).toString()}`);
      });
    });
    asked.on('error', fail).end();
  });

test('people: a page whose name leads here reads no label, with the token or without', async (t) => {
  const rig = await makeRig(t);
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'a'), { images: 1 });
  await sendTo(rig.orthanc, folder);
  const [series] = await settled(rig, 1, ['complete']);
  const LABEL = /sub-001|3010000\.01|ses-mri01/;
  assert.match(await (await rig.api('/api/series')).text(), LABEL);
  const { authorization } = await headersOf(tokenFileOf({ data: rig.data, http: {} }));
  const rebound = { host: 'rebind.attacker.example:9103', origin: 'http://rebind.attacker.example:9103' };
  for (const path of [
    '/api/series',
    '/api/series.csv',
    '/api/sessions',
    '/api/sessions.csv',
    `/api/series/${series?.id}`,
  ]) {
    assert.match(
      await askAs(rig, path, { ...rebound, 'sec-fetch-site': 'same-origin' }),
      /^403 (?!.*rebind)/,
    );
    assert.match(await askAs(rig, path, { ...rebound, authorization }), /^403 /);
    assert.match(await askAs(rig, path, {}), /^401 /);
  }
  for (const path of ['/livez', '/readyz', '/healthz', '/metrics']) {
    const open = await askAs(rig, path, { host: '10.1.2.3:9103' });
    assert.match(open, /^200 /);
    assert.doesNotMatch(open, LABEL);
  }
});

test('people: a web page can change nothing', async (t) => {
  const rig = await makeRig(t);
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'a'), { images: 1, patientId: 'nobody' });
  await sendTo(rig.orthanc, folder);
  const [waiting] = await settled(rig, 1, ['quarantined']);
  const path = `/api/series/${waiting?.id ?? ''}/release`;
  const labels = { project: 'p', subject: 's1', session: 't' };
  const post = async (headers: Record<string, string>, body = JSON.stringify(labels)): Promise<number> =>
    (await rig.api(path, { method: 'POST', headers, body })).status;
  const type = { 'content-type': 'application/json' };
  assert.equal(await post({ ...type, origin: 'https://evil.example' }), 403);
  assert.equal(await post({ 'content-type': 'text/plain' }), 415);
  assert.equal(await post(type, '{"project":"p"}'), 400);
  assert.equal(await post(type, '{"project":"p","subject":"s","session":7}'), 400);
  assert.equal(await post(type, '[]'), 400);
  assert.equal((await rig.series())[0]?.state, 'quarantined');
  assert.equal(await post(type), 200);
});

test('people: scanflow page shows what a service says, with the token; without one it says what to do', async (t) => {
  const rig = await makeRig(t);
  await rig.start();
  await settled(rig, 0);
  const page = (...args: string[]): Promise<RunResult> =>
    run(SCANFLOW, ['page', ...args, '--config', rig.configFile]);
  const shown = await page('streamer', '/api/series');
  assert.deepEqual([shown.code, shown.stdout, shown.stderr], [0, '{"series":[]}\n', '']);
  assert.match((await page('streamer', '/metrics')).stdout, /^scanflow_streamer_change_seq /m);
  assert.equal((await page('streamer', '/nothing')).code, 1);
  assert.equal((await page('frobnicator', '/healthz')).code, 2);
  const token = tokenFileOf({ data: rig.data, http: {} });
  await rm(token);
  const without = await page('streamer', '/api/series');
  assert.equal(without.code, 1);
  assert.match(without.stderr, /internal token cannot be read.*A service makes it when it starts/);
  assert.match((await series(rig, 'list')).stderr, /internal token cannot be read/);
});
