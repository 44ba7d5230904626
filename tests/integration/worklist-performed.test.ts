/** Exams as scanners report them (MPPS) against the running service: what leaves the worklist, what survives, what is told. */
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeExamRecord, encodeBookingRecord } from '@scanflow/booking';
import type { ExamRecord } from '@scanflow/booking';
import { newUid, tagOf } from '@scanflow/dicom';
import { examBegins, examEnds, examSeries, until } from '@scanflow/testkit';
import { bookingRecord } from '@scanflow/testkit/events';
import { BEGUN, hospital, link, open } from './worklist-performed-support.ts';
import { encoded, item, publish, scratch, worklistFolder } from './worklist-support.ts';

test('performed: an item is shown as in progress, and leaves as soon as its exam is completed', async (t) => {
  const { create, set, listed, page, performed, record, service } = await hospital(t);
  const uid = newUid();
  assert.equal((await create(uid, examBegins(link('A1')))).status, 0);
  assert.deepEqual(await listed(), ['A1', 'B1', 'C1']);
  const states = (await page()).items.map(({ accessionNumber, state }) => `${accessionNumber} ${state}`);
  assert.deepEqual(states, ['A1 in progress', 'B1 scheduled', 'C1 scheduled']);
  const begun = await record(uid);
  assert.deepEqual([begun.state, begun.stationAet, begun.items.length], ['IN PROGRESS', 'PRISMA', 1]);

  assert.equal((await set(uid, examEnds('COMPLETED', { images: 192 }))).status, 0);
  assert.deepEqual(await listed(), ['B1', 'C1']);
  assert.deepEqual(
    (await page()).left.map(({ accessionNumber, why }) => [accessionNumber, why]),
    [['A1', 'completed']],
  );
  const [step] = (await performed()).steps;
  assert.deepEqual(
    [step?.state, step?.linked, step?.scanner, step?.images],
    ['COMPLETED', true, 'prisma', 192],
  );
  assert.equal(step?.started, BEGUN.toInstant().toString({ smallestUnit: 'second' }));
  assert.equal((await record(uid)).series[0]?.images, 192);
  const metrics = await service.page('/metrics');
  assert.match(metrics, /scanflow_worklist_performed_steps\{state="completed"\} 1/);
  assert.match(metrics, /scanflow_worklist_items_left\{reason="completed"\} 1/);
  assert.match(metrics, /performed_requests_total\{operation="N-SET",status="0000"\} 1/);
  const log = service.program.output();
  assert.match(log, /performed\.created/);
  assert.doesNotMatch(log, /Müller|3010000|Memory|mprage/);
});

test('performed: discontinued leaves too, but not where the wrong item was chosen; begun again it is back', async (t) => {
  const { create, set, listed } = await hospital(t);
  const [first, second, third] = [newUid(), newUid(), newUid()];
  await create(first, examBegins(link('A1')));
  assert.equal((await set(first, examEnds('DISCONTINUED', { images: 0 }))).status, 0);
  assert.deepEqual(await listed(), ['B1', 'C1']);
  await create(second, examBegins(link('A1')));
  assert.deepEqual(await listed(), ['A1', 'B1', 'C1']);
  const wrong = [
    { CodeValue: '110514', CodingSchemeDesignator: 'DCM', CodeMeaning: 'Incorrect worklist entry' },
  ];
  await create(third, examBegins(link('B1')));
  const reason = { PerformedProcedureStepDiscontinuationReasonCodeSequence: wrong };
  await set(third, { ...examEnds('DISCONTINUED', { images: 0 }), ...reason });
  assert.deepEqual(await listed(), ['A1', 'B1', 'C1']);
});

test('performed: with `performed: keep` the item stays', async (t) => {
  const { create, set, listed, page } = await hospital(t, ['performed: keep']);
  const uid = newUid();
  await create(uid, examBegins(link('A1')));
  await set(uid, examEnds('COMPLETED'));
  assert.deepEqual(await listed(), ['A1', 'B1', 'C1']);
  assert.equal((await page()).items[0]?.state, 'completed');
});

test('performed: finished twice is 0110 with A710, told before 0111, unknown 0112; all of it shows', async (t) => {
  const { create, set, performed, listed } = await hospital(t, ['mpps: strict']);
  const uid = newUid();
  await create(uid, examBegins(link('A1')));
  await set(uid, examEnds('COMPLETED'));
  const again = await set(uid, examEnds('DISCONTINUED'));
  assert.deepEqual([again.status, again.errorId], [0x0110, 0xa710]);
  assert.equal((await create(uid, examBegins(link('A1')))).status, 0x0111);
  assert.equal((await set(newUid(), examEnds('COMPLETED'))).status, 0x0112);
  const { PatientSex: _, ...incomplete } = examBegins(link('B1'));
  const missing = await create(newUid(), incomplete);
  assert.deepEqual([missing.status, missing.attributeIdentifiers], [0x0120, [tagOf('PatientSex')]]);
  assert.equal(missing.comment, 'Missing: PatientSex');
  const { steps, refused } = await performed();
  assert.equal(steps[0]?.state, 'COMPLETED');
  assert.deepEqual(
    refused.map(({ operation, status }) => `${operation} ${status}`),
    ['N-CREATE 0120', 'N-SET 0112', 'N-CREATE 0111', 'N-SET 0110'],
  );
  assert.deepEqual(await listed(), ['B1', 'C1']);
});

test('performed: reports that lack attributes are taken, filled from the scanner and shown; a typed accession is linked', async (t) => {
  const { create, set, performed, listed, record } = await hospital(t);
  const uid = newUid();
  const {
    PerformedStationName: _,
    PerformedLocation: __,
    ...begins
  } = examBegins({ ...link('A1'), accessionNumber: 'a1' });
  assert.equal((await create(uid, { ...begins, Modality: null })).status, 0);
  const { OperatorsName: ___, ...series } = examSeries(3);
  const ends = { ...examEnds('COMPLETED'), PerformedSeriesSequence: [series] };
  assert.equal((await set(uid, ends)).status, 0);
  assert.deepEqual(await listed(), ['B1', 'C1']);
  const { steps, refused } = await performed();
  assert.deepEqual(refused, []);
  const missing = [
    'PerformedStationName',
    'PerformedLocation',
    'Modality',
    'PerformedSeriesSequence.OperatorsName',
  ];
  assert.deepEqual(
    steps.map((one) => [one.state, one.linked, one.modality, one.missing]),
    [['COMPLETED', true, 'MR', missing]],
  );
  assert.deepEqual((await record(uid)).missing, missing);
});

test('performed: an exam that is linked to nothing shows as such; an item that comes later is linked', async (t) => {
  const { create, set, performed, folder, listed } = await hospital(t);
  const uid = newUid();
  await create(uid, examBegins({ accessionNumber: 'D1', studyInstanceUid: '2.25.9', stepId: '' }));
  assert.equal((await performed()).steps[0]?.linked, false);
  await publish(folder, 'D1.wl', encoded(item('D1')));
  await until(async () => (await listed()).includes('D1'), { what: 'D1 is listed', timeoutMs: 10_000 });
  await set(uid, examEnds('COMPLETED'));
  assert.equal((await performed()).steps[0]?.linked, true);
  assert.deepEqual(await listed(), ['A1', 'B1', 'C1']);
});

test('performed: what was answered survives kill -9, between N-CREATE and N-SET and after it', async (t) => {
  const { data, create, service } = await hospital(t);
  const uids = Array.from({ length: 8 }, newUid);
  for (const uid of uids) assert.equal((await create(uid, examBegins(link('A1')))).status, 0);
  await service.program.stop('SIGKILL');
  const second = await open(t, data);
  assert.equal((await second.performed()).steps.length, uids.length);
  for (const uid of uids) assert.equal((await second.set(uid, examEnds('COMPLETED'))).status, 0);
  await second.service.program.stop('SIGKILL');
  const third = await open(t, data);
  assert.deepEqual(await third.listed(), ['B1', 'C1']);
  assert.equal((await third.set(uids[0] ?? '', examEnds('COMPLETED'))).status, 0x0110);
  const text = await readFile(join(data, 'performed', `${uids[0] ?? ''}.json`), 'utf8');
  assert.match(text, /Müller\^Jörg/);
});

test('performed: forgotten for a day shows as stale, and time takes its item', async (t) => {
  const data = await scratch(t);
  const folder = await worklistFolder(data);
  const start = Temporal.Now.zonedDateTimeISO('Europe/Amsterdam').subtract({ hours: 30 });
  await publish(folder, 'A1.wl', encoded(item('A1', { start })));
  await mkdir(join(data, 'performed'));
  const at = start.toInstant().toString({ smallestUnit: 'second' });
  const forgotten: ExamRecord = {
    version: 1,
    sopInstanceUid: '1.2.3',
    state: 'IN PROGRESS',
    created: at,
    updated: at,
    started: at,
    modality: 'MR',
    stationAet: 'PRISMA',
    callingAet: 'PRISMA',
    wrongItem: false,
    links: [
      { accessionNumber: 'A1', scheduledStepId: 'A1', requestedProcedureId: '', studyInstanceUids: [] },
    ],
    items: [],
    series: [],
    attributes: {},
  };
  await writeFile(join(data, 'performed', '1.2.3.json'), encodeExamRecord(forgotten));
  await writeFile(join(data, 'performed', '1.2.4.json'), 'broken');
  const { performed, page, listed, service } = await open(t, data, ['retain: 12h']);
  const { steps, problems } = await performed();
  assert.deepEqual(
    [steps.length, steps[0]?.stale, problems.map(({ file }) => file)],
    [1, true, ['1.2.4.json']],
  );
  assert.match(await service.page('/metrics'), /performed_steps\{state="stale"\} 1/);
  assert.deepEqual(await listed(), []);
  assert.deepEqual(
    (await page()).left.map(({ why }) => why),
    ['over'],
  );
});

test('performed: without a report an item leaves some hours after the end that its booking tells', async (t) => {
  const data = await scratch(t);
  const folder = await worklistFolder(data);
  const start = Temporal.Now.zonedDateTimeISO('Europe/Amsterdam').subtract({ hours: 20 });
  for (const one of ['SHORT', 'LONG']) await publish(folder, `${one}.wl`, encoded(item(one, { start })));
  const ends = start.add({ hours: 18 }).toInstant().toString({ smallestUnit: 'second' });
  const booking = bookingRecord({
    accessionNumber: 'LONG',
    start: start.toInstant().toString({ smallestUnit: 'second' }),
    end: ends,
  });
  await mkdir(join(data, 'bookings'));
  await writeFile(join(data, 'bookings', 'LONG.json'), encodeBookingRecord(booking));
  const { listed } = await open(t, data, ['retain: 12h']);
  assert.deepEqual(await listed(), ['LONG']);
});

test('performed: where no record can be written scanners are told, and the worklist goes on', async (t) => {
  const data = await scratch(t);
  await publish(await worklistFolder(data), 'A1.wl', encoded(item('A1')));
  await writeFile(join(data, 'performed'), 'a file where the folder should be');
  const { create, listed, performed } = await open(t, data);
  const told = await create(newUid(), examBegins(link('A1')));
  assert.deepEqual([told.status, told.comment], [0x0213, 'The record cannot be written: EEXIST']);
  assert.deepEqual(await listed(), ['A1']);
  assert.deepEqual([(await performed()).steps.length, (await performed()).problems.length], [0, 1]);
});

test('performed: twenty scanners at once, and two that end the same step', async (t) => {
  const { create, set, performed } = await hospital(t);
  const uids = Array.from({ length: 20 }, newUid);
  await Promise.all(uids.map((uid) => create(uid, examBegins(link('B1')))));
  const [first] = uids;
  const both = await Promise.all([
    set(first ?? '', examEnds('COMPLETED')),
    set(first ?? '', examEnds('DISCONTINUED')),
  ]);
  assert.deepEqual(both.map(({ status }) => status).sort(), [0, 0x0110]);
  const { steps } = await performed();
  assert.deepEqual([steps.length, steps.filter(({ state }) => state === 'IN PROGRESS').length], [20, 19]);
});
