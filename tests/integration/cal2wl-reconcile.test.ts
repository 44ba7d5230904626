/** Labels, identities and neighbours of docs/reconciling.md, with a running cal2wl and a calendar server. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type CalendarEntry } from '@scanflow/testkit';
import { soon } from './cal2wl-support.ts';
import { accessionOf, anchor, onWorklist, scene, warningsOf } from './cal2wl-reconcile-support.ts';

test('relabelled, and labelled back: the record points on, then the other one points back', () =>
  scene([soon('001', 2), anchor], async (play) => {
    const first = await accessionOf(play, '001');
    await play.show(soon('001', 2, { summary: '3010000.01 sub-002 ses-mri01' }), anchor);
    const second = await accessionOf(play, '002');
    assert.notEqual(second, first);
    const old = await play.record(first);
    assert.deepEqual([old.status, old.supersededBy, old.labels.subject], ['superseded', second, 'sub-001']);
    assert.deepEqual(
      old.changes?.map(({ status }) => status),
      ['scheduled'],
    );
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
    const { changes = [], ...after } = await play.record(before.accessionNumber);
    assert.deepEqual(after, before);
    assert.deepEqual(
      changes.map(({ status }) => status),
      ['scheduled', 'cancelled'],
    );
    assert.ok((await onWorklist(play)).includes(before.accessionNumber));
  }));

test('deleted: the record is kept and marked; restored under its UID, it is as before', () =>
  scene([soon('001', 2), anchor], async (play) => {
    const before = await play.record(await accessionOf(play, '001'));
    await play.show(anchor);
    assert.equal((await play.record(before.accessionNumber)).status, 'cancelled');
    assert.ok(!(await onWorklist(play)).includes(before.accessionNumber));
    await play.show(soon('001', 2), anchor);
    const { changes = [], ...after } = await play.record(before.accessionNumber);
    assert.deepEqual(after, before);
    assert.deepEqual(
      changes.map(({ status }) => status),
      ['scheduled', 'cancelled'],
    );
    assert.ok((await onWorklist(play)).includes(before.accessionNumber));
  }));

test('title, person and length edited: the same identity, and the item changes', () =>
  scene([soon('001', 2), anchor], async (play) => {
    const first = await accessionOf(play, '001');
    const path = join(play.cal2wl.worklist, `${first}.wl`);
    const before = await readFile(path);
    const summary = '3010000.01 sub-001 ses-mri01 with eye tracker';
    const { end } = soon('001', 4);
    await play.show(soon('001', 2, { summary, organizer: 'Jane Doe', end }), anchor);
    const { title, operator, status, end: ends } = await play.record(first);
    assert.deepEqual([title, operator, status], [summary, 'Jane Doe', 'scheduled']);
    assert.equal(ends, end.toInstant().toString());
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

test('made tentative: the item leaves, the reason is told; confirmed, it comes back', () =>
  scene([soon('001', 2), anchor], async (play) => {
    const first = await accessionOf(play, '001');
    await play.show(soon('001', 2, { status: 'TENTATIVE' }), anchor);
    assert.equal((await play.record(first)).status, 'cancelled');
    assert.ok(!(await onWorklist(play)).includes(first));
    const { skipped } = await play.cal2wl.bookings();
    assert.deepEqual(
      skipped.map(({ uid, code }) => [uid, code]),
      [['001', 'TENTATIVE']],
    );
    await play.show(soon('001', 2), anchor);
    assert.equal(await accessionOf(play, '001'), first);
    assert.ok((await onWorklist(play)).includes(first));
  }));

test('to another scanner: the same identity, record and item are of the other one', () =>
  scene(
    [soon('001', 2, { lines: ['LOCATION:Room 1'] }), anchor],
    async (play) => {
      const first = await accessionOf(play, '001');
      const item = await readFile(join(play.cal2wl.worklist, `${first}.wl`));
      assert.ok(item.includes('PRISMA') && !item.includes('SKYRA'));
      await play.show(soon('001', 2, { lines: ['LOCATION:Room 2'] }), anchor);
      assert.equal(await accessionOf(play, '001'), first);
      const record = await play.record(first);
      assert.equal(record.scanner, 'skyra');
      // the board shows from where, and when it was noticed
      assert.deepEqual(
        record.changes?.map(({ at: _, ...was }) => was),
        [{ scanner: 'prisma' }],
      );
      const { start, end } = soon('001', 6, { lines: ['LOCATION:Room 2'] });
      await play.show({ ...soon('001', 2, { lines: ['LOCATION:Room 2'] }), start, end }, anchor);
      const again = await play.record(first);
      assert.deepEqual(
        again.changes?.map(({ at: _, ...was }) => was),
        [{ scanner: 'prisma' }, { start: record.start, end: record.end }],
      );
    },
    { scanner: '{ by: location, map: { Room 1: prisma, Room 2: skyra }, otherwise: prisma }' },
  ));

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
    assert.equal((await onWorklist(play)).length, 6);
    const adopted = after.filter(({ source }) => source.uid.startsWith('001_R'));
    assert.equal(adopted.length, 2);
    for (const { accessionNumber } of adopted)
      assert.ok((await warningsOf(play, accessionNumber)).includes('RENUMBERED'));
  }));

test('a single event that becomes a series, and back: the first keeps its identity', () =>
  scene([soon('001', 2), anchor], async (play) => {
    const first = await accessionOf(play, '001');
    await play.show(soon('001', 2, { rrule: 'FREQ=DAILY;COUNT=2' }), anchor);
    assert.equal((await onWorklist(play)).length, 4);
    assert.deepEqual(await warningsOf(play, first), ['BOOKED_TWICE']);
    await play.show(soon('001', 2), anchor);
    assert.equal((await play.record(first)).status, 'scheduled');
    assert.equal((await onWorklist(play)).length, 3);
    const others = (await play.cal2wl.records()).filter(
      ({ accessionNumber, labels }) => labels.subject === 'sub-001' && accessionNumber !== first,
    );
    assert.deepEqual(
      others.map(({ status }) => status),
      ['cancelled'],
    );
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

test('two bookings overlap: both are listed, both are told', () =>
  scene([soon('001', 2), anchor], async (play) => {
    const { end } = soon('001', 4);
    await play.show(soon('001', 2, { end }), soon('002', 3), anchor);
    for (const subject of ['001', '002'])
      assert.deepEqual(await warningsOf(play, await accessionOf(play, subject)), ['OVERLAP']);
    assert.equal((await onWorklist(play)).length, 4);
  }));
