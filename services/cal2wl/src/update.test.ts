/**
 * A data folder that Scanflow 0.1.0 made (tests/fixtures/data-0.1.0/make.mjs), updated while an exam runs. Every
 * kind of event is in it that this version reads otherwise.
 */
import assert from 'node:assert/strict';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { encodeBookingRecord, identify, parseBookingRecord, type BookingRecord } from '@scanflow/booking';
import { parseConfig } from '@scanflow/config';
import { defined } from '@scanflow/failure/defined';
import { createLog } from '@scanflow/runtime';
import type { Passes } from './pass.ts';
import type { PassReport } from './report.ts';
import { passesOf } from './service.ts';

const FIXTURE = join(import.meta.dirname, '../../../tests/fixtures/data-0.1.0');
const NOW = Temporal.Instant.from('2026-07-06T09:40:00Z');

interface Scene {
  readonly data: string;
  /** A pass of a service that has just started. */
  readonly start: (now?: Temporal.Instant) => Promise<Passes>;
  readonly pass: (passes: Passes, now?: Temporal.Instant) => Promise<PassReport>;
  readonly records: () => Promise<Map<string, BookingRecord>>;
  readonly items: () => Promise<string[]>;
  /** Rewrites the feed. */
  readonly edit: (change: (feed: string) => string) => Promise<void>;
}

/** `calendar`: the beginning of its entry in the configuration. */
async function scene(
  t: TestContext,
  calendar = 'prisma: {',
  expected: { state: string; code?: string } = { state: 'good' },
): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-update-'));
  t.after(() => rm(folder, { recursive: true }));
  await cp(FIXTURE, folder, { recursive: true });
  const data = join(folder, 'data');
  const text = (await readFile(join(folder, 'scanflow.yaml'), 'utf8'))
    .replaceAll('FOLDER', folder)
    .replace('calendars: { prisma: {', `calendars: { ${calendar}`);
  const parsed = parseConfig(text, 'scanflow.yaml');
  assert.ok(parsed.ok);
  const log = createLog({ service: 'cal2wl', level: 'error' });
  const pass = async (passes: Passes, now = NOW): Promise<PassReport> => {
    const report = await passes.run(now, new AbortController().signal);
    assert.equal(report.unwritten, undefined);
    assert.deepEqual(
      report.calendars.map(({ state, failure }) => ({ state, ...defined({ code: failure?.code }) })),
      [expected],
    );
    return report;
  };
  return {
    data,
    pass,
    async start(now) {
      const passes = await passesOf(parsed.config, log);
      await pass(passes, now);
      return passes;
    },
    async records() {
      const names = (await readdir(join(data, 'bookings'))).filter((name) => name !== 'rejected.json');
      const texts = await Promise.all(names.map((name) => readFile(join(data, 'bookings', name), 'utf8')));
      const records = texts
        .map((one) => parseBookingRecord(one))
        .flatMap((one) => (one.ok ? [one.record] : []));
      return new Map(records.map((record) => [record.accessionNumber, record]));
    },
    items: async () =>
      (await readdir(join(data, 'worklist/SCANFLOW'))).filter((name) => name !== 'lockfile').sort(),
    async edit(change) {
      const feed = await readFile(join(folder, 'feed.ics'), 'latin1');
      await writeFile(join(folder, 'feed.ics'), change(feed), 'latin1');
    },
  };
}

/** What identifies a booking, of all that are on the worklist. */
const identities = (records: ReadonlyMap<string, BookingRecord>): Map<string, string> =>
  new Map(
    [...records.values()]
      .filter(({ status }) => status === 'scheduled')
      .map(({ accessionNumber, studyInstanceUid }) => [accessionNumber, studyInstanceUid]),
  );

const byUid = (records: ReadonlyMap<string, BookingRecord>, uid: string): BookingRecord => {
  const found = [...records.values()].find((record) => record.source.uid.startsWith(uid));
  assert.ok(found, uid);
  return found;
};

test('update: every booking that is still one keeps accession number and Study UID; the others are known', async (t) => {
  const { start, pass, records, items } = await scene(t);
  const before = await records();
  const passes = await start();
  const after = await records();
  for (const [accession, uid] of identities(before))
    assert.equal(after.get(accession)?.studyInstanceUid, uid);
  const gone = [...before.keys()].filter((accession) => after.get(accession)?.status !== 'scheduled');
  assert.deepEqual(
    gone.map((accession) => [before.get(accession)?.title, after.get(accession)?.status]).sort(),
    [
      ['3010000.01 sub-013 ses-01 gaat niet door', 'cancelled'],
      ['Scanner maintenance', 'cancelled'],
    ],
  );
  const come = [...after.keys()].filter((accession) => !before.has(accession));
  assert.deepEqual(
    come.map((accession) => after.get(accession)?.labels.subject),
    ['sub-014'],
  );
  const shown = await items();
  assert.deepEqual(shown, [...identities(after).keys()].map((accession) => `${accession}.wl`).sort());
  await pass(passes);
  assert.deepEqual(await records(), after, 'a second pass changes nothing');
});

test('update: a calendar that gets another name with it, and its former one as id, keeps every booking as without', async (t) => {
  const plain = await scene(t);
  await plain.start();
  const renamed = await scene(t, 'mr1: { id: prisma,');
  await renamed.start();
  assert.deepEqual(await renamed.records(), await plain.records());
  assert.deepEqual(await renamed.items(), await plain.items());
  const own = async ({ data }: Scene): Promise<string[]> => (await readdir(join(data, 'cal2wl'))).sort();
  assert.deepEqual(await own(renamed), await own(plain), 'its last good copy, too');
});

test('update: a calendar that gets another name with it, and no id, changes nothing at all', async (t) => {
  const { data, start, records, items } = await scene(t, 'mr1: {', {
    state: 'unknown',
    code: 'CALENDAR_RENAMED',
  });
  const before = [await records(), await items()];
  await start();
  assert.deepEqual([await records(), await items()], before);
  const copy = join(data, 'cal2wl/prisma.ics');
  assert.ok((await readFile(copy)).length > 0, 'the last good copy waits for the id');
});

test('update: the same for a calendar that had a booking to come, which was cancelled', async (t) => {
  const { data, start, records, items } = await scene(t, 'mr1: {', {
    state: 'unknown',
    code: 'CALENDAR_RENAMED',
  });
  const { source, labels, ...of } = byUid(await records(), 'cut-ahead');
  const own = { ...source, calendar: 'mr1' };
  const cancelled = { ...of, ...identify(own, labels), source: own, labels, status: 'cancelled' as const };
  const file = join(data, 'bookings', `${cancelled.accessionNumber}.json`);
  await writeFile(file, encodeBookingRecord(cancelled));
  const before = [await records(), await items()];
  await start();
  assert.deepEqual([await records(), await items()], before);
});

test('update: what is better read is there: whole labels, times of zones that the calendar defines, titles', async (t) => {
  const { start, records } = await scene(t);
  const before = await records();
  await start();
  const after = await records();
  const now = (uid: string): BookingRecord | undefined => after.get(byUid(before, uid).accessionNumber);
  assert.equal(now('cut-ahead')?.labels.session, 'ses-mri-01');
  assert.equal(now('cut-point')?.labels.session, 'ses-mri01.2');
  assert.equal(now('cut-accent')?.labels.session, 'ses-prée01');
  assert.equal(now('no-uid')?.title, '3010000.01 sub-016 ses-01 Zoë');
  for (const record of after.values())
    if (record.source.uid === 'british') assert.match(record.start, /T16:00:00Z$/, 'British summer time');
});

test('update: the exam that runs keeps item, record and labels, while it runs and when it has ended', async (t) => {
  const { data, start, pass, records, items } = await scene(t);
  const before = byUid(await records(), 'cut-running');
  const item = `${before.accessionNumber}.wl`;
  const bytes = await readFile(join(data, 'worklist/SCANFLOW', item));
  const passes = await start();
  assert.deepEqual((await records()).get(before.accessionNumber), before);
  const performed = join(data, 'performed/2.25.20260706.json');
  const exam = await readFile(performed, 'utf8');
  await writeFile(performed, exam.replace('IN PROGRESS', 'COMPLETED'));
  const later = NOW.add({ minutes: 5 });
  const report = await pass(passes, later);
  assert.deepEqual(
    (await records()).get(before.accessionNumber),
    before,
    'images carry the labels that were shown',
  );
  assert.ok((await items()).includes(item));
  assert.deepEqual(await readFile(join(data, 'worklist/SCANFLOW', item)), bytes);
  const outcome = report.calendars[0]?.outcomes.find(({ uid }) => uid === 'cut-running');
  assert.equal(outcome?.code, 'REREAD');
  await start(later);
  assert.deepEqual((await records()).get(before.accessionNumber), before, 'and after another start');
});

test('update: an event that was edited meanwhile is another booking, as ever', async (t) => {
  const { start, edit, records } = await scene(t);
  const before = byUid(await records(), 'cut-ahead');
  await edit((feed) => feed.replace('sub-002 ses-mri-01', 'sub-099 ses-mri-01'));
  await start();
  const after = await records();
  assert.equal(after.get(before.accessionNumber)?.status, 'superseded');
  const next = after.get(after.get(before.accessionNumber)?.supersededBy ?? '');
  assert.deepEqual([next?.labels.subject, next?.status], ['sub-099', 'scheduled']);
});

test('update: an event that only moved meanwhile keeps its identity', async (t) => {
  const { start, edit, records } = await scene(t);
  const before = byUid(await records(), 'cut-ahead');
  await edit((feed) => feed.replace('DTSTART:20260707T090000Z', 'DTSTART:20260707T091500Z'));
  await start();
  const after = (await records()).get(before.accessionNumber);
  assert.deepEqual([after?.start, after?.labels.session], ['2026-07-07T09:15:00Z', 'ses-mri-01']);
});

test('update: a record gets the addresses of who booked and keeps its numbers; that of a running exam waits', async (t) => {
  const { start, edit, records } = await scene(t);
  const before = await records();
  await edit((feed) =>
    feed.replaceAll(/^UID:[^\r\n]*/gm, '$&\r\nORGANIZER;CN=Jane Doe:mailto:Jane@Example.org'),
  );
  await start();
  const after = await records();
  const ahead = after.get(byUid(before, 'cut-ahead').accessionNumber);
  assert.deepEqual([ahead?.operator, ahead?.bookers], ['Jane Doe', ['jane@example.org']]);
  const running = byUid(before, 'cut-running');
  assert.deepEqual(after.get(running.accessionNumber), running);
  const { start: plainStart, records: plainRecords } = await scene(t);
  await plainStart();
  assert.deepEqual(identities(after), identities(await plainRecords()), 'as without addresses');
});

test('update: decided once: relabelled after it, also over a restart, a booking is another one', async (t) => {
  const { start, edit, records } = await scene(t);
  const before = await records();
  await start();
  await edit((feed) =>
    feed
      .replace('sub-003 ses-mri01.2', 'sub-003 ses-mri02')
      .replace('sub-001 ses-mri-01', 'sub-098 ses-mri-01'),
  );
  await start(NOW.add({ minutes: 1 }));
  const after = await records();
  assert.equal(after.get(byUid(before, 'cut-point').accessionNumber)?.status, 'superseded');
  // the exam runs still: its record waits, and the other one with it
  assert.deepEqual(after.get(byUid(before, 'cut-running').accessionNumber), byUid(before, 'cut-running'));
  assert.ok([...after.values()].every(({ labels }) => labels.subject !== 'sub-098'));
});

test('update: a last good copy that is lost or no calendar costs what cannot be told without it only', async (t) => {
  for (const body of [undefined, 'garbage']) {
    const { data, start, records } = await scene(t);
    const before = identities(await records());
    const copy = join(data, 'cal2wl/prisma.ics');
    await (body === undefined ? rm(copy) : writeFile(copy, body));
    await start();
    const after = identities(await records());
    const lost = [...before.keys()].filter((accession) => !after.has(accession));
    // maintenance and “gaat niet door” are bookings no more; an event without UID, garbled by a byte elsewhere, is another
    assert.equal(lost.length, 3, lost.join());
  }
});

test('update: nothing but accession numbers and Study UIDs is written down of it', async (t) => {
  const { data, start } = await scene(t);
  await start();
  const text = await readFile(join(data, 'cal2wl/identities/prisma.json'), 'utf8');
  assert.doesNotMatch(text, /sub-|ses-|3010000|maintenance/);
  assert.match(text, /"reading": 2/);
});
