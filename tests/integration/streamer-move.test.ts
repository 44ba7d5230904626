/** `scanflow series move`: what is stored under wrong labels is stored anew under the right ones, and then goes from where it was. */
import assert from 'node:assert/strict';
import { access, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { test, type TestContext } from 'node:test';
import { run, startStorescp, until, type RunResult } from '@scanflow/testkit';
import { folderOf, recordOf, verifyStored } from './streamer-verify.ts';
import {
  legOf,
  makeRig,
  phantom,
  scratch,
  sendTo,
  settled,
  type Rig,
  type RigOptions,
  type Series,
} from './streamer-support.ts';
import { sha256 } from './sha256.ts';

const SCANFLOW = join(import.meta.dirname, '../../services/cli/bin/scanflow');
const TO = ['--project', '3010000.09', '--subject', 'sub-009', '--session', 'ses-mri09'];
const THERE = '3010000.09/raw/sub-009/ses-mri09/001-phantom_mr';
const IMAGES = 6;

const cli = (rig: Rig, ...args: string[]): Promise<RunResult> =>
  run(SCANFLOW, ['series', ...args, '--config', rig.configFile]);
const move = (rig: Rig, series: Series, ...more: string[]): Promise<RunResult> =>
  cli(rig, 'move', series.id, ...TO, '--reason', 'wrong item picked', ...more);

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Once it is at the new place, and nothing is under way. */
const moved = (rig: Rig): Promise<Series> =>
  until(
    async () => {
      const [series] = await settled(rig, 1, ['complete', 'failed', 'working']);
      if (series === undefined || relative(rig.root, folderOf(series)) !== THERE) return undefined;
      const { series: one } = (await (await rig.api(`/api/series/${series.id}`)).json()) as {
        series: { moving?: object };
      };
      return one.moving === undefined ? series : undefined;
    },
    { what: 'the series is moved', timeoutMs: 60_000 },
  );

async function storedRig(t: TestContext, options: RigOptions = {}): Promise<{ rig: Rig; series: Series }> {
  const rig = await makeRig(t, options);
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'a'), { images: IMAGES });
  await sendTo(rig.orthanc, folder);
  const [series] = await settled(rig, 1, ['complete']);
  assert.ok(series !== undefined);
  return { rig, series };
}

/** SHA-256 of the files of images, by name. */
async function sums(folder: string): Promise<Record<string, string>> {
  const { instances } = await recordOf(folder);
  const pairs = instances.map(
    async ({ file }) => [file, sha256(await readFile(join(folder, file)))] as const,
  );
  return Object.fromEntries(await Promise.all(pairs));
}

interface Written {
  readonly labels: object;
  readonly routedBy: string;
  readonly booking?: object;
  readonly movedTo?: string;
  readonly decision: { readonly kind: string; readonly reason: string };
  readonly moved: readonly {
    readonly reason: string;
    readonly from: { readonly path: string; readonly labels: object; readonly routedBy: string };
    readonly to: { readonly path: string };
    readonly left?: readonly string[];
  }[];
}
const written = async (folder: string): Promise<Written> =>
  JSON.parse(await readFile(join(folder, 'series.json'), 'utf8')) as Written;

/** What lies below a folder, but for the heartbeat of the root while it is written aside. */
const namesBelow = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true })).filter((name) => !name.endsWith('.tmp')).sort();

test('move: byte for byte, with series.tar, on record in both places, and the old folder goes', async (t) => {
  const scp = await startStorescp({ folder: await scratch(t), aet: 'PACS' });
  t.after(() => scp.stop());
  const root = await scratch(t);
  const copy = await scratch(t);
  const { rig, series } = await storedRig(t, {
    root,
    destinations: { pacs: scp.port },
    extra: { storage: { root, tar: true, copy: { root: copy } }, sessions: { quiet: '300ms' } },
  });
  const old = folderOf(series);
  const before = await sums(old);
  const report = await until(
    async () => (await readdir(dirname(old))).find((name) => name.startsWith('scanflow-report')),
    { what: 'the report of the session', timeoutMs: 30_000 },
  );
  const copies = await namesBelow(copy);
  const ordered = await move(rig, series);
  assert.deepEqual([ordered.code, ordered.stderr], [0, '']);
  const now = await moved(rig);
  assert.deepEqual(await sums(folderOf(now)), before);
  const manifest = await run('sha256sum', ['-c', '--strict', 'manifest-sha256.txt'], { cwd: folderOf(now) });
  assert.equal(manifest.code, 0, manifest.stdout);
  assert.equal(manifest.stdout.trim().split('\n').length, IMAGES + 1, manifest.stdout);
  assert.match(manifest.stdout, /^series\.tar: OK$/m);
  assert.deepEqual((await readdir(root)).filter((name) => !name.startsWith('.')).sort(), [
    '3010000.01',
    '3010000.09',
  ]);
  assert.deepEqual(await readdir(join(root, '3010000.01')), [], 'a folder names the subject still');
  const record = await written(folderOf(now));
  assert.deepEqual(record.labels, { project: '3010000.09', subject: 'sub-009', session: 'ses-mri09' });
  assert.deepEqual([record.routedBy, record.decision.kind], ['person', 'move']);
  const [entry] = record.moved;
  assert.deepEqual(
    [entry?.reason, entry?.from.path, entry?.from.routedBy, entry?.to.path],
    ['wrong item picked', relative(root, old), 'patterns', THERE],
  );
  // the copy of everything knows no labels
  assert.deepEqual(await namesBelow(copy), copies);
  assert.deepEqual([legOf(now, 'pacs').done, (await scp.files()).length], [IMAGES, IMAGES], 'sent again');
  const shown = await cli(rig, 'show', series.id.slice(0, 8));
  assert.match(shown.stdout, /^moved +.*, by \S+, from 3010000\.01\/raw\S+: wrong item picked$/m);
  assert.match(shown.stdout, /^labels +3010000\.09 sub-009 ses-mri09$/m);
  // the report goes with it
  await until(() => exists(join(dirname(folderOf(now)), report)), { what: 'the report', timeoutMs: 30_000 });
  assert.doesNotMatch(rig.streamer().output(), /sub-009|3010000\.09|wrong item/, 'a label stands in the log');
});

test('move: wanted, destinations get it once more; files of others and changed ones stay, and are named', async (t) => {
  const scp = await startStorescp({ folder: await scratch(t), aet: 'PACS', extra: ['+uf'] });
  t.after(() => scp.stop());
  const { rig, series } = await storedRig(t, { destinations: { pacs: scp.port } });
  const old = folderOf(series);
  await writeFile(join(old, 'notes.txt'), 'by hand');
  const before = await sums(old);
  const [changed = ''] = Object.keys(before);
  await writeFile(join(old, changed), 'changed by hand');
  assert.equal((await move(rig, series, '--send')).code, 0);
  const now = await moved(rig);
  // the changed one came from Orthanc
  assert.deepEqual(await sums(folderOf(now)), before);
  assert.deepEqual((await readdir(old)).sort(), [changed, 'notes.txt'].sort());
  const { series: one } = (await (await rig.api(`/api/series/${series.id}`)).json()) as {
    series: { moved: { left: string[] }[] };
  };
  assert.deepEqual(one.moved[0]?.left.toSorted(), [changed, 'notes.txt'].sort());
  const leg = await until(
    async () => {
      const [last] = await rig.series();
      const found = legOf(last, 'pacs');
      return found.state === 'done' ? found : undefined;
    },
    { what: 'it is sent once more', timeoutMs: 30_000 },
  );
  assert.deepEqual([leg.done, leg.total], [IMAGES, IMAGES]);
  assert.equal((await scp.files()).length, 2 * IMAGES);
});

test('move: kept, the old folder says where the series is; late images go to the new one', async (t) => {
  const rig = await makeRig(t);
  await rig.start();
  const { files } = await phantom(join(rig.folder, 'a'), { images: IMAGES });
  await sendTo(rig.orthanc, ...files.slice(1));
  const [series] = await settled(rig, 1, ['complete']);
  assert.ok(series !== undefined);
  const old = folderOf(series);
  assert.equal((await move(rig, series, '--keep')).code, 0);
  await moved(rig);
  assert.equal((await written(old)).movedTo, THERE);
  assert.equal((await readdir(old)).filter((name) => name.endsWith('.dcm')).length, IMAGES - 1);
  await sendTo(rig.orthanc, files[0]!);
  const late = await until(
    async () => {
      const [one] = await settled(rig, 1, ['complete']);
      return one?.images.stored === IMAGES ? one : undefined;
    },
    { what: 'the late image is stored', timeoutMs: 30_000 },
  );
  assert.equal(relative(rig.root, folderOf(late)), THERE);
  assert.equal(await verifyStored(rig, late), IMAGES);
  // and back again
  const back = await cli(
    rig,
    ...['move', series.id, '--project', '3010000.01', '--subject', 'sub-001', '--session', 'ses-mri01'],
    ...['--reason', 'it was right'],
  );
  assert.equal(back.code, 0, back.stderr);
  const again = await until(
    async () => {
      const [one] = await settled(rig, 1, ['complete']);
      return one !== undefined && folderOf(one) === old ? one : undefined;
    },
    { what: 'it is back', timeoutMs: 30_000 },
  );
  assert.equal(await verifyStored(rig, again), IMAGES);
  assert.equal((await written(old)).moved.length, 2);
  assert.equal((await written(old)).movedTo, undefined);
});

test('move: what Orthanc no longer has is moved from where it is stored; where nobody has it, nothing is moved', async (t) => {
  const { rig, series } = await storedRig(t, { extra: { cleanup: { after: '300ms' } } });
  await until(async () => ((await rig.orthanc.get('/series')) as string[]).length === 0, {
    what: 'it is deleted from Orthanc',
    timeoutMs: 30_000,
  });
  const old = folderOf(series);
  const before = await sums(old);
  const [file = ''] = Object.keys(before);
  const good = await readFile(join(old, file));
  await writeFile(join(old, file), 'changed by hand');
  assert.equal((await move(rig, series)).code, 0);
  await until(async () => /MOVE_SOURCE_CHANGED/.test((await cli(rig, 'show', series.id)).stdout), {
    what: 'it says why it was not moved',
    timeoutMs: 30_000,
  });
  assert.equal(await exists(join(rig.root, THERE)), false, 'something stays at the new place');
  assert.equal((await readdir(old)).length, IMAGES + 2);
  await writeFile(join(old, file), good);
  const again = await move(rig, series);
  assert.equal(again.code, 0, again.stderr);
  const now = await moved(rig);
  assert.deepEqual(await sums(folderOf(now)), before);
  assert.equal(await exists(old), false);
});

/** The command on a terminal on which somebody types `answer`. */
const onTerminal = (rig: Rig, series: Series, answer: string, ...more: string[]): Promise<RunResult> => {
  const words = [SCANFLOW, 'series', 'move', series.id, ...TO, '--reason', 'x', ...more, '--config'];
  const command = [...words, rig.configFile].map((word) => `'${word}'`).join(' ');
  const typed = `printf '${answer}' | script --quiet --return --command "$1" /dev/null`;
  return run('sh', ['-c', typed, 'sh', command]);
};

test('move: it shows both folders; on a terminal it asks first, and --json prints where from and to', async (t) => {
  const { rig, series } = await storedRig(t);
  const old = folderOf(series);
  const there = join(rig.root, THERE);
  const no = await onTerminal(rig, series, 'n\\n');
  assert.equal(no.code, 2, no.stdout);
  assert.ok(no.stdout.includes(`lies in ${old}`) && no.stdout.includes(`goes to ${there}`), no.stdout);
  assert.match(no.stdout, /Move it\? \[y\/N\]/);
  assert.match(no.stdout, /nothing is done/);
  assert.equal((await (await rig.api(`/api/series/${series.id}`)).text()).includes('"moving"'), false);
  const yes = await onTerminal(rig, series, '', '--yes');
  assert.equal(yes.code, 0, yes.stdout);
  assert.doesNotMatch(yes.stdout, /\[y\/N\]/);
  const now = await moved(rig);
  const labels = ['--project', '3010000.01', '--subject', 'sub-001', '--session', 'ses-mri01'];
  const back = await cli(rig, 'move', now.id, ...labels, '--reason', 'it was right', '--json');
  assert.deepEqual(JSON.parse(back.stdout), { id: series.id, order: 'move', from: there, to: old });
});

test('move: a series that is not at rest is refused with a sentence, and so are bad labels', async (t) => {
  const rig = await makeRig(t, { quiet: '2s' });
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'a'), { images: 1, patientId: 'typed by hand' });
  await sendTo(rig.orthanc, folder);
  const [waiting] = await settled(rig, 1, ['quarantined']);
  assert.ok(waiting !== undefined);
  const quarantined = await move(rig, waiting);
  assert.deepEqual([quarantined.code, /quarantined.*Release it/.test(quarantined.stderr)], [1, true]);
  const second = await phantom(join(rig.folder, 'b'), { images: 2 });
  await sendTo(rig.orthanc, second.folder);
  const all = await settled(rig, 2, ['quarantined', 'complete']);
  const stored = all.find(({ state }) => state === 'complete');
  assert.ok(stored !== undefined);
  const bad = await cli(
    rig,
    ...['move', stored.id, '--project', '3010000.09', '--subject', 'anna test', '--session', 'ses-1'],
    ...['--reason', 'x'],
  );
  assert.match(bad.stderr, /must be a code/);
  assert.equal((await cli(rig, 'move', stored.id, ...TO)).code, 2, 'without a reason');
  const same = await cli(
    rig,
    ...['move', stored.id, '--project', '3010000.01', '--subject', 'sub-001', '--session', 'ses-mri01'],
    ...['--reason', 'x'],
  );
  assert.match(same.stderr, /under these labels already/);
});
