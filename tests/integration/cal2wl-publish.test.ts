import assert from 'node:assert/strict';
import { mkdir, readdir, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeCalendar, run, until, type CalendarEntry } from '@scanflow/testkit';
import {
  giving,
  soon,
  startCal2wl,
  startCalendarServer,
  temporaryFolder,
  type Cal2wl,
  type CalendarServer,
} from './cal2wl-support.ts';

interface Scene {
  readonly server: CalendarServer;
  readonly cal2wl: Cal2wl;
  readonly data: string;
  readonly show: (...entries: CalendarEntry[]) => Promise<void>;
  readonly restart: () => Promise<Cal2wl>;
}

/** A server and a cal2wl over an empty folder, cleared away whatever happens. */
async function scene(
  entries: readonly CalendarEntry[],
  play: (scene: Scene) => Promise<void>,
): Promise<void> {
  const folder = await temporaryFolder();
  const data = join(folder.path, 'data');
  const server = await startCalendarServer(giving(makeCalendar(entries)));
  const start = (): Promise<Cal2wl> =>
    startCal2wl(data, `{ url: 'http://127.0.0.1:${server.port}/', scanner: prisma }`);
  let cal2wl = await start();
  try {
    await cal2wl.pass();
    await play({
      server,
      data,
      get cal2wl() {
        return cal2wl;
      },
      async show(...shown) {
        server.answer = giving(makeCalendar(shown));
        await cal2wl.pass();
      },
      async restart() {
        await cal2wl.program.stop('SIGKILL');
        cal2wl = await start();
        return cal2wl;
      },
    });
  } finally {
    await cal2wl.program.stop('SIGKILL');
    await server.close().catch(() => undefined);
    await folder.remove();
  }
}

const stamps = async (folder: string): Promise<string[]> =>
  Promise.all(
    (await readdir(folder)).sort().map(async (name) => {
      const { ino, mtimeNs } = await stat(join(folder, name), { bigint: true });
      return `${name} ${ino} ${mtimeNs}`;
    }),
  );

test('publish: item and record by accession number, a lockfile, and dcmdump reads the item', () =>
  scene([soon('001', 2, { organizer: 'Lab Member' })], async ({ cal2wl, data }) => {
    const [record] = await cal2wl.records();
    assert.ok(record);
    assert.deepEqual(await cal2wl.items(), [`${record.accessionNumber}.wl`]);
    assert.equal(record.operator, 'Lab Member');
    assert.ok((await readdir(cal2wl.worklist)).includes('lockfile'));
    const path = join(cal2wl.worklist, `${record.accessionNumber}.wl`);
    assert.equal((await stat(path)).mode & 0o777, 0o644);
    assert.equal((await stat(join(data, 'bookings', `${record.accessionNumber}.json`))).mode & 0o777, 0o640);
    const { code, stdout, stderr } = await run('dcmdump', [path]);
    assert.deepEqual([code, stderr], [0, '']);
    for (const value of [
      record.accessionNumber,
      record.studyInstanceUid,
      record.patientId,
      'PRISMA',
      'ses-mri01',
    ])
      assert.ok(stdout.includes(`[${value}]`), value);
  }));

test('publish: what did not change is not written again, also after a restart', () =>
  scene([soon('001', 2), soon('002', 4)], async ({ cal2wl, data, restart }) => {
    const look = async (): Promise<string[]> => [
      ...(await stamps(cal2wl.worklist)),
      ...(await stamps(join(data, 'bookings'))),
    ];
    const before = await look();
    await cal2wl.pass();
    assert.deepEqual(await look(), before);
    await (await restart()).pass();
    assert.deepEqual(await look(), before);
  }));

test('publish: files that are missing or damaged are repaired', () =>
  scene([soon('001', 2), soon('002', 4)], async ({ cal2wl, data }) => {
    const [first, second] = await cal2wl.records();
    assert.ok(first && second);
    await rm(join(cal2wl.worklist, `${first.accessionNumber}.wl`));
    await writeFile(join(data, 'bookings', `${second.accessionNumber}.json`), '{"version"');
    await cal2wl.pass();
    await cal2wl.pass();
    assert.deepEqual(await cal2wl.records(), [first, second]);
    assert.equal((await cal2wl.items()).length, 2);
  }));

test('publish: a booking that cannot be written fails the health check and costs no other', () =>
  scene([soon('001', 2), soon('002', 4)], async ({ cal2wl, data, server }) => {
    const [first] = await cal2wl.records();
    assert.ok(first);
    const path = join(data, 'bookings', `${first.accessionNumber}.json`);
    await rm(path);
    await mkdir(path);
    server.answer = giving(makeCalendar([soon('001', 2), soon('002', 4), soon('003', 6)]));
    await cal2wl.pass();
    assert.equal((await cal2wl.items()).length, 3);
    const sick = await cal2wl.get('/healthz');
    assert.equal(sick.status, 503);
    assert.match(String(sick.body['why']), /could not be written/);
    await rmdir(path);
    await cal2wl.pass();
    assert.equal((await cal2wl.get('/healthz')).status, 200);
    assert.equal((await cal2wl.records()).length, 3);
  }));

test('identity: a moved booking keeps it, a relabelled one gets another and its old record points to it', () =>
  scene([soon('001', 2)], async ({ cal2wl, show }) => {
    const [before] = await cal2wl.records();
    await show(soon('001', 26));
    const [moved, ...none] = await cal2wl.records();
    assert.deepEqual(none, []);
    assert.equal(moved?.accessionNumber, before?.accessionNumber);
    assert.equal(moved?.studyInstanceUid, before?.studyInstanceUid);
    assert.notEqual(moved?.start, before?.start);
    await show(soon('001', 26, { summary: '3010000.01 sub-999 ses-mri01' }));
    const records = await cal2wl.records();
    assert.equal(records.length, 2);
    const old = records.find(({ accessionNumber }) => accessionNumber === before?.accessionNumber);
    const fresh = records.find(({ accessionNumber }) => accessionNumber !== before?.accessionNumber);
    assert.ok(fresh);
    assert.deepEqual([old?.status, old?.supersededBy], ['superseded', fresh.accessionNumber]);
    assert.equal(fresh.labels.subject, 'sub-999');
    assert.deepEqual(await cal2wl.items(), [`${fresh.accessionNumber}.wl`]);
  }));

test('identity: a single event that becomes a series keeps it for its first instance', () =>
  scene([soon('001', 2)], async ({ cal2wl, show }) => {
    const [before] = await cal2wl.records();
    await show(soon('001', 2, { rrule: 'FREQ=DAILY;COUNT=3' }));
    const records = await cal2wl.records();
    assert.equal(records.length, 3);
    assert.ok(records.some(({ accessionNumber }) => accessionNumber === before?.accessionNumber));
  }));

test('removal: a deleted, a cancelled and a far moved booking leave, the last without being cancelled', () =>
  scene([soon('001', 2), soon('002', 4), soon('003', 6), soon('004', 8)], async ({ cal2wl, show }) => {
    await show(soon('001', 2), soon('003', 6, { status: 'CANCELLED' }), soon('004', 24 * 60));
    const statuses = (await cal2wl.records())
      .map(({ labels, status }) => `${labels.subject} ${status}`)
      .sort();
    assert.deepEqual(statuses, [
      'sub-001 scheduled',
      'sub-002 cancelled',
      'sub-003 cancelled',
      'sub-004 scheduled',
    ]);
    assert.equal((await cal2wl.items()).length, 1);
  }));

test('removal: an event that can no longer be read keeps its item', () =>
  scene([soon('001', 2), soon('002', 4)], async ({ cal2wl, server }) => {
    const items = await cal2wl.items();
    server.answer = giving(makeCalendar([soon('001', 2), soon('002', 4, { rrule: 'FREQ=BANANA' })]));
    await cal2wl.pass();
    assert.deepEqual(await cal2wl.items(), items);
    assert.deepEqual(
      (await cal2wl.bookings()).rejected.map(({ code, uid }) => [code, uid]),
      [['BAD_RULE', '002']],
    );
  }));

test('shrink: an empty calendar removes nothing before a second answer says the same', () =>
  scene([soon('001', 2), soon('002', 4)], async ({ cal2wl, server }) => {
    const [empty, full] = [makeCalendar([]), makeCalendar([soon('001', 2), soon('002', 4)])];
    let answers = 0;
    server.answer = (request, response) => giving((answers += 1) === 1 ? empty : full)(request, response);
    await until(() => answers > 3, { what: 'passes', timeoutMs: 60_000 });
    assert.equal((await cal2wl.items()).length, 2);
    assert.ok((await cal2wl.records()).every(({ status }) => status === 'scheduled'));
    await cal2wl.program.said(/lost many bookings at once/);
    server.answer = giving(empty);
    await until(async () => (await cal2wl.items()).length === 0, { what: 'removal', timeoutMs: 60_000 });
    assert.ok((await cal2wl.records()).every(({ status }) => status === 'cancelled'));
  }));

test('restart: without an answer the last good calendar on disk still counts', () =>
  scene([soon('001', 2), soon('002', 4)], async ({ cal2wl, server, restart }) => {
    const items = await cal2wl.items();
    await server.close();
    await cal2wl.program.stop('SIGKILL');
    await rm(join(cal2wl.worklist, String(items[0])));
    const again = await restart();
    const view = await again.pass();
    assert.deepEqual([view.state, view.failure?.code], ['stale', 'FETCH_UNREACHABLE']);
    assert.deepEqual(await again.items(), items);
  }));

test('restart: what killed runs left aside is cleared away', () =>
  scene([soon('001', 2)], async ({ cal2wl, data, restart }) => {
    await cal2wl.program.stop('SIGKILL');
    const left = [
      join(cal2wl.worklist, '.X.wl.123.0123456789ab.tmp'),
      join(data, 'bookings', '.X.json.123.0123456789ab.tmp'),
    ];
    for (const path of left) await writeFile(path, 'half');
    await (await restart()).pass();
    for (const path of left) await assert.rejects(stat(path), { code: 'ENOENT' });
  }));

test('kill -9: at any moment every file is whole, and the next run finishes the work', async () => {
  const entries = Array.from({ length: 120 }, (_, index) => soon(String(100 + index), 1 + (index % 100)));
  const folder = await temporaryFolder();
  const data = join(folder.path, 'data');
  const server = await startCalendarServer(giving(makeCalendar(entries)));
  const start = (): Promise<Cal2wl> =>
    startCal2wl(data, `{ url: 'http://127.0.0.1:${server.port}/', scanner: prisma }`);
  // on a loaded machine a run may be over before it is killed
  let interrupted = 0;
  try {
    for (const moment of [1, 40, 80]) {
      const running = await start();
      const count = async (): Promise<number> => (await running.items().catch(() => [])).length;
      await until(async () => (await count()) >= moment, {
        what: `${moment} items`,
        timeoutMs: 60_000,
        everyMs: 1,
      });
      await running.program.stop('SIGKILL');
      const accessions = new Set((await running.records()).map(({ accessionNumber }) => accessionNumber));
      const items = await running.items();
      if (items.length < entries.length) interrupted += 1;
      for (const item of items) assert.ok(accessions.has(item.slice(0, 16)), `${item} has no record`);
      const paths = items.map((item) => join(running.worklist, item));
      assert.equal((await run('dcmdump', ['-q', ...paths])).code, 0);
    }
    assert.ok(interrupted > 0, 'every run was over before it was killed');
    const last = await start();
    await last.pass();
    assert.equal((await last.items()).length, entries.length);
    assert.equal((await last.records()).length, entries.length);
    await last.program.stop();
    for (const place of [last.worklist, join(data, 'bookings'), join(data, 'cal2wl')])
      assert.deepEqual(
        (await readdir(place)).filter((name) => name.endsWith('.tmp')),
        [],
      );
  } finally {
    await server.close();
    await folder.remove();
  }
});
