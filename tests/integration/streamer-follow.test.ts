/** What follows once images are stored: hooks, sessions and their reports, what scanners reported. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeExamRecord } from '@scanflow/booking';
import { examRecord, run, startStorescp, until } from '@scanflow/testkit';
import { folderOf, verifyManifest, verifyStored } from './streamer-verify.ts';
import { makeRig, phantom, scratch, sendTo, settled, type Rig } from './streamer-support.ts';

interface Told {
  readonly id: string;
  readonly event: string;
  readonly increment: number;
  readonly attempt: number;
  readonly folder?: string;
  readonly target?: string;
  readonly series?: { readonly images: { readonly stored: number } };
  readonly session?: { readonly outcome: string; readonly series: readonly unknown[] };
}

/** A hook's command that keeps what it is told; answers what it was told so far, in order. */
async function recorder(rig: Rig): Promise<{ command: string[]; told: () => Promise<Told[]> }> {
  const folder = join(rig.folder, 'told');
  await mkdir(folder);
  const script = 'cat >"$1/.$$" && mv "$1/.$$" "$1/$(date +%s%N)-$$.json"; echo ok';
  return {
    command: ['/bin/sh', '-c', script, 'sh', folder],
    told: async () => {
      const names = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
      return Promise.all(
        names.map(async (name) => JSON.parse(await readFile(join(folder, name), 'utf8')) as Told),
      );
    },
  };
}

/** Further sections for the next start. */
async function configure(rig: Rig, extra: Readonly<Record<string, unknown>>): Promise<void> {
  const before = JSON.parse(await readFile(rig.configFile, 'utf8')) as Record<string, unknown>;
  await writeFile(rig.configFile, JSON.stringify({ ...before, ...extra }));
}

const page = async <T>(rig: Rig, path: string): Promise<T> => (await (await rig.api(path)).json()) as T;

interface Session {
  readonly id: string;
  readonly outcome: string;
  readonly complete: boolean;
  readonly increment: number;
  readonly folder?: string;
}

const sessionWhen = (rig: Rig, wanted: (session: Session) => boolean, what: string): Promise<Session> =>
  until(
    async () => {
      const answer = await page<{ sessions: Session[] }>(rig, '/api/sessions').catch(() => undefined);
      return answer?.sessions.find(wanted);
    },
    { what, timeoutMs: 60_000, everyMs: 100 },
  );

test('follow: hooks are told of each increment and of the session, which has its report', async (t) => {
  const scp = await startStorescp({ folder: await scratch(t), aet: 'PACS' });
  t.after(() => scp.stop());
  const rig = await makeRig(t, { destinations: { pacs: scp.port } });
  const { command, told } = await recorder(rig);
  await configure(rig, {
    hooks: { all: { on: ['stored', 'forwarded', 'complete', 'failed'], command } },
    sessions: { quiet: '1s' },
  });
  await rig.start();
  const { files } = await phantom(join(rig.folder, 'a'), { images: 10, accession: 'ACC7' });
  await sendTo(rig.orthanc, ...files.slice(0, 6));
  const first = await sessionWhen(rig, ({ complete }) => complete, 'the session is complete');
  assert.deepEqual([first.outcome, first.increment], ['Complete', 1]);

  await sendTo(rig.orthanc, ...files);
  await sessionWhen(rig, ({ increment }) => increment === 2, 'the session is complete again');
  const events = await until(
    async () => {
      const all = await told();
      return all.length >= 6 ? all : undefined;
    },
    { what: 'six events', timeoutMs: 60_000 },
  );
  assert.deepEqual(
    events.map(({ event, increment, target = '' }) => `${event} ${increment} ${target}`.trimEnd()).sort(),
    ['complete 1', 'complete 2', 'forwarded 1 pacs', 'forwarded 2 pacs', 'stored 1', 'stored 2'],
  );
  const stored = events.filter(({ event }) => event === 'stored');
  assert.deepEqual(
    stored.map(({ increment, series }) => [increment, series?.images.stored]),
    [
      [1, 6],
      [2, 10],
    ],
  );
  assert.equal(new Set(events.map(({ id }) => id)).size, 6);
  const [series] = await settled(rig, 1, ['complete']);
  assert.ok(series !== undefined);
  assert.equal(stored[0]?.folder, folderOf(series));
  await verifyManifest(folderOf(series));

  const folder = join(rig.root, '3010000.01/raw/sub-001/ses-mri01');
  assert.equal(events.find(({ event }) => event === 'complete')?.folder, folder);
  const reports = (await readdir(folder)).filter((name) => name.startsWith('scanflow-report')).sort();
  assert.deepEqual(
    reports.map((name) => name.replace(/-[0-9a-f]{8}\./, '.')),
    ['scanflow-report-ACC7.csv', 'scanflow-report-ACC7.json'],
  );
  const csv = await readFile(join(folder, reports[0] ?? ''), 'utf8');
  assert.match(
    csv,
    /^accession,project,.*,sent_pacs\r\nACC7,3010000\.01,sub-001,ses-mri01,1,phantom_mr,MR,Complete,10,10,,0,10\r\n$/,
  );
  const json = JSON.parse(await readFile(join(folder, reports[1] ?? ''), 'utf8')) as Session;
  assert.deepEqual([json.outcome, json.complete, json.increment], ['Complete', true, 2]);
  assert.equal(await (await rig.api('/api/sessions.csv')).text(), csv);
});

test('follow: a hook that was ended with the streamer runs again, under the same id', async (t) => {
  const rig = await makeRig(t);
  const { command, told } = await recorder(rig);
  await configure(rig, { hooks: { all: { on: ['stored'], command } } });
  const doomed = await rig.start({ at: 'hook-ran' });
  const { folder } = await phantom(join(rig.folder, 'a'), { images: 2 });
  await sendTo(rig.orthanc, folder);
  await until(() => doomed.exited(), { what: 'the streamer dies after its hook', timeoutMs: 60_000 });
  assert.equal((await told()).length, 1);
  await rig.start();
  await until(async () => (await told()).length === 2, { what: 'the hook runs again', timeoutMs: 60_000 });
  const [first, second] = await told();
  assert.equal(second?.id, first?.id);
  const [series] = await settled(rig, 1, ['complete']);
  await until(
    async () => {
      const one = await page<{ series: { hooks: { state: string; output: string }[] } }>(
        rig,
        `/api/series/${series?.id ?? ''}`,
      );
      return one.series.hooks.every(({ state, output }) => state === 'done' && output === 'ok\n');
    },
    { what: 'the page says that the hook is done', timeoutMs: 60_000 },
  );
});

/** One that has ended and was not collected has no command line. */
const runs = async (pid: string): Promise<boolean> =>
  (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')) !== '';

test('follow: a hook whose streamer is killed in the midst of it is ended and runs again, never two at once', async (t) => {
  const rig = await makeRig(t);
  const notes = join(rig.folder, 'notes');
  await mkdir(notes);
  // notes who is still there of earlier runs; the first run, and what it started, goes on until it is ended
  const script = `
    for pid in $(cat "$1/pids" 2>/dev/null); do grep -q . "/proc/$pid/cmdline" 2>/dev/null && echo "$pid" >>"$1/two"; done
    echo $$ >>"$1/pids"
    [ -e "$1/go" ] || { sleep 3000 & echo $! >>"$1/pids"; echo >"$1/begun"; wait; }
    echo "$SCANFLOW_EVENT_ID" >>"$1/effects"; echo converted`;
  await configure(rig, {
    hooks: { slow: { on: ['stored'], command: ['/bin/sh', '-c', script, 'sh', notes] } },
  });
  const note = (name: string): Promise<string[]> =>
    readFile(join(notes, name), 'utf8').then(
      (text) => text.split('\n').filter((line) => line !== ''),
      () => [],
    );
  let before: string[] = [];
  t.after(async () => {
    for (const pid of before) if (await runs(pid)) process.kill(Number(pid), 'SIGKILL');
  });
  const doomed = await rig.start();
  const { folder } = await phantom(join(rig.folder, 'a'), { images: 2 });
  await sendTo(rig.orthanc, folder);
  await until(async () => (await readdir(notes)).includes('begun'), {
    what: 'the hook is under way',
    timeoutMs: 60_000,
  });
  before = await note('pids');
  await doomed.stop('SIGKILL');
  assert.deepEqual(await Promise.all(before.map(runs)), [true, true], 'it ended with the streamer');
  await writeFile(join(notes, 'go'), '');
  await rig.start();
  const [series] = await settled(rig, 1, ['complete']);
  const [hook] = await until(
    async () => {
      const one = await page<{ series: { hooks: { state: string; output: string }[] } }>(
        rig,
        `/api/series/${series?.id ?? ''}`,
      );
      return one.series.hooks.every(({ state }) => state !== 'pending') ? one.series.hooks : undefined;
    },
    { what: 'the hook is through', timeoutMs: 60_000 },
  );
  assert.deepEqual([hook?.state, hook?.output], ['done', 'converted\n']);
  assert.deepEqual(await Promise.all(before.map(runs)), [false, false]);
  assert.deepEqual(await note('two'), []);
  assert.equal((await note('effects')).length, 1);
  assert.equal((await note('pids')).length, 3);
  assert.ok(series !== undefined);
  await verifyManifest(folderOf(series));
});

test('follow: the example converts a series with dcm2niix', async (t) => {
  const rig = await makeRig(t);
  const script = join(import.meta.dirname, '../../docs/examples/to-nifti.sh');
  await configure(rig, {
    hooks: { nifti: { on: ['stored'], when: { modality: ['MR'] }, command: [script, '{folder}'] } },
  });
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'a'), { images: 12, rows: 64, columns: 64 });
  await sendTo(rig.orthanc, folder);
  const [series] = await settled(rig, 1, ['complete']);
  assert.ok(series !== undefined);
  const nifti = `${folderOf(series)}.nifti`;
  const names = await until(() => readdir(nifti).catch(() => undefined), {
    what: 'the conversion',
    timeoutMs: 60_000,
  }).catch(async (error: unknown) => {
    throw new Error(JSON.stringify(await page(rig, '/api/hooks')), { cause: error });
  });
  assert.deepEqual(names.sort(), ['1_phantom_mr.json', '1_phantom_mr.nii.gz']);
  const unpacked = await run('sh', [
    '-c',
    `gunzip -c "${join(nifti, '1_phantom_mr.nii.gz')}" | head -c 348 | od -An -t d2 -j 40 -N 8`,
  ]);
  assert.deepEqual(unpacked.stdout.trim().split(/\s+/), ['3', '64', '64', '12']);
  assert.equal(await verifyStored(rig, series), 12);
});

/** As the worklist service writes it when a scanner has ended an exam. */
async function report(rig: Rig, images: Readonly<Record<string, number>>): Promise<void> {
  const record = examRecord({
    sopInstanceUid: '1.2.3',
    series: Object.entries(images).map(([seriesInstanceUid, count]) => ({
      seriesInstanceUid,
      description: '',
      images: count,
      others: 0,
    })),
  });
  await mkdir(join(rig.data, 'performed'), { recursive: true });
  await writeFile(join(rig.data, 'performed', '1.2.3.json'), encodeExamRecord(record));
}

interface Expecting {
  readonly expected?: number;
  readonly outcome: string;
  readonly reasonCode?: string;
  readonly state: string;
  readonly increment: number;
}

const expecting = (rig: Rig, wanted: (series: Expecting) => boolean, what: string): Promise<Expecting> =>
  until(async () => (await page<{ series: Expecting[] }>(rig, '/api/series')).series.find(wanted), {
    what,
    timeoutMs: 60_000,
    everyMs: 100,
  });

test('follow: fewer images than the scanner made show as incomplete, until the rest comes', async (t) => {
  const rig = await makeRig(t, { extra: { sessions: { quiet: '500ms' } } });
  await rig.start();
  const uid = '2.25.4711';
  const { files } = await phantom(join(rig.folder, 'a'), { images: 6, seriesInstanceUid: uid });
  await sendTo(rig.orthanc, ...files.slice(0, 4));
  await settled(rig, 1, ['complete']);
  await report(rig, { [uid]: 6 });
  const short = await expecting(rig, ({ expected }) => expected === 6, 'the expected number is known');
  assert.deepEqual(
    [short.state, short.outcome, short.reasonCode],
    ['complete', 'Incomplete', 'SERIES_INCOMPLETE'],
  );
  await sessionWhen(rig, (one) => one.complete && one.outcome === 'Incomplete', 'the session is incomplete');
  await sendTo(rig.orthanc, ...files);
  await sessionWhen(rig, (one) => one.complete && one.outcome === 'Complete', 'the session is complete');
  const whole = await expecting(rig, ({ outcome }) => outcome === 'Complete', 'all images are there');
  assert.equal(whole.increment, 2);
});

test('follow: the quiet time ends when all images that the scanner made are there', async (t) => {
  const rig = await makeRig(t, { quiet: '10m' });
  await rig.start();
  const uid = '2.25.4712';
  const { files } = await phantom(join(rig.folder, 'a'), { images: 4, seriesInstanceUid: uid });
  await report(rig, { [uid]: 4 });
  await sendTo(rig.orthanc, ...files);
  const [series] = await settled(rig, 1, ['complete']);
  assert.ok(series !== undefined);
  assert.equal(await verifyStored(rig, series), 4);
});
