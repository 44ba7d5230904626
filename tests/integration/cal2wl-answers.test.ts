/** What cal2wl writes into events of a real CalDAV server, and what it leaves as it was. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeCalendar, startRadicale, until, type Radicale } from '@scanflow/testkit';
import { openWay, type Way } from './cal2wl-caldav-way.ts';
import { close, startCalendars, type Calendars } from './cal2wl-fetch-support.ts';
import { soon, temporaryFolder } from './cal2wl-support.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let radicale: Radicale;
let way: Way;
let own: Calendars | undefined;

before(async () => {
  folder = await temporaryFolder();
  radicale = await startRadicale({ folder: join(folder.path, 'radicale') });
  way = await openWay(radicale.url);
});

after(async () => {
  await own?.program.stop();
  await radicale.stop();
  await close(way.server);
  await folder.remove();
});

const event = (uid: string, hours: number, more: Parameters<typeof soon>[2] = {}): string =>
  makeCalendar([soon(uid, hours, more)]);
const running = (): Calendars => own ?? assert.fail('cal2wl does not run');
const puts = (): Way['seen'] => way.seen.filter(({ method }) => method === 'PUT');
const objectAt = async (name: string): Promise<string> =>
  (await radicale.request(`/lab/answered/${name}.ics`)).text();
const says = (name: string, wanted: RegExp): Promise<string> =>
  until(
    async () => {
      const text = await objectAt(name);
      return wanted.test(text) ? text : undefined;
    },
    { what: `${name} says ${String(wanted)}`, timeoutMs: 30_000 },
  );
const begin = async (more: string): Promise<void> => {
  await own?.program.stop();
  const address = way.server.address();
  assert.ok(address !== null && typeof address === 'object');
  own = await startCalendars(join(folder.path, 'answered'), {
    answered: `caldav: 'http://127.0.0.1:${address.port}/lab/answered/', username: lab, passwordFile: ${radicale.passwordFile}, ${more}`,
  });
};
const records = async (): Promise<string[]> => {
  const at = join(folder.path, 'answered', 'bookings');
  const names = (await readdir(at)).filter((name) => !name.startsWith('.')).sort();
  return Promise.all(names.map((name) => readFile(join(at, name), 'utf8').catch(() => name)));
};

test('caldav answers: rejected and taken events say so, all else in them stays, and no further pass writes', async () => {
  await radicale.makeCalendar('answered');
  await radicale.put('answered', 'bad.ics', event('bad', 3, { summary: 'somebody' }));
  await radicale.put('answered', 'good.ics', event('good', 5, { summary: '3010000.01 sub-008 ses-mri01' }));
  const before = { bad: await objectAt('bad'), good: await objectAt('good') };
  await begin('answer: { when: [rejected, taken] }');
  const bad = await says('bad', /COMMENT:Scanflow: rejected/);
  const good = await says('good', /COMMENT:Scanflow: taken as/);
  const without = (text: string): string => text.replace(/COMMENT:[^]*?\r?\n(?! )/, '');
  assert.deepEqual({ bad: without(bad), good: without(good) }, before);
  await running().see('answered', { state: 'good', bookings: 1, rejected: 1 });
  const kept = await records();
  for (let index = 0; index < 3; index += 1) await running().pass();
  assert.equal(puts().length, 2);
  assert.deepEqual(await records(), kept);
  for (const { headers } of puts()) assert.match(String(headers['if-match']), /^"/);
});

test('caldav answers: an event that becomes good says so, and one that somebody changes meanwhile keeps the change', async () => {
  const changed = event('bad', 3, { summary: 'somebody', description: 'typed meanwhile', sequence: 2 });
  way.writing = async () => {
    way.writing = undefined;
    await radicale.put('answered', 'bad.ics', changed);
    return undefined;
  };
  await radicale.put('answered', 'bad.ics', event('bad', 3, { summary: 'somebody', sequence: 1 }));
  assert.match(await says('bad', /COMMENT:Scanflow: rejected/), /DESCRIPTION:typed meanwhile/);
  const text = await objectAt('bad');
  const mended = text.replace('SUMMARY:somebody', 'SUMMARY:3010000.01 sub-009 ses-mri01');
  await radicale.put('answered', 'bad.ics', mended);
  const after = await says('bad', /COMMENT:Scanflow: taken as 3010000\.01/);
  assert.doesNotMatch(after, /rejected/);
});

test('caldav answers: a series says it once, also which occurrences are meant; what a program copies into an exception goes', async () => {
  const more = { summary: 'somebody', rrule: 'FREQ=HOURLY;INTERVAL=2;COUNT=2' };
  await radicale.put('answered', 'series.ics', event('series', 3, more));
  const before = await objectAt('series');
  const all = await says('series', /COMMENT:Scanflow: rejected\. /);
  assert.equal(all.replace(/COMMENT:[^]*?\r?\n(?! )/, ''), before);
  const own = /COMMENT:[^]*?\r\n(?! )/.exec(all)?.[0] ?? '';

  const entry = soon('series', 3, more);
  const exception = soon('series', 5, {
    summary: '3010000.01 sub-010 ses-mri01',
    recurrenceId: entry.start.add({ hours: 2 }),
  });
  const lines = own.trimEnd().replaceAll('\r\n ', '');
  await radicale.put('answered', 'series.ics', makeCalendar([entry, { ...exception, lines: [lines] }]));
  const unfolded = async (): Promise<string> => (await objectAt('series')).replaceAll(/\r?\n /g, '');
  const mixed = await until(
    async () => {
      const text = await unfolded();
      return /\d\d:\d\d: rejected\..*\d\d:\d\d: taken as 3010000\.01/.test(text) ? text : undefined;
    },
    { what: 'the series says what became of each', timeoutMs: 30_000 },
  );
  assert.equal(mixed.match(/COMMENT:/g)?.length, 1, mixed);
  assert.equal(mixed.match(/BEGIN:VEVENT/g)?.length, 2);
  const kept = await records();
  const from = puts().length;
  for (let index = 0; index < 3; index += 1) await running().pass();
  assert.equal(puts().length, from);
  assert.deepEqual(await records(), kept);

  await begin('answer: { when: [] }');
  await says('series', /^(?![^]*COMMENT)/);
  await radicale.delete('answered', 'series.ics');
  await begin('answer: { when: [rejected, taken] }');
});

test('caldav answers: a category instead; with nothing wanted, all goes', async () => {
  await radicale.put('answered', 'worse.ics', event('worse', 8, { summary: 'nobody' }));
  await begin('answer: { property: categories }');
  await says('worse', /CATEGORIES:Scanflow rejected/);
  await says('good', /^(?![^]*COMMENT)/);
  await begin('answer: { when: [] }');
  await says('worse', /^(?![^]*CATEGORIES)/);
});

test('caldav answers: a server that takes no change is asked once, and the page says why', async () => {
  way.writing = () => Promise.resolve(403);
  const from = puts().length;
  await begin('answer: {}');
  const refused = async (): Promise<boolean> =>
    ((await running().pass())['answered'] as { answer?: { code: string } } | undefined)?.answer?.code ===
    'ANSWER_REFUSED';
  await until(refused, { what: 'the refusal shows', timeoutMs: 30_000 });
  for (let index = 0; index < 3; index += 1) await running().pass();
  assert.equal(puts().length, from + 1);
  const health = await running().page('/healthz');
  assert.equal(health.status, 200);
  const { degraded, faults } = (await health.json()) as { degraded: boolean; faults: { code: string }[] };
  assert.deepEqual([degraded, faults.map(({ code }) => code)], [true, ['ANSWER_REFUSED']]);
  assert.equal((await running().page('/readyz')).status, 200);
  const metrics = await running().metrics();
  assert.match(metrics, /^scanflow_cal2wl_calendar_answers_ok\{calendar="answered"\} 0$/m);
  assert.match(metrics, /^scanflow_faults\{code="ANSWER_REFUSED",state="degraded"\} 1$/m);
  await running().see('answered', { state: 'good', bookings: 2, rejected: 1 });
  way.writing = undefined;
});

test('caldav answers: a server that throws away what is written gets five requests', async () => {
  way.writing = () => Promise.resolve(204);
  const from = puts().length;
  await begin('answer: {}');
  await until(async () => (await running().pass(), puts().length >= from + 5), {
    what: 'five requests',
    timeoutMs: 30_000,
  });
  for (let index = 0; index < 3; index += 1) await running().pass();
  assert.equal(puts().length, from + 5);
  way.writing = undefined;
});
