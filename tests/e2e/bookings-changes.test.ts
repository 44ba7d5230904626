/** `scanflow bookings --changes` over a data folder that 0.1.0 made: old and new before an update. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run, type RunResult } from '@scanflow/testkit';

const SCANFLOW = fileURLToPath(new URL('../../services/cli/bin/scanflow', import.meta.url));
const FIXTURE = fileURLToPath(new URL('../fixtures/data-0.1.0', import.meta.url));
const WINDOW = ['--from', '2026-07-05T21:40:00Z', '--to', '2026-07-13T09:40:00Z'];

interface Side {
  readonly accessionNumber: string;
  readonly studyInstanceUid: string;
  readonly session: string;
  readonly subject: string;
}
interface Row {
  readonly change: string;
  readonly code: string;
  readonly before?: Side;
  readonly after?: Side;
  readonly differs: readonly string[];
}

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-changes-'));
  t.after(() => rm(folder, { recursive: true }));
  await cp(FIXTURE, folder, { recursive: true });
  const config = join(folder, 'scanflow.yaml');
  await writeFile(config, (await readFile(config, 'utf8')).replaceAll('FOLDER', folder));
  return folder;
}

const changes = (folder: string, ...args: string[]): Promise<RunResult> =>
  run(SCANFLOW, ['bookings', '--changes', '--config', join(folder, 'scanflow.yaml'), ...WINDOW, ...args]);

/** Names, times and contents of everything in a folder. */
async function stampOf(folder: string): Promise<string> {
  const hash = createHash('sha256');
  for (const entry of (await readdir(folder, { recursive: true })).sort()) {
    const path = join(folder, entry);
    const found = await stat(path);
    hash.update(`${entry} ${found.mtimeMs}`);
    if (found.isFile()) hash.update(await readFile(path));
  }
  return hash.digest('hex');
}

test('changes: old and new of each booking, what appears and disappears; the folder is only read', async (t) => {
  const folder = await folderOf(t);
  const before = await stampOf(folder);
  const { code, stdout, stderr } = await changes(folder, '--json');
  assert.equal(code, 1, stderr);
  assert.equal(await stampOf(folder), before);
  const rows = JSON.parse(stdout) as Row[];
  const of = (kind: string): Row[] => rows.filter(({ change }) => change === kind);
  for (const row of [...of('same'), ...of('changed'), ...of('stays')]) {
    assert.ok(row.before && row.after);
    assert.equal(row.after.accessionNumber, row.before.accessionNumber);
    assert.equal(row.after.studyInstanceUid, row.before.studyInstanceUid);
  }
  assert.equal(of('new numbers').length, 0);
  assert.deepEqual(
    of('appears').map(({ after }) => after?.subject),
    ['sub-014'],
  );
  assert.deepEqual(
    of('disappears').map(({ code: why }) => why),
    ['MAINTENANCE', 'CANCELLED_TITLE'],
  );
  const relabelled = of('changed').filter(({ differs }) => differs.includes('session'));
  assert.deepEqual(
    relabelled.map(({ before: old, after }) => [old?.session, after?.session]),
    [
      ['ses-mri', 'ses-mri-01'],
      ['ses-mri01', 'ses-mri01.2'],
      ['ses-pr', 'ses-prée01'],
    ],
  );
  assert.equal(
    of('changed').filter(({ differs }) => differs.includes('start')).length,
    5,
    'British summer time',
  );
  assert.deepEqual(
    of('stays').map(({ code: why, before: old }) => [why, old?.session]),
    [['REREAD', 'ses-mri']],
  );
});

test('changes: a table for a person', async (t) => {
  const { code, stdout } = await changes(await folderOf(t));
  assert.equal(code, 1);
  assert.match(
    stdout,
    /^~ changed .* sub-002 ses-mri\n {4}accession {2}NX8BHG013WW1KK94 \(kept\)\n {4}session {4}ses-mri → ses-mri-01$/m,
  );
  assert.match(stdout, /^− disappears .* sub-012 ses-01\n.*\n {4}MAINTENANCE: /m);
  assert.match(stdout, /0 new numbers, 1 appears, 2 disappears/);
});

test('changes: exit 0 where all stays, new numbers where somebody relabelled, 1 without the calendar, 2 without a folder', async (t) => {
  const folder = await folderOf(t);
  const feed = join(folder, 'feed.ics');
  const text = await readFile(feed, 'latin1');
  await writeFile(
    feed,
    text
      .replace(/BEGIN:VEVENT\r\nUID:off[\s\S]*?END:VEVENT\r\n/, '')
      .replace('sub-002 ses-mri-01', 'sub-099 ses-mri-01'),
    'latin1',
  );
  const rows = JSON.parse((await changes(folder, '--json')).stdout) as Row[];
  const renamed = rows.find(({ change }) => change === 'new numbers');
  assert.deepEqual([renamed?.before?.subject, renamed?.after?.subject], ['sub-002', 'sub-099']);
  assert.notEqual(renamed?.before?.accessionNumber, renamed?.after?.accessionNumber);
  assert.ok(rows.some(({ change, code }) => change === 'disappears' && code === 'LOST'));
  const quiet = ['--from', '2026-07-05T22:00:00Z', '--to', '2026-07-06T15:00:00Z'];
  assert.equal(
    (await run(SCANFLOW, ['bookings', '--changes', '--config', join(folder, 'scanflow.yaml'), ...quiet]))
      .code,
    0,
  );
  await rm(feed);
  const unread = await changes(folder, '--json');
  assert.equal(unread.code, 1);
  assert.match(unread.stderr, /is not there \(ENOENT\).*its last good copy is shown/);
  assert.equal((JSON.parse(unread.stdout) as Row[]).length, 26);
  const nowhere = await changes(folder, '--data', join(folder, 'nowhere'));
  assert.equal(nowhere.code, 2);
  assert.match(nowhere.stderr, /there are no bookings in .*nowhere/);
  assert.equal((await run(SCANFLOW, ['bookings', '--changes'])).code, 2);
});

test('changes: a calendar under another name is named before cal2wl refuses it; with its former one as id all is as before', async (t) => {
  const folder = await folderOf(t);
  const config = join(folder, 'scanflow.yaml');
  const text = await readFile(config, 'utf8');
  const before = await changes(folder, '--json');
  const naming = (entry: string): Promise<void> =>
    writeFile(config, text.replace('calendars: { prisma: {', `calendars: { ${entry}`));
  await naming('mr1: {');
  const refused = await changes(folder, '--json');
  assert.equal(refused.code, 1);
  assert.deepEqual(JSON.parse(refused.stdout), []);
  assert.match(refused.stderr, /^scanflow: mr1: .*`id: prisma` under calendars\.mr1.*\(CALENDAR_RENAMED\)$/m);
  await naming('mr1: { id: prisma,');
  const rows = JSON.parse((await changes(folder, '--json')).stdout) as (Row & { calendar: string })[];
  assert.deepEqual(
    rows.map((row) => ({ ...row, calendar: 'prisma' })),
    JSON.parse(before.stdout),
  );
  assert.ok(rows.every(({ calendar }) => calendar === 'mr1'));
});
