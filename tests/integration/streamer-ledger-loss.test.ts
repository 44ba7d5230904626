/** The ledger is damaged or gone: that is said, and what is stored is recognised. */
import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import {
  findPostgres,
  run,
  startPostgres,
  startScriptedScp,
  until,
  type ScriptedScp,
} from '@scanflow/testkit';
import {
  askRebuild,
  ended,
  filesBelow,
  ledgerFile,
  loseLedger,
  overwrite,
  rebuilt,
  scanflow,
} from './streamer-loss-support.ts';
import { legOf, makeRig, phantom, sendTo, settled, type Rig, type RigOptions } from './streamer-support.ts';

/** Two series, stored, copied and sent; then the streamer is stopped. */
async function twoSeries(
  t: TestContext,
  options: RigOptions = {},
  before: (rig: Rig) => Promise<void> = () => Promise.resolve(),
): Promise<{ rig: Rig; pacs: ScriptedScp; late: string; files: ReadonlyMap<string, string> }> {
  const pacs = await startScriptedScp();
  t.after(() => pacs.close());
  const rig = await makeRig(t, { destinations: { pacs: pacs.port }, ...options });
  await before(rig);
  const first = await rig.start();
  const one = await phantom(join(rig.folder, 'a'), { images: 4, studyId: 'ses-1' });
  const two = await phantom(join(rig.folder, 'b'), { images: 3, studyId: 'ses-2' });
  const [late = '', ...sent] = one.files;
  await sendTo(rig.orthanc, ...sent, two.folder);
  await settled(rig, 2, ['complete']);
  await first.stop();
  assert.equal(pacs.requests.length, 6);
  return { rig, pacs, late, files: await filesBelow(rig.root) };
}

/** Both series are there as before, and nothing was written or sent. */
async function assertRecognised(
  { rig, pacs, files }: { rig: Rig; pacs: ScriptedScp; files: ReadonlyMap<string, string> },
  requests = 6,
): Promise<void> {
  const series = await settled(rig, 2, ['failed']);
  for (const one of series) {
    assert.equal(legOf(one, 'storage').state, 'done');
    assert.equal(legOf(one, 'pacs').failure?.code, 'SENT_UNKNOWN');
  }
  assert.deepEqual(await filesBelow(rig.root), files);
  assert.equal(pacs.requests.length, requests);
}

test('ledger loss: damaged while the streamer was down: said with what to do, kept aside, made anew', async (t) => {
  const { rig, pacs, late, files } = await twoSeries(t);
  await overwrite(ledgerFile(rig), 4096);
  const bytes = await readFile(ledgerFile(rig));
  await rig.start();
  assert.match(await ended(rig), /The ledger .* is damaged/);
  assert.match(rig.streamer().output(), /scanflow ledger rebuild/);
  assert.deepEqual(await readFile(ledgerFile(rig)), bytes, 'the damaged file was changed');
  await askRebuild(rig);
  await rig.start();
  await rebuilt(rig);
  const names = await readdir(dirname(ledgerFile(rig)));
  const aside = names.find((name) => /^ledger\.sqlite\.aside-\d{8}T\d{6}Z$/.test(name));
  assert.ok(aside !== undefined, names.join(' '));
  assert.deepEqual(await readFile(join(dirname(ledgerFile(rig)), aside)), bytes);
  assert.ok(!names.includes('rebuild.json'));
  await assertRecognised({ rig, pacs, files });

  // a late image goes by itself; what is unknown waits
  await sendTo(rig.orthanc, late);
  await until(() => pacs.requests.length === 7, { what: 'the late image is sent', timeoutMs: 30_000 });
  const series = await settled(rig, 2, ['failed']);
  const four = series.find(({ images }) => images.stored === 4);
  assert.equal(legOf(four, 'pacs').failure?.code, 'SENT_UNKNOWN');
  assert.equal(pacs.requests.length, 7);

  // a person wants it sent
  const args = ['--target', 'pacs', '--config', rig.configFile];
  const retried = await scanflow('series', 'retry', four?.id ?? '', ...args);
  assert.equal(retried.code, 0, retried.stderr);
  await until(() => pacs.requests.length === 10, { what: 'the three others are sent', timeoutMs: 30_000 });
  const after = await settled(rig, 2);
  const retriedSeries = after.find(({ id }) => id === four?.id);
  assert.equal(retriedSeries?.state, 'complete');
  assert.deepEqual([legOf(retriedSeries, 'pacs').done, legOf(retriedSeries, 'pacs').total], [4, 4]);
  assert.equal(new Set(pacs.requests).size, 7);
});

test('ledger loss: damaged while the streamer runs: it ends and says what to do', async (t) => {
  const rig = await makeRig(t);
  const program = await rig.start();
  const one = await phantom(join(rig.folder, 'a'), { images: 2 });
  await sendTo(rig.orthanc, one.folder);
  await settled(rig, 1, ['complete']);
  // all that is written goes into the file; the change of another connection makes the streamer read it again
  const other = new DatabaseSync(ledgerFile(rig), { timeout: 5000 });
  t.after(() => other.close());
  other.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  await overwrite(ledgerFile(rig), 4096);
  const version = other.prepare('PRAGMA user_version').get()?.['user_version'];
  other.exec(`PRAGMA user_version = ${String(version)}`);
  const two = await phantom(join(rig.folder, 'b'), { images: 2, studyId: 'ses-2' });
  await sendTo(rig.orthanc, two.folder);
  const said = await ended(rig);
  assert.match(said, /cannot go on/);
  assert.match(said, /is damaged .*scanflow ledger rebuild/s);
  assert.equal(program.exited(), true);
});

for (const moment of ['series-recovered', 'ledger-rebuilt'])
  test(`ledger loss: killed at ${moment}, the rebuild begins again`, async (t) => {
    const { rig, pacs, files } = await twoSeries(t);
    await loseLedger(rig);
    await askRebuild(rig);
    const doomed = await rig.start({ at: moment });
    await until(() => doomed.exited(), { what: 'it is killed', timeoutMs: 30_000 });
    await rig.start();
    await rebuilt(rig);
    await assertRecognised({ rig, pacs, files });
  });

test('ledger loss: what Orthanc alone has is stored, and its sending is unknown', async (t) => {
  const { rig, pacs } = await twoSeries(t);
  await loseLedger(rig);
  await askRebuild(rig);
  const third = await phantom(join(rig.folder, 'c'), { images: 2, studyId: 'ses-3' });
  await sendTo(rig.orthanc, third.folder);
  await rig.start();
  const series = await settled(rig, 3, ['failed']);
  const added = series.find(({ images }) => images.stored === 2);
  assert.deepEqual(
    [legOf(added, 'storage').state, legOf(added, 'pacs').failure?.code],
    ['done', 'SENT_UNKNOWN'],
  );
  assert.equal(pacs.requests.length, 6);
});

test('ledger loss: hooks are not run again, and the copy of everything is recognised', async (t) => {
  const notes = (rig: Rig): Promise<string[]> =>
    readFile(join(rig.folder, 'notes'), 'utf8').then(
      (text) => text.trim().split('\n'),
      // the first hook has not run yet
      () => [],
    );
  const { rig, pacs, files } = await twoSeries(t, {}, async (made) => {
    const config = JSON.parse(await readFile(made.configFile, 'utf8')) as Record<string, unknown>;
    const storage = { ...(config['storage'] as object), copy: { root: join(made.folder, 'copy') } };
    await run('mkdir', [join(made.folder, 'copy')]);
    const script = 'cat >/dev/null; echo "$SCANFLOW_EVENT" >>"$0"';
    const command = ['/bin/sh', '-c', script, join(made.folder, 'notes')];
    const hooks = { all: { on: ['stored', 'forwarded', 'complete'], command } };
    await writeFile(
      made.configFile,
      JSON.stringify({ ...config, storage, hooks, sessions: { quiet: '1s' } }),
    );
  });
  const copies = await filesBelow(join(rig.folder, 'copy'));
  // those that were told of it before the streamer was stopped, and what was left is told once
  await rig.start();
  await until(async () => (await notes(rig)).length === 6, { what: 'all hooks ran', timeoutMs: 30_000 });
  await rig.streamer().stop();
  await loseLedger(rig);
  await askRebuild(rig);
  await rig.start();
  await rebuilt(rig);
  const expected = await filesBelow(rig.root);
  assert.deepEqual(
    [...files.keys()].filter((name) => !expected.has(name)),
    [],
  );
  const [series] = await settled(rig, 2, ['failed']);
  assert.deepEqual(await filesBelow(join(rig.folder, 'copy')), copies);
  await scanflow('series', 'retry', series?.id ?? '', '--config', rig.configFile);
  await until(() => pacs.requests.length > 6, { what: 'one series is sent again', timeoutMs: 30_000 });
  await until(
    async () => {
      const page = (await (await rig.api('/api/sessions')).json()) as {
        sessions: { due?: string; complete?: boolean }[];
      };
      return page.sessions.some(({ complete }) => complete === true) ? page : undefined;
    },
    { what: 'a session is looked at', timeoutMs: 30_000 },
  );
  assert.equal((await notes(rig)).length, 6);
});

test(
  'ledger loss: an empty PostgreSQL database is filled likewise',
  {
    skip: findPostgres() === undefined ? 'PostgreSQL is not installed' : false,
  },
  async (t) => {
    const server = await startPostgres();
    t.after(() => server.stop());
    const ledger = { url: server.url, passwordFile: server.passwordFile, lease: '4s' };
    const { rig, pacs, files } = await twoSeries(t, { extra: { ledger } });
    const url = await server.makeDatabase('another');
    const config = JSON.parse(await readFile(rig.configFile, 'utf8')) as Record<string, unknown>;
    await writeFile(rig.configFile, JSON.stringify({ ...config, ledger: { ...ledger, url } }));
    await askRebuild(rig);
    await rig.start();
    await rebuilt(rig);
    await assertRecognised({ rig, pacs, files });
  },
);
