/** Walk-ins from the request to what findscu sees, over restarts, passes and a calendar that changes. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { encodeExamRecord, parseBookingRecord, type BookingRecord } from '@scanflow/booking';
import { newUid } from '@scanflow/dicom';
import { apiFetch, freePort, makeCalendar, run, startProgram, until, type Program } from '@scanflow/testkit';
import { soon, temporaryFolder } from './cal2wl-support.ts';

const SEEN_MS = 5_000;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let data: string;
let config: string;
let ports: { cal2wl: number; worklist: number; dicom: number };
let cal2wl: Program;
let worklist: Program;

const startService = (service: string): Promise<Program> =>
  startProgram(process.execPath, [`services/${service}/src/main.ts`, '--config', config]);
const answers = (port: number): Promise<void> =>
  until(
    () =>
      apiFetch(data, `http://127.0.0.1:${port}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      ),
    {
      what: 'the service to be well',
      timeoutMs: 60_000,
    },
  ).then(() => undefined);

before(async () => {
  folder = await temporaryFolder();
  data = join(folder.path, 'data');
  config = join(folder.path, 'scanflow.yaml');
  ports = { cal2wl: await freePort(), worklist: await freePort(), dicom: await freePort() };
  await mkdir(data, { recursive: true });
  await writeFile(join(folder.path, 'lab.ics'), makeCalendar([soon('001', 2), soon('002', 4)]));
  await writeFile(
    join(folder.path, 'projects.json'),
    JSON.stringify(['3010000.01', { project: '3010000.02', bookers: ['jane@example.org'] }]),
  );
  await writeFile(
    config,
    [
      'facility: { name: Test, timezone: Europe/Amsterdam }',
      `data: ${data}`,
      'scanners: { prisma: { aet: PRISMA, modality: MR } }',
      'calendars: { lab: { file: lab.ics, scanner: prisma } }',
      'bookings: { every: 200ms, projects: { file: projects.json } }',
      `worklist: { port: ${ports.dicom}, bind: 127.0.0.1 }`,
      "orthanc: { url: 'http://127.0.0.1:1' }",
      `storage: { root: ${folder.path}/project }`,
      `http: { ports: { cal2wl: ${ports.cal2wl}, worklist: ${ports.worklist} } }`,
    ].join('\n'),
  );
  [cal2wl, worklist] = [await startService('cal2wl'), await startService('worklist')];
  await Promise.all([answers(ports.cal2wl), answers(ports.worklist)]);
});

after(async () => {
  await Promise.all([cal2wl.stop('SIGKILL'), worklist.stop('SIGKILL')]);
  await folder.remove();
});

async function post(path: string, body: object = {}) {
  const response = await apiFetch(data, `http://127.0.0.1:${ports.cal2wl}/api/board/walk-in${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const form = (more: object = {}): object => ({
  id: randomUUID(),
  project: '3010000.01',
  subject: 'sub-900',
  session: 'ses-walk01',
  scanner: 'prisma',
  start: Temporal.Now.instant().toString(),
  by: 'console',
  addresses: [],
  ...more,
});

/** The accession numbers that findscu is answered. */
async function seen(): Promise<string[]> {
  const args = ['-W', '-aec', 'SCANFLOW', '-aet', 'PRISMA', '127.0.0.1', String(ports.dicom)];
  const { code, stdout, stderr } = await run('findscu', [...args, '-k', 'AccessionNumber']);
  assert.equal(code, 0, stderr);
  return [...`${stdout}${stderr}`.matchAll(/\(0008,0050\) SH \[(\w+) *\]/g)].map(([, number = '']) => number);
}
const isSeen = (accession: string, wanted = true) =>
  until(async () => (await seen()).includes(accession) === wanted, {
    what: `${accession} is ${wanted ? '' : 'not '}on the list of the scanner`,
    timeoutMs: 20_000,
    everyMs: 100,
  });

/** Waits for a pass that began after this call. */
async function pass(): Promise<void> {
  const from = Temporal.Now.instant();
  await until(
    async () => {
      const page = await apiFetch(data, `http://127.0.0.1:${ports.cal2wl}/api/bookings`);
      const { at } = (await page.json()) as { at?: string };
      return at !== undefined && Temporal.Instant.compare(at, from) > 0;
    },
    { what: 'a pass of cal2wl', timeoutMs: 30_000 },
  );
}

async function recordOf(accession: string): Promise<BookingRecord> {
  const parsed = parseBookingRecord(await readFile(join(data, 'bookings', `${accession}.json`), 'utf8'));
  assert.ok(parsed.ok);
  return parsed.record;
}

const add = async (more: object = {}): Promise<string> => {
  const { status, body } = await post('', form(more));
  assert.equal(status, 200, JSON.stringify(body));
  return String(body['accessionNumber']);
};

test('walk-in: on the list of the scanner within 5 s, with its record; the same form again makes nothing', async () => {
  const asked = form();
  const before = (await readdir(join(data, 'bookings'))).length;
  const trial = await post('/try', asked);
  assert.deepEqual([trial.status, trial.body['outcome']], [200, 'booking']);
  assert.equal((await readdir(join(data, 'bookings'))).length, before, 'a try writes nothing');
  const began = performance.now();
  const both = await Promise.all([post('', asked), post('', asked)]);
  const accession = String(both[0].body['accessionNumber']);
  assert.equal(trial.body['accessionNumber'], accession, 'the preview shows what it becomes');
  await isSeen(accession);
  const ms = Math.round(performance.now() - began);
  console.error(`on the list of findscu after ${ms} ms`);
  assert.ok(ms < SEEN_MS, `${ms} ms`);
  assert.deepEqual(both.map(({ body }) => body['isNew']).sort(), [false, true]);
  assert.deepEqual(
    both.map(({ status, body }) => [status, body['accessionNumber']]),
    [
      [200, accession],
      [200, accession],
    ],
  );
  assert.equal((await readdir(join(data, 'bookings'))).length, before + 1);
  const record = await recordOf(accession);
  assert.deepEqual([record.status, record.source.calendar], ['scheduled', 'walk-in']);
  const other = await post('', { ...asked, subject: 'sub-901' });
  assert.deepEqual([other.status, other.body['code']], [409, 'WALK_IN_OTHER']);
});

test('walk-in: refused as a booking is, with nothing written', async () => {
  const before = await readdir(join(data, 'bookings'));
  const cases: [object, number, string][] = [
    [{ project: '3010000.02' }, 409, 'PROJECT_NOT_YOURS'],
    [{ project: '3010000.09' }, 409, 'PROJECT_UNKNOWN'],
    [{ subject: 'Anna Smith' }, 409, 'SUBJECT_NO_CODE'],
    [{ scanner: 'none' }, 409, 'WALK_IN_SCANNER'],
    [{ scanner: '__proto__' }, 409, 'WALK_IN_SCANNER'],
    [
      {
        start: Temporal.Now.instant()
          .add({ hours: 24 * 90 })
          .toString(),
      },
      409,
      'WALK_IN_TIME',
    ],
    [{ start: 'today' }, 400, 'WALK_IN_UNREADABLE'],
    [{ id: '../../etc' }, 400, 'WALK_IN_UNREADABLE'],
    [{ session: 'x'.repeat(300) }, 400, 'WALK_IN_UNREADABLE'],
    [{ project: ' ' }, 400, 'WALK_IN_UNREADABLE'],
    [{ addresses: 'jane@example.org' }, 400, 'WALK_IN_UNREADABLE'],
  ];
  for (const [more, status, code] of cases) {
    const answer = await post('', form(more));
    assert.deepEqual([answer.status, answer.body['code']], [status, code], JSON.stringify(more));
  }
  assert.deepEqual(await readdir(join(data, 'bookings')), before);
  assert.equal(
    (await post('', form({ project: '3010000.02', addresses: ['jane@example.org'] }))).status,
    200,
  );
});

test('walk-in: restarts, a lost item and a calendar that loses its bookings leave it where it is', async () => {
  const accession = await add({ session: 'ses-walk02' });
  await isSeen(accession);
  const record = await recordOf(accession);
  await cal2wl.stop('SIGKILL');
  await rm(join(data, 'worklist', 'SCANFLOW', `${accession}.wl`));
  await isSeen(accession, false);
  // what became of a lab that moved to another booking system
  await writeFile(join(folder.path, 'lab.ics'), makeCalendar([soon('003', 6)]));
  cal2wl = await startService('cal2wl');
  await answers(ports.cal2wl);
  for (let turn = 0; turn < 3; turn += 1) await pass();
  await isSeen(accession);
  await worklist.stop();
  worklist = await startService('worklist');
  await answers(ports.worklist);
  await isSeen(accession);
  assert.deepEqual(await recordOf(accession), record, 'the same identity');
});

test('walk-in: it is withdrawn once, comes back at no pass, and stays where a scanner began it', async () => {
  const withdrawn = await add({ session: 'ses-walk03' });
  const scanned = await add({ session: 'ses-walk04' });
  await isSeen(withdrawn);
  assert.deepEqual((await post(`/${withdrawn}/withdraw`)).body, { withdrawn: true });
  assert.deepEqual((await post(`/${withdrawn}/withdraw`)).body, { withdrawn: false });
  await isSeen(withdrawn, false);
  await pass();
  assert.equal((await seen()).includes(withdrawn), false);
  assert.equal((await recordOf(withdrawn)).status, 'cancelled');
  const now = Temporal.Now.instant().toString({ smallestUnit: 'second' });
  const sopInstanceUid = newUid();
  await mkdir(join(data, 'performed'), { recursive: true });
  await writeFile(
    join(data, 'performed', `${sopInstanceUid}.json`),
    encodeExamRecord({
      version: 1,
      sopInstanceUid,
      state: 'IN PROGRESS',
      created: now,
      updated: now,
      modality: 'MR',
      stationAet: 'PRISMA',
      callingAet: 'PRISMA',
      wrongItem: false,
      links: [],
      items: [{ accessionNumber: scanned, studyInstanceUid: '2.25.1', scheduledStepId: scanned }],
      series: [],
      attributes: {},
    }),
  );
  const refused = await post(`/${scanned}/withdraw`);
  assert.deepEqual([refused.status, refused.body['code']], [409, 'WALK_IN_SCANNED']);
  const none = await post('/ZZZZZZZZZZZZZZZZ/withdraw');
  assert.deepEqual([none.status, none.body['code']], [404, 'WALK_IN_NONE']);
});

test('a query of a scanner shows when it came and how many items it got', async () => {
  const items = (await seen()).length;
  const page = await apiFetch(data, `http://127.0.0.1:${ports.worklist}/api/board/scanners`);
  const { scanners } = (await page.json()) as {
    scanners: { scanner: string; lastQuery?: { at: string; items: number } }[];
  };
  assert.deepEqual(
    scanners.map(({ scanner, lastQuery }) => [scanner, lastQuery?.items]),
    [['prisma', items]],
  );
});

test('walk-in: a calendar that gets the name loses none, takes none over, and the refusal says what to do', async () => {
  const start = Temporal.Now.instant().add({ hours: 2 });
  const kept = await add({ session: 'ses-walk05', start: start.toString() });
  const withdrawn = await add({ session: 'ses-walk06' });
  await isSeen(kept);
  const before = await recordOf(kept);
  await cal2wl.stop();
  const text = await readFile(config, 'utf8');
  const named = text.replace('calendars: {', "calendars: { 'walk-in': { file: named.ics, scanner: prisma },");
  assert.notEqual(named, text);
  // the same slot and labels, under a UID of its own: no reason to take the walk-in over
  const { end } = before;
  const zoned = (instant: string) => Temporal.Instant.from(instant).toZonedDateTimeISO('Europe/Amsterdam');
  const twin = { ...soon('900', 2, { summary: before.title }), start: zoned(before.start), end: zoned(end) };
  const labels = ['Project: 3010000.01', 'Subject: sub-900', 'Session: ses-walk05'];
  const entry = { ...twin, uid: 'twin', description: labels.join('\n') };
  await writeFile(join(folder.path, 'named.ics'), makeCalendar([entry]));
  await writeFile(config, named);
  cal2wl = await startService('cal2wl');
  await answers(ports.cal2wl);
  // the second answer would confirm a loss
  for (let turn = 0; turn < 3; turn += 1) await pass();
  await isSeen(kept);
  assert.deepEqual(await recordOf(kept), before);
  const page = await apiFetch(data, `http://127.0.0.1:${ports.cal2wl}/api/bookings`);
  const { bookings } = (await page.json()) as { bookings: { calendar: string; accessionNumber: string }[] };
  const own = bookings.filter(({ calendar }) => calendar === 'walk-in');
  assert.equal(own.length, 1);
  assert.notEqual(own[0]?.accessionNumber, kept);
  const refused = await post('', form());
  assert.deepEqual([refused.status, refused.body['code']], [409, 'WALK_IN_CALENDAR']);
  assert.match(
    JSON.stringify(refused.body),
    /name walk-in, so no walk-in can be added.*scanflow check says what to do/,
  );
  assert.deepEqual((await post(`/${withdrawn}/withdraw`)).body, { withdrawn: true });
  await isSeen(withdrawn, false);
  // the calendar goes: its booking leaves, and the walk-in stays
  await cal2wl.stop();
  await writeFile(config, text);
  cal2wl = await startService('cal2wl');
  await answers(ports.cal2wl);
  await pass();
  await isSeen(kept);
  assert.deepEqual(await recordOf(kept), before);
});
