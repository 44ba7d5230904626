/** Calendars that want cal2wl's memory or time: it goes on, small, and says of each what is wrong. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { makeCalendar, until } from '@scanflow/testkit';
import { close, listen, startCalendars, type Calendars } from './cal2wl-fetch-support.ts';
import { soon, temporaryFolder } from './cal2wl-support.ts';

const MB = 1_000_000;
/** V8 ends a process whose heap grows beyond. */
const HEAP_MB = 256;
/** Of the whole process; compose.yaml gives it 1 GB. */
const MOST_MB = 600;

const HEAD = '<?xml version="1.0"?><d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">';
const COLLECTION =
  '<d:response><d:href>/</d:href><d:propstat><d:prop><d:resourcetype><d:collection/><c:calendar/></d:resourcetype></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response></d:multistatus>';
const wide = (part: string): Buffer =>
  Buffer.from(HEAD + part.repeat((60 * MB) / part.length) + '</d:multistatus>');

/** Few elements, each with much in it: 200 MB in all. */
const LONG = `<d:response><d:href>/a</d:href><d:propstat><d:prop><c:calendar-data>${'x'.repeat(100_000)}</c:calendar-data></d:prop></d:propstat></d:response>`;

/** Answers of one calendar to REPORT, packed. */
const ANSWERS: Readonly<Record<string, { code: string; packed: () => Buffer; encoding?: string }>> = {
  elements: { code: 'FETCH_TOO_MUCH', packed: () => gzipSync(wide('<a/>')) },
  deep: { code: 'FETCH_TOO_MUCH', packed: () => gzipSync(wide('<a>')) },
  comments: { code: 'FETCH_TOO_MUCH', packed: () => gzipSync(wide('<!---->')) },
  text: { code: 'FETCH_TOO_MUCH', packed: () => gzipSync(wide('x')) },
  attribute: {
    code: 'FETCH_TOO_MUCH',
    packed: () => gzipSync(Buffer.from(`${HEAD}<a b="${'x'.repeat(60 * MB)}"/>`)),
  },
  entities: {
    code: 'FETCH_DAV',
    packed: () => gzipSync(Buffer.from(`<!DOCTYPE a [<!ENTITY x "${'x'.repeat(1000)}">]>${HEAD}&x;`)),
  },
  paths: {
    code: 'FETCH_TOO_MUCH',
    packed: () => gzipSync(wide(`<d:response><d:href>/${'x'.repeat(100_000)}</d:href></d:response>`)),
  },
  larger: { code: 'FETCH_TOO_LARGE', packed: () => gzipSync(Buffer.from(HEAD + LONG.repeat(2000))) },
  brotli: {
    code: 'FETCH_TOO_LARGE',
    encoding: 'br',
    packed: () =>
      brotliCompressSync(Buffer.from(HEAD + LONG.repeat(2000)), {
        params: { [constants.BROTLI_PARAM_QUALITY]: 1 },
      }),
  },
  twice: {
    code: 'FETCH_TOO_LARGE',
    encoding: 'gzip, gzip',
    packed: () => gzipSync(gzipSync(Buffer.from(HEAD + LONG.repeat(2000)))),
  },
};

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let cal2wl: Calendars;
const packed = new Map(Object.entries(ANSWERS).map(([name, answer]) => [name, answer.packed()]));

const server = createServer((request, response) => {
  const name = request.url?.split('/')[1] ?? '';
  if (name === 'good.ics') response.end(makeCalendar([soon('001', 1)]));
  else if (request.method === 'PROPFIND') response.writeHead(207).end(HEAD + COLLECTION);
  else
    response
      .writeHead(request.method === 'REPORT' ? 207 : 200, {
        'content-encoding': ANSWERS[name]?.encoding ?? 'gzip',
      })
      .end(packed.get(name));
});

before(async () => {
  folder = await temporaryFolder();
  const base = `http://127.0.0.1:${await listen(server)}`;
  const hostile = Object.keys(ANSWERS).map((name) => [name, `caldav: '${base}/${name}/'`] as const);
  cal2wl = await startCalendars(
    folder.path,
    { good: `url: '${base}/good.ics'`, feed: `url: '${base}/larger'`, ...Object.fromEntries(hostile) },
    { every: '5s', env: { NODE_OPTIONS: `--max-old-space-size=${HEAP_MB}` } },
  );
});

after(async () => {
  await cal2wl.program.stop();
  await close(server);
  await folder.remove();
});

test('hostile: packed answers that become huge end with a code, each for itself', async () => {
  for (const body of packed.values()) assert.ok(body.length < MB, String(body.length));
  const wanted = Object.entries(ANSWERS).map(([name, { code }]) => [name, code] as const);
  wanted.push(['feed', 'FETCH_TOO_LARGE']);
  const views = await until(
    async () => {
      const seen = await cal2wl.pass();
      return wanted.every(([name]) => seen[name]?.failure !== undefined) ? seen : undefined;
    },
    { what: `an answer for each; cal2wl says ${cal2wl.program.output()}`, timeoutMs: 120_000 },
  );
  assert.deepEqual(
    wanted.map(([name]) => [name, views[name]?.failure?.code]),
    wanted,
  );
});

test('hostile: cal2wl stays, takes little memory, and the good calendar is on the worklist', async () => {
  await cal2wl.see('good', { state: 'good', bookings: 1 });
  await cal2wl.pass();
  assert.ok(!cal2wl.program.exited());
  const status = await readFile(`/proc/${cal2wl.program.pid}/status`, 'utf8');
  const peak = Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
  assert.ok(peak < MOST_MB, `${peak.toFixed(0)} MB at most`);
});
