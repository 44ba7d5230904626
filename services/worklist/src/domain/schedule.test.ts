import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataSet, items, text, type Attributes } from '@scanflow/dicom';
import { buildSchedule, entriesOf, stepKey } from './schedule.ts';

const step = (station: string | string[], start: string, id = 'S1'): Attributes => ({
  Modality: 'MR',
  ScheduledStationAETitle: station,
  ScheduledProcedureStepStartDate: start.slice(0, 8),
  ScheduledProcedureStepStartTime: start.slice(8),
  ScheduledProcedureStepID: id,
});
const item = (accession: string, ...steps: Attributes[]) =>
  dataSet({
    AccessionNumber: accession,
    StudyInstanceUID: `2.25.${accession.length}`,
    ScheduledProcedureStepSequence: steps,
  });

test('entries: an item of one step is one entry', () => {
  const [entry, ...rest] = entriesOf('a.wl', item('A', step('PRISMA', '20261122093000')));
  assert.ok(entry);
  assert.equal(rest.length, 0);
  assert.equal(entry.accessionNumber, 'A');
  assert.deepEqual(entry.stations, ['PRISMA']);
  assert.equal(entry.startDate, '20261122');
  assert.equal(entry.startTime, '093000');
  assert.equal(entry.modality, 'MR');
});

test('entries: each step of an item is an answer of its own', () => {
  const entries = entriesOf(
    'a.wl',
    item('A', step('PRISMA', '20261122', 'S1'), step('SKYRA', '20261123', 'S2')),
  );
  const ids = entries.map((entry) =>
    items(entry.item, 'ScheduledProcedureStepSequence').map((one) => text(one, 'ScheduledProcedureStepID')),
  );
  assert.deepEqual(ids, [['S1'], ['S2']]);
  assert.deepEqual(
    entries.map((entry) => text(entry.item, 'AccessionNumber')),
    ['A', 'A'],
  );
});

test('entries: a data set that schedules nothing has none', () => {
  assert.deepEqual(entriesOf('a.wl', item('A')), []);
  assert.deepEqual(entriesOf('a.wl', dataSet({ AccessionNumber: 'A' })), []);
});

test('schedule: is ordered by start, then accession number', () => {
  const entries = [
    ...entriesOf('1.wl', item('C', step('PRISMA', '20261122093000'))),
    ...entriesOf('2.wl', item('B', step('PRISMA', '20261122093000'))),
    ...entriesOf('3.wl', item('A', step('PRISMA', '20261123'))),
    ...entriesOf('4.wl', item('D', step('PRISMA', '20261122080000'))),
  ];
  const order = buildSchedule(entries).entries.map(({ accessionNumber }) => accessionNumber);
  assert.deepEqual(order, ['D', 'B', 'C', 'A']);
});

test('schedule: finds a step under each of its stations', () => {
  const schedule = buildSchedule([
    ...entriesOf('1.wl', item('A', step(['PRISMA', 'SKYRA'], '20261122'))),
    ...entriesOf('2.wl', item('B', step('SKYRA', '20261123'))),
  ]);
  const of = (station: string) => schedule.byStation.get(station)?.map((entry) => entry.accessionNumber);
  assert.deepEqual(of('PRISMA'), ['A']);
  assert.deepEqual(of('SKYRA'), ['A', 'B']);
  assert.equal(of('TRIO'), undefined);
});

test('step key: tells steps apart, and is absent where the item lacks an identity', () => {
  const [one] = entriesOf('1.wl', item('A', step('PRISMA', '20261122', 'S1')));
  const [other] = entriesOf('1.wl', item('A', step('PRISMA', '20261122', 'S2')));
  const [same] = entriesOf('2.wl', item('B', step('SKYRA', '20261124', 'S1')));
  const [none] = entriesOf('1.wl', item('A', step('PRISMA', '20261122', '')));
  assert.ok(one && other && same && none);
  assert.notEqual(stepKey(one), stepKey(other));
  assert.equal(stepKey(one), stepKey(same));
  assert.equal(stepKey(none), undefined);
});
