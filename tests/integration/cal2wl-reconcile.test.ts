/** Each row of docs/reconciling.md, with a running cal2wl and a calendar server. */
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodePerformed, type BookingRecord } from '@scanflow/booking';
import { makeCalendar, run, type CalendarEntry } from '@scanflow/testkit';
import {
  giving,
  soon,
  startCal2wlWith,
  startCalendarServer,
  temporaryFolder,
  type Cal2wl,
} from './cal2wl-support.ts';

interface Scene {
  readonly cal2wl: Cal2wl;
  readonly data: string;
  /** Lets the first calendar show these, and waits for a pass. */
  show(...entries: CalendarEntry[]): Promise<void>;
  /** The second calendar, `other`, of the same scanner. */
  showOther(...entries: CalendarEntry[]): Promise<void>;
  record(accessionNumber: string): Promise<BookingRecord>;
  /** Starts anew without the calendar `other`. */
  removeOther(): Promise<Cal2wl>;
}

async function scene(
  entries: readonly CalendarEntry[],
  play: (scene: Scene) => Promise<void>,
): Promise<void> {
  const folder = await temporaryFolder();
  const data = join(folder.path, 'data');
  const servers = [
    await startCalendarServer(giving(makeCalendar(entries))),
    await startCalendarServer(giving(makeCalendar([soon('800', 100)]))),
  ] as const;
  const start = (...names: string[]): Promise<Cal2wl> =>
    startCal2wlWith(data, [
      'scanners: { prisma: { aet: PRISMA, modality: MR } }',
      'calendars:',
      ...names.map(
        (name, index) =>
          `  ${name}: { url: 'http://127.0.0.1:${servers[index]?.port ?? 0}/', scanner: prisma }`,
      ),
      'bookings: { every: 100ms }',
    ]);
  let cal2wl = await start('prisma', 'other');
  try {
    await cal2wl.pass();
    await play({
      data,
      get cal2wl() {
        return cal2wl;
      },
      async show(...shown) {
        servers[0].answer = giving(makeCalendar(shown));
        await cal2wl.pass();
      },
      async showOther(...shown) {
        servers[1].answer = giving(makeCalendar(shown));
        await cal2wl.pass();
      },
      record: async (accessionNumber) =>
        JSON.parse(
          await readFile(join(data, 'bookings', `${accessionNumber}.json`), 'utf8'),
        ) as BookingRecord,
      async removeOther() {
        await cal2wl.program.stop('SIGKILL');
        cal2wl = await start('prisma');
        return cal2wl;
      },
    });
  } finally {
    await cal2wl.program.stop('SIGKILL');
    for (const server of servers) await server.close();
    await folder.remove();
  }
}

/** Accession number of the scheduled booking of a subject. */
async function accessionOf({ cal2wl }: Scene, subject: string): Promise<string> {
  const found = (await cal2wl.records()).find(
    ({ labels, status }) => labels.subject === `sub-${subject}` && status === 'scheduled',
  );
  assert.ok(found, `no booking of ${subject}`);
  return found.accessionNumber;
}
const onWorklist = async ({ cal2wl }: Scene): Promise<string[]> =>
  (await cal2wl.items()).map((name) => name.slice(0, 16));
const warningsOf = async ({ cal2wl }: Scene, accession: string): Promise<readonly string[]> =>
  (await cal2wl.bookings()).bookings.find(({ accessionNumber }) => accessionNumber === accession)?.warnings ??
  [];

/** A booking that keeps the worklist from looking empty. */
const anchor = soon('900', 30);

test('relabelled, and labelled back: the record points on, then the other one points back', () =>
  scene([soon('001', 2), anchor], async (play) => {
    const first = await accessionOf(play, '001');
    await play.show(soon('001', 2, { summary: '3010000.01 sub-002 ses-mri01' }), anchor);
    const second = await accessionOf(play, '002');
    assert.notEqual(second, first);
    const old = await play.record(first);
    assert.deepEqual([old.status, old.supersededBy, old.labels.subject], ['superseded', second, 'sub-001']);
    assert.ok(!(await onWorklist(play)).includes(first) && (await onWorklist(play)).includes(second));
    await play.show(soon('001', 2), anchor);
    assert.deepEqual((await play.record(first)).status, 'scheduled');
    assert.equal((await play.record(first)).supersededBy, undefined);
    assert.equal((await play.record(second)).supersededBy, first);
  }));

test('cancelled, and restored: the same identity again', () =>
  scene([soon('001', 2), anchor], async (play) => {
    const before = await play.record(await accessionOf(play, '001'));
    await play.show(soon('001', 2, { status: 'CANCELLED' }), anchor);
    assert.equal((await play.record(before.accessionNumber)).status, 'cancelled');
    assert.ok(!(await onWorklist(play)).includes(before.accessionNumber));
    await play.show(soon('001', 2), anchor);
    assert.deepEqual(await play.record(before.accessionNumber), before);
    assert.ok((await onWorklist(play)).includes(before.accessionNumber));
  }));

test('deleted: the record is kept and marked', () =>
  scene([soon('001', 2), anchor], async (play) => {
    const first = await accessionOf(play, '001');
    await play.show(anchor);
    assert.equal((await play.record(first)).status, 'cancelled');
    assert.ok(!(await onWorklist(play)).includes(first));
  }));

test('title and person edited: the same identity, and the item changes', () =>
  scene([soon('001', 2), anchor], async (play) => {
    const first = await accessionOf(play, '001');
    const path = join(play.cal2wl.worklist, `${first}.wl`);
    const before = await readFile(path);
    const summary = '3010000.01 sub-001 ses-mri01 with eye tracker';
    await play.show(soon('001', 2, { summary, organizer: 'Jane Doe' }), anchor);
    const { title, operator, status } = await play.record(first);
    assert.deepEqual([title, operator, status], [summary, 'Jane Doe', 'scheduled']);
    assert.notDeepEqual(await readFile(path), before);
  }));

test('relabelled so that it is rejected: the item leaves, the reason is told; corrected, it comes back', () =>
  scene([soon('001', 2), anchor], async (play) => {
    const first = await accessionOf(play, '001');
    await play.show(soon('001', 2, { summary: '3010000.01 sub-tba ses-mri01' }), anchor);
    assert.equal((await play.record(first)).status, 'cancelled');
    assert.ok(!(await onWorklist(play)).includes(first));
    assert.match(await readFile(join(play.data, 'bookings', 'rejected.json'), 'utf8'), /SUBJECT_OPEN/);
    await play.show(soon('001', 2), anchor);
    assert.equal(await accessionOf(play, '001'), first);
  }));

test('booked anew: after the deletion was seen, and with another time, it is another booking', () =>
  scene([soon('001', 2), soon('002', 4), anchor], async (play) => {
    const [first, second] = [await accessionOf(play, '001'), await accessionOf(play, '002')];
    await play.show(soon('002', 4), anchor);
    const anew = { ...soon('001', 2), uid: 'anew-1' };
    await play.show(anew, { ...soon('002', 6), uid: 'anew-2' }, anchor);
    for (const [subject, old] of [
      ['001', first],
      ['002', second],
    ] as const) {
      const fresh = await accessionOf(play, subject);
      assert.notEqual(fresh, old);
      assert.equal((await play.record(old)).status, 'cancelled');
      assert.deepEqual(await warningsOf(play, fresh), []);
    }
  }));

test('renumbered: all UIDs new, the same identities, with a warning; moved afterwards, still the same', () =>
  scene([soon('001', 2), soon('002', 4)], async (play) => {
    const before = await onWorklist(play);
    const first = await accessionOf(play, '001');
    const renumbered = (hours: number): CalendarEntry[] => [
      { ...soon('001', hours), uid: 'new-1' },
      { ...soon('002', 4), uid: 'new-2' },
    ];
    await play.show(...renumbered(2));
    assert.deepEqual(
      (await onWorklist(play)).filter((one) => before.includes(one)),
      before,
    );
    assert.deepEqual(await warningsOf(play, first), ['RENUMBERED']);
    assert.equal((await play.record(first)).source.uid, 'new-1');
    await play.show(...renumbered(8));
    assert.equal(await accessionOf(play, '001'), first);
  }));

test('split series: the instances after the split keep their identities', () =>
  scene([soon('001', 2, { rrule: 'FREQ=DAILY;COUNT=4' }), anchor], async (play) => {
    const before = (await play.cal2wl.records()).map(({ accessionNumber }) => accessionNumber);
    const { start, end } = soon('001', 2);
    const rest = { start: start.add({ days: 2 }), end: end.add({ days: 2 }), rrule: 'FREQ=DAILY;COUNT=2' };
    await play.show(
      soon('001', 2, { rrule: 'FREQ=DAILY;COUNT=2' }),
      { ...soon('001', 2), ...rest, uid: '001_R20260101T090000' },
      anchor,
    );
    const after = await play.cal2wl.records();
    assert.deepEqual(
      after.map(({ accessionNumber }) => accessionNumber),
      before,
    );
    assert.ok(after.every(({ status }) => status === 'scheduled'));
  }));

test('a single event that becomes a series, and back: the first keeps its identity', () =>
  scene([soon('001', 2), anchor], async (play) => {
    const first = await accessionOf(play, '001');
    await play.show(soon('001', 2, { rrule: 'FREQ=DAILY;COUNT=2' }), anchor);
    assert.equal((await onWorklist(play)).length, 4);
    await play.show(soon('001', 2), anchor);
    assert.equal((await play.record(first)).status, 'scheduled');
    assert.equal((await onWorklist(play)).length, 3);
  }));

test('two calendars name one slot: both are listed, both are told', () =>
  scene([soon('001', 2), anchor], async (play) => {
    await play.showOther({ ...soon('002', 2), uid: 'elsewhere' }, soon('800', 100));
    for (const subject of ['001', '002'])
      assert.deepEqual(await warningsOf(play, await accessionOf(play, subject)), ['SAME_SLOT']);
    assert.equal((await onWorklist(play)).length, 4);
  }));

test('the same subject and session twice: both are listed, both are told; used before is told too', () =>
  scene([soon('001', 2), anchor], async (play) => {
    const again = { ...soon('001', 5), uid: 'again' };
    await play.show(soon('001', 2), again, anchor);
    const records = (await play.cal2wl.records()).filter(({ labels }) => labels.subject === 'sub-001');
    assert.equal(records.length, 2);
    for (const { accessionNumber } of records)
      assert.deepEqual(await warningsOf(play, accessionNumber), ['BOOKED_TWICE']);
    // the first one moves out of sight: its record still says that the labels are taken
    await play.show(soon('001', 24 * 60), again, anchor);
    const [left] = (await play.cal2wl.bookings()).bookings.filter(({ uid }) => uid === 'again');
    assert.deepEqual(left?.warnings, ['USED_BEFORE']);
  }));

test('edited while the scan runs: the item is frozen, and the change comes when the exam has ended', () =>
  scene([soon('001', 2), anchor], async (play) => {
    const first = await accessionOf(play, '001');
    const before = await play.record(first);
    const step = async (state: 'IN PROGRESS' | 'COMPLETED'): Promise<void> => {
      const now = Temporal.Now.instant().toString();
      const link = {
        accessionNumber: first,
        scheduledStepId: first,
        requestedProcedureId: '',
        studyInstanceUids: [],
      };
      await mkdir(join(play.data, 'performed'), { recursive: true });
      await writeFile(
        join(play.data, 'performed', '2.25.7.json'),
        encodePerformed({
          version: 1,
          sopInstanceUid: '2.25.7',
          state,
          created: now,
          updated: now,
          modality: 'MR',
          stationAet: 'PRISMA',
          callingAet: 'PRISMA',
          wrongItem: false,
          links: [link],
          items: [],
          series: [],
          attributes: {},
        }),
      );
    };
    await step('IN PROGRESS');
    await play.cal2wl.pass();
    const edits = [
      soon('001', 3),
      soon('001', 2, { summary: '3010000.01 sub-002 ses-mri01' }),
      soon('001', 2, { status: 'CANCELLED' }),
    ];
    for (const edit of edits) {
      await play.show(edit, anchor);
      assert.deepEqual(await play.record(first), before);
      assert.ok((await onWorklist(play)).includes(first));
      assert.equal((await onWorklist(play)).length, 3);
    }
    await play.show(soon('001', 3), anchor);
    assert.deepEqual(await warningsOf(play, first), ['FROZEN']);
    await step('COMPLETED');
    await play.cal2wl.pass();
    await play.cal2wl.pass();
    assert.notEqual((await play.record(first)).start, before.start);
    assert.deepEqual(await warningsOf(play, first), []);
  }));

test('calendar removed from the configuration: its items leave, its records stay as they are', () =>
  scene([soon('001', 2), anchor], async (play) => {
    await play.showOther(soon('003', 6));
    const third = await accessionOf(play, '003');
    await (await play.removeOther()).pass();
    assert.equal((await play.record(third)).status, 'scheduled');
    assert.ok(!(await onWorklist(play)).includes(third));
  }));

test('moved far ahead: the item leaves, the record stays; then deleted, it is marked', () =>
  scene([soon('001', 2), anchor], async (play) => {
    const first = await accessionOf(play, '001');
    await play.show(soon('001', 24 * 60), anchor);
    assert.equal((await play.record(first)).status, 'scheduled');
    assert.ok(!(await onWorklist(play)).includes(first));
    await play.show(anchor);
    assert.equal((await play.record(first)).status, 'cancelled');
  }));

test('kill -9 while everything is relabelled: every file is whole, nobody is lost, and the next pass repairs', async () => {
  const folder = await temporaryFolder();
  const data = join(folder.path, 'data');
  const entries = (round: number): CalendarEntry[] =>
    Array.from({ length: 60 }, (_, index) =>
      soon(String(100 + index), 1 + index, { summary: `3010000.01 sub-${round}x${100 + index} ses-mri01` }),
    );
  const server = await startCalendarServer(giving(makeCalendar(entries(0))));
  const start = (): Promise<Cal2wl> =>
    startCal2wlWith(data, [
      'scanners: { prisma: { aet: PRISMA, modality: MR } }',
      `calendars: { prisma: { url: 'http://127.0.0.1:${server.port}/', scanner: prisma } }`,
      'bookings: { every: 100ms }',
    ]);
  let running = await start();
  try {
    await running.pass();
    for (const [round, changed] of [1, 25, 50].entries()) {
      const done = async (): Promise<number> =>
        (await running.records()).filter(
          ({ labels, status }) => status === 'scheduled' && labels.subject.startsWith(`sub-${round + 1}x`),
        ).length;
      server.answer = giving(makeCalendar(entries(round + 1)));
      while ((await done()) < changed) assert.ok(!running.program.exited(), running.program.output());
      await running.program.stop('SIGKILL');
      const records = await running.records();
      const listed = new Set((await running.items()).map((name) => name.slice(0, 16)));
      const uids = new Set(
        records.filter((one) => listed.has(one.accessionNumber)).map(({ source }) => source.uid),
      );
      assert.equal(uids.size, 60, 'a booking was on nobody’s worklist');
      const paths = [...listed].map((accession) => join(running.worklist, `${accession}.wl`));
      assert.equal((await run('dcmdump', ['-q', ...paths])).code, 0);
      running = await start();
      await running.pass();
      const after = await running.records();
      assert.equal((await running.items()).length, 60);
      assert.equal(after.filter(({ status }) => status === 'scheduled').length, 60);
      const accessions = new Set(after.map(({ accessionNumber }) => accessionNumber));
      for (const { status, supersededBy } of after)
        if (status === 'superseded') assert.ok(accessions.has(String(supersededBy)), 'it points nowhere');
    }
  } finally {
    await running.program.stop('SIGKILL');
    await server.close();
    await folder.remove();
  }
});
