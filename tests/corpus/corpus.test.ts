/** `npm run test:corpus`: a folder of images and calendars, good and bad ones, archives and links, through the product. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { makeCalendar, run } from '@scanflow/testkit';
import { phantom } from '../integration/streamer-support.ts';
import { CalendarJudge } from './calendars.ts';
import type { Report } from './report.ts';
import type { Row } from './rows.ts';

const RUN = join(import.meta.dirname, 'run.ts');
const START = Temporal.ZonedDateTime.from('2026-11-23T10:00[Europe/Amsterdam]');
const NAME = 'Verysecret^Person';

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-corpus-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** As an operator starts it; its temporary files in `temp`. */
async function corpus(
  folder: string,
  temp: string,
  ...more: string[]
): Promise<{ readonly code: number | null; readonly output: string }> {
  const { code, stdout, stderr } = await run(process.execPath, [RUN, folder, ...more], {
    env: { TMPDIR: temp, INIT_CWD: temp },
    timeoutMs: 120_000,
  });
  return { code, output: stdout + stderr };
}

const event = (uid: string, ...lines: string[]): string =>
  [
    'BEGIN:VEVENT',
    `UID:${uid}`,
    'DTSTART:20261123T090000Z',
    'DTEND:20261123T100000Z',
    ...lines,
    'END:VEVENT',
  ].join('\r\n');
const calendar = (...events: string[]): string =>
  ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//Scanflow//corpus//EN', ...events, 'END:VCALENDAR', ''].join(
    '\r\n',
  );

async function tarOf(file: string, name: string): Promise<Buffer> {
  const tar = pack();
  tar.entry({ name }, await readFile(file));
  tar.finalize();
  return Buffer.concat(await Array.fromAsync(tar as AsyncIterable<Buffer>));
}

/** Two series, one image in an archive, one as a .gz, a calendar, and files that are neither. */
async function fill(folder: string): Promise<void> {
  const mr = await phantom(join(folder, 'mr'), { images: 4, patientName: NAME });
  const other = await phantom(join(folder, 'archived'), { images: 2, seriesNumber: 2 });
  await writeFile(join(folder, 'rest.tar.gz'), gzipSync(await tarOf(other.files[0] ?? '', 'deep/one.dcm')));
  await writeFile(join(folder, 'one.dcm.gz'), gzipSync(await readFile(other.files[1] ?? '')));
  await rm(other.folder, { recursive: true });
  await writeFile(
    join(folder, 'bookings.ics'),
    makeCalendar([
      { uid: 'a@b', start: START, end: START.add({ hours: 1 }), summary: '3010000.01 sub-001 ses-mri01' },
    ]),
  );
  await writeFile(join(folder, 'notes.txt'), 'nothing to try');
  await symlink(mr.folder, join(folder, 'zz-again'));
  await symlink(folder, join(folder, 'zz-circle'));
  await symlink(join(folder, 'nowhere'), join(folder, 'zz-nowhere'));
}

test('corpus: good images and calendars, in archives and behind links too, all hold, and nothing stays', async (t) => {
  const [folder, temp] = [await folderFor(t), await folderFor(t)];
  await fill(folder);
  const { code, output } = await corpus(folder, temp, '--report', 'out');
  assert.equal(code, 0, output);
  assert.deepEqual(await readdir(temp), ['out'], 'something was left behind');
  const report = JSON.parse(await readFile(join(temp, 'out/corpus.json'), 'utf8')) as Report;
  const held = (check: Row['check']): number =>
    report.rows.filter((one) => one.check === check && one.outcome === 'held').length;
  assert.deepEqual([held('taken'), held('stored'), held('record'), held('nifti')], [6, 6, 6, 2], output);
  assert.deepEqual([held('read'), held('agrees'), held('understood')], [1, 1, 1], output);
  const named = report.rows.map(({ file }) => file);
  assert.ok(named.includes('rest.tar.gz:deep/one.dcm') && named.includes('one.dcm.gz:one.dcm'), named.join());
  const left = report.rows
    .filter(({ outcome }) => outcome === 'left out')
    .map(({ file, code: why }) => `${file} ${why}`);
  assert.deepEqual(left.sort(), [
    'notes.txt NEITHER',
    'zz-again SAME_FILE',
    'zz-circle SAME_FILE',
    'zz-nowhere LINK_TO_NOTHING',
  ]);
  const page = await readFile(join(temp, 'out/corpus.html'), 'utf8');
  assert.match(page, /The stored image is the original with the tag/);
  for (const text of [output, page, JSON.stringify(report)])
    assert.doesNotMatch(text, /Verysecret|sub-001|3010000/);
});

test('corpus: what is cut, encrypted or too large is named, and ends with 1', async (t) => {
  const [folder, temp] = [await folderFor(t), await folderFor(t)];
  const { files } = await phantom(join(folder, 'mr'), { images: 2 });
  const [whole = '', cut = ''] = files;
  await writeFile(cut, (await readFile(cut)).subarray(0, 700));
  await writeFile(join(folder, 'broken.zip'), Buffer.from('PK\u0003\u0004 and no archive'));
  await writeFile(join(folder, 'html.ics'), '<html>BEGIN:VCALENDAR</html>');
  const { code, output } = await corpus(folder, temp);
  assert.equal(code, 1, output);
  const { rows } = JSON.parse(await readFile(join(temp, 'corpus-report/corpus.json'), 'utf8')) as Report;
  const bad = rows
    .filter(({ outcome }) => outcome !== 'held')
    .map(({ file, outcome, code: why }) => `${file} ${outcome} ${why}`);
  assert.ok(bad.includes('broken.zip untried ARCHIVE'), bad.join('\n'));
  assert.ok(
    bad.some((line) => line.startsWith('html.ics refused FEED_')),
    bad.join('\n'),
  );
  assert.ok(
    bad.some((line) => line.includes(cut.slice(folder.length + 1))),
    bad.join('\n'),
  );
  assert.ok(!bad.some((line) => line.includes(whole.slice(folder.length + 1))), bad.join('\n'));
  const small = await corpus(folder, temp, '--max-files', '1', '--report', 'small');
  assert.equal(small.code, 1);
  assert.match(await readFile(join(temp, 'small/corpus.json'), 'utf8'), /TOO_MANY/);
});

test('corpus: no folder, or an option that is none, is exit code 2', async (t) => {
  const temp = await folderFor(t);
  for (const args of [['nowhere'], ['--max-mib', 'many', temp]]) {
    const { code, output } = await corpus(args[0] ?? '', temp, ...args.slice(1));
    assert.equal(code, 2, output);
    assert.match(output, /npm run test:corpus/);
  }
  assert.ok(!existsSync(join(temp, 'corpus-report')));
});

/** What became of one calendar, check by check. */
async function judged(t: TestContext, text: string): Promise<Record<string, string>> {
  const folder = await folderFor(t);
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'one.ics');
  await writeFile(path, text);
  const judge = new CalendarJudge();
  t.after(() => judge.close());
  const rows = await judge.judge({ name: 'one.ics', path, size: text.length, what: 'calendar' });
  return Object.fromEntries(rows.map(({ check, outcome, code }) => [check, `${outcome} ${code}`.trim()]));
}

test('corpus: a calendar that ical.js reads otherwise is listed with line and time, without titles', async (t) => {
  const folder = await folderFor(t);
  const path = join(folder, 'one.ics');
  const older = event('a', 'SUMMARY:Verysecret', 'SEQUENCE:1');
  const newer = event('a', 'SUMMARY:x', 'SEQUENCE:2').replaceAll('20261123', '20261124');
  const text = calendar(older, newer);
  await writeFile(path, text);
  const judge = new CalendarJudge();
  t.after(() => judge.close());
  const rows = await judge.judge({ name: 'one.ics', path, size: text.length, what: 'calendar' });
  const agrees = rows.find(({ check }) => check === 'agrees');
  assert.equal(agrees?.outcome, 'differs', JSON.stringify(rows));
  assert.match(agrees.detail, /line 5, 2026-11-2/);
  assert.doesNotMatch(JSON.stringify(rows), /Verysecret/);
});

test('reports: a malformed parameter in one event leaves the other events of its calendar', async (t) => {
  const quote = 'ATTENDEE;X-RESPONSE-COMMENT="a "quoted word;CN=x';
  const outcome = await judged(t, calendar(event('a'), event('b', quote), event('c')));
  assert.equal(outcome['read'], 'held');
  assert.equal(outcome['understood'], 'held');
  assert.equal(outcome['agrees'], 'differs ONLY_WE_READ_IT');
});

test('reports: nonsense in place of a calendar is refused with a code', async (t) => {
  for (const text of [
    'BEGIN:VCALENDAR',
    'BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:a',
    'END:VCALENDAR\r\nBEGIN:VCALENDAR\r\n:::',
  ]) {
    const outcome = await judged(t, text);
    assert.match(outcome['read'] ?? '', /^refused FEED_(?!UNEXPECTED)/, text);
  }
});
