/** What a server declares of its calendar, and calendars that are odd, through a running cal2wl. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { apiFetch, makeCalendar, until } from '@scanflow/testkit';
import { close, listen, startCalendars, type Calendars } from './cal2wl-fetch-support.ts';
import { soon, temporaryFolder } from './cal2wl-support.ts';

/** "Привет" in windows-1251. */
const HELLO = Buffer.from([0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2]).toString('latin1');
const feed = makeCalendar([soon('001', 2)]);
const body = Buffer.from(
  feed.replace(/^SUMMARY:.*$/m, (line) => `${line} ${HELLO}`),
  'latin1',
);

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let cal2wl: Calendars;
let address = '';
let asked: (string | undefined)[] = [];
let type = 'text/calendar; charset=windows-1251';

const server = createServer((request, response) => {
  asked.push(request.headers['if-none-match']);
  const headers = { etag: '"one"', 'content-type': type };
  if (request.headers['if-none-match'] === '"one"') response.writeHead(304).end();
  else response.writeHead(200, headers).end(body);
});

const start = async (): Promise<Calendars> =>
  startCalendars(folder.path, {
    web: `url: '${address}/prisma.ics'`,
    files: `folder: '${join(folder.path, 'files')}'`,
  });

async function titles(): Promise<string[]> {
  const port = /cal2wl: (\d+)/.exec(await readFile(join(folder.path, 'scanflow.yaml'), 'utf8'))?.[1] ?? '';
  const answer = await apiFetch(folder.path, `http://127.0.0.1:${port}/api/bookings`);
  const { bookings } = (await answer.json()) as { bookings: { calendar: string; summary: string }[] };
  return bookings.filter(({ calendar }) => calendar === 'web').map(({ summary }) => summary.slice(-6));
}

before(async () => {
  folder = await temporaryFolder();
  address = `http://127.0.0.1:${await listen(server)}`;
  const files = join(folder.path, 'files');
  await mkdir(files);
  await writeFile(join(files, 'a.ics'), `<!-- made by export.php -->\n${makeCalendar([soon('002', 4)])}`);
  await writeFile(join(files, 'b.ics'), Buffer.from(`\ufeff${makeCalendar([soon('003', 6)])}`, 'utf16le'));
  cal2wl = await start();
});

after(async () => {
  await cal2wl.program.stop();
  await close(server);
  await folder.remove();
});

test('declared: the character set of the Content-Type counts, and survives a restart', async () => {
  await cal2wl.see('web', { state: 'good', bookings: 1 });
  assert.deepEqual(await titles(), ['Привет']);
  await cal2wl.program.stop();
  cal2wl = await start();
  await cal2wl.see('web', { state: 'good', bookings: 1 });
  assert.deepEqual(await titles(), ['Привет']);
  assert.equal(asked.at(-1), '"one"');
});

test('declared: what 0.1.0 fetched without asking for the character set is fetched in full once', async () => {
  await cal2wl.program.stop();
  const state = join(folder.path, 'cal2wl', 'web.json');
  const { charset, ...former } = JSON.parse(await readFile(state, 'utf8')) as Record<string, unknown>;
  assert.equal(charset, 'windows-1251');
  await writeFile(state, JSON.stringify(former));
  asked = [];
  cal2wl = await start();
  await cal2wl.see('web', { state: 'good', bookings: 1 });
  await until(() => Promise.resolve(asked.length > 1), { what: 'a second request', timeoutMs: 60_000 });
  assert.deepEqual(asked.slice(0, 2), [undefined, '"one"']);
  assert.deepEqual(await titles(), ['Привет']);
});

test('declared: the same bytes under another character set are read anew', async () => {
  await cal2wl.program.stop();
  const state = join(folder.path, 'cal2wl', 'web.json');
  const former = JSON.parse(await readFile(state, 'utf8')) as Record<string, unknown>;
  await writeFile(state, JSON.stringify({ ...former, validators: {} }));
  type = 'text/calendar';
  cal2wl = await start();
  await cal2wl.see('web', { state: 'good', bookings: 1 });
  await until(async () => (await titles()).includes('Ïðèâåò'), {
    what: 'the other reading',
    timeoutMs: 60_000,
  });
});

test('odd: a folder with a comment in one file and UTF-16 in another is read, with a note', async () => {
  const view = await cal2wl.see('files', { state: 'good', bookings: 2 });
  const { notes = [] } = view as { notes?: readonly { code: string }[] };
  assert.deepEqual(
    notes.map(({ code }) => code),
    ['FEED_TEXT_AROUND'],
  );
});
