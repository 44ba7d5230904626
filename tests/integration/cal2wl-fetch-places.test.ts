import assert from 'node:assert/strict';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { appendFile, mkdir, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeCalendar, run, until, type RunResult } from '@scanflow/testkit';
import { close, listen, startCalendars, type Calendars } from './cal2wl-fetch-support.ts';
import { giving, soon, startCalendarServer, temporaryFolder, type CalendarServer } from './cal2wl-support.ts';

const SCANFLOW = fileURLToPath(new URL('../../services/cli/src/main.ts', import.meta.url));

interface Scene {
  readonly path: string;
  readonly server: CalendarServer;
  readonly url: string;
  readonly start: (calendars: Readonly<Record<string, string>>, every?: string) => Promise<Calendars>;
}

/** A folder, a server and what cal2wl is started over them, cleared away whatever happens. */
async function scene(play: (scene: Scene) => Promise<void>): Promise<void> {
  const folder = await temporaryFolder();
  const server = await startCalendarServer(giving(''));
  const started: Calendars[] = [];
  try {
    await play({
      path: folder.path,
      server,
      url: `http://127.0.0.1:${server.port}`,
      async start(calendars, every = '100ms') {
        await Promise.all(started.map(({ program }) => program.stop('SIGKILL')));
        const one = await startCalendars(join(folder.path, 'data'), calendars, { every });
        started.push(one);
        return one;
      },
    });
  } finally {
    await Promise.all(started.map(({ program }) => program.stop('SIGKILL')));
    await server.close().catch(() => undefined);
    await folder.remove();
  }
}

const calendar = (...hours: number[]): string =>
  makeCalendar(hours.map((hour) => soon(String(hour).padStart(3, '0'), hour)));
const items = async (data: string): Promise<number> =>
  (await readdir(join(data, 'worklist', 'SCANFLOW'))).filter((name) => name.endsWith('.wl')).length;

test('folder: all its .ics files are one calendar; a changed and a removed one are seen', () =>
  scene(async ({ path, start }) => {
    const folder = join(path, 'vdir');
    await mkdir(folder);
    for (const hour of [1, 2, 3]) await writeFile(join(folder, `${hour}.ics`), calendar(hour));
    // a byte order mark, capitals, and what is not meant
    await writeFile(join(folder, '4.ICS'), `\ufeff${calendar(4)}`);
    await writeFile(join(folder, '.5.ics'), calendar(5));
    await writeFile(join(folder, '6.ics.tmp'), 'BEGIN:VCALENDAR');
    const cal2wl = await start({ vdir: `folder: ${folder}` });
    await cal2wl.see('vdir', { state: 'good', bookings: 4 });
    await rename(join(folder, '.5.ics'), join(folder, '5.ics'));
    await cal2wl.see('vdir', { state: 'good', bookings: 5 });
    await rm(join(folder, '5.ics'));
    await cal2wl.see('vdir', { state: 'good', bookings: 4 });
    const half = calendar(1, 7);
    await writeFile(join(folder, '1.ics'), half.slice(0, -60));
    const view = await cal2wl.see('vdir', { state: 'stale', bookings: 4 });
    assert.equal(view.failure?.code, 'FEED_TRUNCATED');
    assert.match(view.failure.message, /by name the 1\. of 4/);
    await appendFile(join(folder, '1.ics'), half.slice(-60));
    await cal2wl.see('vdir', { state: 'good', bookings: 5 });
  }));

test('folder: one that is empty, missing or holds something odd keeps what was good', () =>
  scene(async ({ path, start }) => {
    const folder = join(path, 'vdir');
    await mkdir(folder);
    await writeFile(join(folder, 'a.ics'), calendar(1, 2));
    const cal2wl = await start({ vdir: `folder: ${folder}, maxSize: 3000` });
    await cal2wl.see('vdir', { state: 'good', bookings: 2 });
    const fails = async (code: string): Promise<void> => {
      const view = await cal2wl.see('vdir', { state: 'stale', bookings: 2 });
      assert.equal(view.failure?.code, code);
      assert.equal(await items(cal2wl.data), 2);
    };
    await rename(join(folder, 'a.ics'), join(folder, 'a.old'));
    await fails('FETCH_EMPTY_FOLDER');
    await mkdir(join(folder, 'b.ics'));
    await until(async () => (await cal2wl.pass())['vdir']?.failure?.code === 'FETCH_FILE', {
      what: 'a folder that is no file',
      timeoutMs: 60_000,
    });
    await rm(folder, { recursive: true });
    await until(async () => (await cal2wl.pass())['vdir']?.failure?.code === 'FETCH_NOT_FOUND', {
      what: 'no folder',
      timeoutMs: 60_000,
    });
    await mkdir(folder);
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g'])
      await writeFile(join(folder, `${name}.ics`), calendar(1, 2));
    await until(async () => (await cal2wl.pass())['vdir']?.failure?.code === 'FETCH_TOO_LARGE', {
      what: 'too large',
      timeoutMs: 60_000,
    });
    for (const name of ['c', 'd', 'e', 'f', 'g']) await rm(join(folder, `${name}.ics`));
    await cal2wl.see('vdir', { state: 'good' });
  }));

test('file: a change is seen, a missing file and one that is no file keep what was good', () =>
  scene(async ({ path, start }) => {
    const file = join(path, 'a.ics');
    await writeFile(file, calendar(1));
    const cal2wl = await start({ file: `file: ${file}` });
    await cal2wl.see('file', { state: 'good', bookings: 1 });
    await writeFile(file, calendar(1, 2));
    // a clock that was set back
    await utimes(file, 1_000_000_000, 1_000_000_000);
    await cal2wl.see('file', { state: 'good', bookings: 2 });
    await rm(file);
    assert.equal(
      (await cal2wl.see('file', { state: 'stale', bookings: 2 })).failure?.code,
      'FETCH_NOT_FOUND',
    );
    await mkdir(file);
    await until(async () => (await cal2wl.pass())['file']?.failure?.code === 'FETCH_FILE', {
      what: 'no file',
      timeoutMs: 60_000,
    });
  }));

test('state: last good, its age, Retry-After and the validators survive a restart; the server is not asked too early', () =>
  scene(async ({ server, url, start }) => {
    server.answer = giving(calendar(1, 2), '"one"');
    let cal2wl = await start({ web: `url: '${url}/c.ics'` });
    await cal2wl.see('web', { state: 'good', bookings: 2 });
    server.answer = (_request, response) => {
      response.writeHead(503, { 'retry-after': '1800' }).end();
    };
    const view = await cal2wl.see('web', { state: 'stale' });
    assert.ok(view.notBefore !== undefined);
    const ahead = Temporal.Instant.from(view.notBefore).since(Temporal.Now.instant()).total('minutes');
    assert.ok(ahead > 28 && ahead <= 30, view.notBefore);
    cal2wl = await start({ web: `url: '${url}/c.ics'` });
    const asked = server.requests.length;
    await cal2wl.pass();
    const after = (await cal2wl.pass())['web'];
    assert.equal(server.requests.length, asked);
    assert.equal(after?.state, 'stale');
    assert.equal(after.bookings, 2);
    assert.ok(after.lastGood !== undefined);
    assert.equal(after.lastGood, view.lastGood);
    assert.equal(after.notBefore, view.notBefore);
    // another address is another calendar: neither the time nor the validators of this one count
    server.answer = giving(calendar(1, 2), '"one"');
    cal2wl = await start({ web: `url: '${url}/d.ics'` });
    await cal2wl.see('web', { state: 'good', bookings: 2 });
    const first = server.requests.find(({ url: path }) => path === '/d.ics');
    assert.equal(first?.headers['if-none-match'], undefined);
  }));

test('state: 304 to a server that was not told any version is no answer', () =>
  scene(async ({ server, url, start }) => {
    server.answer = (_request, response) => {
      response.writeHead(304).end();
    };
    const cal2wl = await start({ web: `url: '${url}/c.ics'` });
    assert.equal((await cal2wl.see('web', { state: 'unknown' })).failure?.code, 'FETCH_STATUS');
  }));

test('state: a server whose clock is wrong is read, and the difference is told', () =>
  scene(async ({ server, url, start }) => {
    const ahead = Temporal.Now.zonedDateTimeISO('UTC').add({ hours: 2 });
    const date = ahead.toLocaleString('en-GB', {
      weekday: 'short',
      day: '2-digit',
      month: 'short',
      year: 'numeric',
    });
    const imf = `${date
      .replace(',', '')
      .replace(/^(\w{3}) /, '$1, ')
      .replace('Sept', 'Sep')} ${ahead.toPlainTime().toString({ smallestUnit: 'second' })} GMT`;
    server.answer = (request, response) => {
      response.setHeader('date', imf);
      if (request.url === '/busy.ics') {
        // half an hour after what it takes for now
        const until = imf.replace(/\d\d:\d\d:\d\d/, '23:59:59');
        response.writeHead(429, { 'retry-after': until }).end();
      } else giving(calendar(1, 2))(request, response);
    };
    const cal2wl = await start({ web: `url: '${url}/c.ics'`, busy: `url: '${url}/busy.ics'` });
    const { clockSkewSeconds = 0 } = await cal2wl.see('web', { state: 'good', bookings: 2 });
    assert.ok(Math.abs(clockSkewSeconds - 7200) < 30, String(clockSkewSeconds));
    await cal2wl.program.said(/clock/);
    assert.match(
      await cal2wl.metrics(),
      /scanflow_cal2wl_calendar_clock_skew_seconds\{calendar="web"\} 7[12]\d\d/,
    );
    const { notBefore } = await cal2wl.see('busy', { state: 'unknown' });
    assert.ok(notBefore !== undefined);
    const wait = Temporal.Instant.from(notBefore).since(Temporal.Now.instant()).total('seconds');
    const told = ahead.with({ hour: 23, minute: 59, second: 59 }).since(ahead).total('seconds');
    assert.ok(Math.abs(wait - told) < 30, `${wait} against ${told}`);
  }));

test('shrink: a person accepts what the calendar lost, once, and only what was held back', () =>
  scene(async ({ server, url, start }) => {
    server.answer = giving(calendar(1, 2, 3, 4, 5));
    const cal2wl = await start({ web: `url: '${url}/c.ics'` });
    await cal2wl.see('web', { state: 'good', bookings: 5 });
    const calendars = (...args: string[]): Promise<RunResult> =>
      run(process.execPath, [SCANFLOW, 'calendars', ...args, '--config', join(cal2wl.data, 'scanflow.yaml')]);
    const taken = (): Promise<unknown> =>
      until(async () => !(await readdir(join(cal2wl.data, 'cal2wl'))).includes('accept-web'), {
        what: 'the file is taken',
        timeoutMs: 60_000,
      });
    // nothing is held back: the word counts for nothing
    await writeFile(join(cal2wl.data, 'cal2wl', 'accept-web'), '');
    await taken();
    const nothing = await calendars('accept', 'web');
    assert.deepEqual([nothing.code, /nothing of web is held back/.test(nothing.stderr)], [2, true]);
    // it says so once, then wants to be left alone: no second answer comes
    let answers = 0;
    server.answer = (request, response) => {
      answers += 1;
      if (answers === 1) giving(calendar(9))(request, response);
      else response.writeHead(503, { 'retry-after': '3600' }).end();
    };
    await cal2wl.see('web', { state: 'stale', held: 5 });
    await cal2wl.pass();
    assert.equal(await items(cal2wl.data), 6);
    assert.match((await calendars()).stdout, /^web +prisma +stale +\d+ s ago +\d+ +0 +5$[^]*FETCH_SERVER/m);
    const unknown = await calendars('accept', 'other');
    assert.deepEqual([unknown.code, /there is no calendar other .*web/.test(unknown.stderr)], [2, true]);
    assert.equal((await calendars('accept', 'web')).code, 0);
    await taken();
    await cal2wl.see('web', { state: 'stale', held: 0 });
    assert.equal(await items(cal2wl.data), 1);
    await cal2wl.program.said(/a person accepts what the calendar lost/);
  }));

test('passes: a calendar that is slow is asked once at a time and holds up no other', () =>
  scene(async ({ path, server, url, start }) => {
    server.answer = giving(calendar(1, 2));
    const waiting: ServerResponse[] = [];
    let [open, most] = [0, 0];
    const slow: Server = createServer((_request, response) => {
      waiting.push(response);
      most = Math.max(most, ++open);
      response.on('close', () => (open -= 1));
    });
    const port = await listen(slow);
    try {
      const file = join(path, 'a.ics');
      await writeFile(file, calendar(3));
      const cal2wl = await start({
        slow: `url: 'http://127.0.0.1:${port}/', timeout: 10m`,
        web: `url: '${url}/c.ics'`,
        file: `file: ${file}`,
      });
      // the first pass waits some seconds for it, those after it do not
      await cal2wl.see('web', { state: 'good', bookings: 2 });
      await writeFile(file, calendar(3, 4));
      // seen while the slow one still has not answered, for which it has ten minutes
      await cal2wl.see('file', { state: 'good', bookings: 2 });
      assert.equal((await cal2wl.pass())['slow']?.state, 'unknown');
      assert.equal(waiting.length, 1);
      waiting[0]?.end(calendar(5));
      await cal2wl.see('slow', { state: 'good', bookings: 1 });
      // it is asked again and waited for, and meanwhile it is as good as it was
      await until(() => waiting.length === 2, { what: 'the next request', timeoutMs: 60_000 });
      await cal2wl.see('slow', { state: 'good', bookings: 1 });
      assert.equal(most, 1);
    } finally {
      await close(slow);
    }
  }));

test('passes: of one server at most two calendars are asked at once', () =>
  scene(async ({ server, url, start }) => {
    let [open, most] = [0, 0];
    server.answer = (request, response) => {
      most = Math.max(most, ++open);
      setTimeout(() => {
        open -= 1;
        giving(calendar(1))(request, response);
      }, 50);
    };
    const names = Array.from({ length: 8 }, (_, index) => `c${index}`);
    const cal2wl = await start(Object.fromEntries(names.map((name) => [name, `url: '${url}/${name}.ics'`])));
    for (const name of names) await cal2wl.see(name, { state: 'good' });
    assert.equal(most, 2);
  }));

test('size: 50 MB of events are read; events that repeat without end or every second cost no other', () =>
  scene(async ({ server, url, start }) => {
    const old = Array.from({ length: 1000 }, (_, index) =>
      soon(`old-${index}`, -24 * 400, { description: 'x'.repeat(4600) }),
    );
    const many = makeCalendar(old)
      .replace(/^BEGIN:VCALENDAR[^]*?(?=BEGIN:VEVENT)/, '')
      .replace(/END:VCALENDAR\s*$/, '');
    const lots = calendar(1, 2).replace('END:VCALENDAR', () => `${many.repeat(10)}END:VCALENDAR`);
    assert.ok(lots.length > 48_000_000, String(lots.length));
    const endless = makeCalendar([
      soon('001', 1),
      soon('002', 2, { rrule: 'FREQ=DAILY' }),
      soon('003', 3, { rrule: 'FREQ=SECONDLY' }),
      soon('004', 3, {
        rrule: `FREQ=DAILY;BYHOUR=${range(24)};BYMINUTE=${range(60)};BYSECOND=${range(60)}`,
      }),
    ]);
    server.answer = (request, response) =>
      giving(request.url === '/large.ics' ? lots : endless)(request, response);
    const cal2wl = await start({ large: `url: '${url}/large.ics'`, endless: `url: '${url}/endless.ics'` });
    await cal2wl.see('large', { state: 'good', bookings: 2 });
    const view = await cal2wl.see('endless', { state: 'good' });
    // one, and the daily one on seven days or more
    assert.ok(view.bookings >= 8 && view.rejected >= 1, JSON.stringify(view));
    assert.match(await cal2wl.metrics(), /scanflow_cal2wl_calendar_bytes\{calendar="large"\} \d{8}/);
  }));

const range = (end: number): string => Array.from({ length: end }, (_, index) => index).join(',');
