/** docs/reconciling.md: what happens at the edges of the window, and when the configuration names calendars otherwise. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { soon } from './cal2wl-support.ts';
import { accessionOf, anchor, onWorklist, scene, warningsOf } from './cal2wl-reconcile-support.ts';

test('moved out of the window, ahead or back: the item leaves, the record stays; moved in again, it comes back', () =>
  scene([soon('001', 2), anchor], async (play) => {
    const first = await accessionOf(play, '001');
    const before = await play.record(first);
    for (const hours of [24 * 60, -24 * 60]) {
      await play.show(soon('001', hours), anchor);
      assert.ok(!(await onWorklist(play)).includes(first), `${hours} hours from now`);
      assert.deepEqual(await play.record(first), before);
      await play.show(soon('001', 2), anchor);
      assert.ok((await onWorklist(play)).includes(first), `back from ${hours} hours`);
      assert.deepEqual(await play.record(first), before);
    }
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

test('slot over: the item leaves, the record stays as it is', () =>
  scene([soon('001', -3), anchor], async (play) => {
    const first = await accessionOf(play, '001');
    const before = await play.record(first);
    assert.ok((await onWorklist(play)).includes(first), 'within 12 hours of its end it is listed');
    // as if those hours had passed
    await play.restart({ window: '{ before: 10m }' });
    assert.ok(!(await onWorklist(play)).includes(first));
    assert.deepEqual(await play.record(first), before);
  }));

test('calendar removed from the configuration: its items leave, its records stay as they are', () =>
  scene([soon('001', 2), anchor], async (play) => {
    await play.showOther(soon('003', 6));
    const third = await accessionOf(play, '003');
    await play.restart({ calendars: ['prisma'] });
    assert.equal((await play.record(third)).status, 'scheduled');
    assert.ok(!(await onWorklist(play)).includes(third));
  }));

test('calendar under another name: it is refused until its id says whether it is the same one', () =>
  scene([soon('001', 2), anchor], async (play) => {
    const first = await accessionOf(play, '001');
    const before = await onWorklist(play);
    const record = await play.record(first);

    await play.restart({ calendars: ['renamed', 'other'] });
    assert.deepEqual(await onWorklist(play), before);
    assert.deepEqual(await play.record(first), record);
    const { failure } = await play.cal2wl.pass();
    assert.equal(failure?.code, 'CALENDAR_RENAMED');
    assert.match(failure.message, /`id: prisma` under calendars\.renamed.*`id: renamed`/);
    const { status, body } = await play.cal2wl.get('/healthz');
    assert.equal(status, 503);
    assert.match(JSON.stringify(body), /CALENDAR_RENAMED/);
    assert.equal((await play.cal2wl.get('/readyz')).status, 200);

    await play.restart({ calendars: ['renamed', 'other'], id: 'prisma' });
    assert.deepEqual(await onWorklist(play), before);
    await play.show({ ...soon('001', 2), description: 'edited' }, soon('002', 5), anchor);
    assert.equal((await onWorklist(play)).length, before.length + 1);
    assert.equal(await accessionOf(play, '001'), first);
    assert.equal((await play.record(first)).source.calendar, 'prisma');
  }));

test('calendar under another name: with an id of its own, new identities and items, the old records stay', () =>
  scene([soon('001', 2), anchor], async (play) => {
    const first = await accessionOf(play, '001');
    const before = await play.record(first);
    await play.restart({ calendars: ['renamed', 'other'], id: 'renamed' });
    const listed = await onWorklist(play);
    assert.equal(listed.length, 3);
    assert.ok(!listed.includes(first));
    assert.deepEqual(await play.record(first), before);
    const fresh = (await play.cal2wl.records()).find(
      ({ source, labels }) => source.calendar === 'renamed' && labels.subject === 'sub-001',
    );
    assert.ok(fresh !== undefined && listed.includes(fresh.accessionNumber));
    assert.notEqual(fresh.studyInstanceUid, before.studyInstanceUid);
    assert.deepEqual(await warningsOf(play, fresh.accessionNumber), ['USED_BEFORE']);
  }));

test('calendar under another name that cannot be read at first: nothing leaves before it is known', () =>
  scene([soon('001', 2), anchor], async (play) => {
    const before = await onWorklist(play);
    play.answer((_request, response) => response.writeHead(503).end());
    await play.restart({ calendars: ['renamed', 'other'] });
    assert.deepEqual(await onWorklist(play), before);
    await play.show(soon('001', 2), anchor);
    assert.deepEqual(await onWorklist(play), before);
  }));
