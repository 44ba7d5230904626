import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataSet, matcher, type Attributes, type DataSet } from '@scanflow/dicom';
import fc from 'fast-check';
import { isOf } from './access.ts';
import { candidates } from './candidates.ts';
import { buildSchedule, entriesOf, type Entry } from './schedule.ts';

const step = 'ScheduledProcedureStepSequence';
const make = (
  accession: string | string[],
  station: string[],
  date: string | string[],
  more: Attributes = {},
) =>
  entriesOf(
    'x.wl',
    dataSet({
      AccessionNumber: accession,
      StudyInstanceUID: `2.25.${String(accession).length}`,
      PatientID: 'Zoë',
      [step]: [{ ScheduledStationAETitle: station, ScheduledProcedureStepStartDate: date }],
      ...more,
    }),
  );
const names = (entries: readonly Entry[]): string[] => entries.map((entry) => entry.accessionNumber);
const keys = (query: Attributes): DataSet => dataSet({ AccessionNumber: null, ...query });

const entries = [
  ...make('A', ['PRISMA'], '20261122'),
  ...make('B', ['SKYRA'], '20261123'),
  ...make('C', ['PRISMA', 'SKYRA'], '2026.11.24', { PatientID: 'Zoe\u0308' }),
  ...make('D', ['PRISMA'], '20261124'),
  ...make('EE', ['PRISMA'], 'soon', { PatientID: '42' }),
];
const schedule = buildSchedule(entries);

const stationOn = (station: string | string[] | null, date: string | null): Attributes => ({
  [step]: [{ ScheduledStationAETitle: station, ScheduledProcedureStepStartDate: date }],
});
const cases: [string, Attributes, string[]][] = [
  ['everything where nothing is asked', {}, ['EE', 'A', 'B', 'C', 'D']],
  ['a station on a day', stationOn('PRISMA', '20261124'), ['C', 'D']],
  ['a station from a day on', stationOn('SKYRA', '20261124-'), ['C']],
  ['a day on any station', stationOn(null, '20261122-20261123'), ['A', 'B']],
  ['up to a day, and what has none', stationOn(null, '-20261122'), ['EE', 'A']],
  ['two stations, in order of start', stationOn(['SKYRA', 'PRISMA'], '20261123-'), ['B', 'C', 'D']],
  ['a station by wild card: all on the day', stationOn('PRIS*', '20261123'), ['B']],
  ['an accession number', { AccessionNumber: 'B' }, ['B']],
  ['an accession number that is not there', { AccessionNumber: 'X' }, []],
  ['a study', { StudyInstanceUID: '2.25.2' }, ['EE']],
  ['studies', { StudyInstanceUID: ['2.25.2', '2.25.9'] }, ['EE']],
  ['a patient, whichever way é is written', { PatientID: 'Zoë' }, ['A', 'B', 'C', 'D']],
];
for (const [name, query, expected] of cases)
  test(`candidates: ${name}`, () =>
    assert.deepEqual(names(candidates(schedule, keys(query), undefined)), expected));

test('candidates: of the caller’s stations only, in order of start', () => {
  assert.deepEqual(names(candidates(schedule, keys({}), ['SKYRA'])), ['B', 'C']);
  assert.deepEqual(names(candidates(schedule, keys({}), ['SKYRA', 'PRISMA'])), ['EE', 'A', 'B', 'C', 'D']);
  assert.deepEqual(names(candidates(schedule, keys({ AccessionNumber: 'D' }), ['SKYRA'])), []);
  assert.deepEqual(names(candidates(schedule, keys({}), ['TRIO'])), []);
});

test('candidates: an item with several start dates is found on each', () => {
  const odd = buildSchedule([...entries, ...make('F', ['PRISMA'], ['20261120', '20261125'])]);
  assert.ok(names(candidates(odd, keys(stationOn(null, '20261125')), undefined)).includes('F'));
});

test('candidates: a key in a VR of other rules narrows nothing', () => {
  const odd: DataSet = new Map([[0x00080050, { vr: 'PN', kind: 'text', values: ['a'] }]]);
  assert.equal(candidates(schedule, odd, undefined).length, entries.length);
});

test('candidates: hold every entry that matches, whatever is asked', () => {
  const value = (...values: string[]) => fc.constantFrom(...values);
  const one = fc.constantFrom('A', 'B*', 'C', 'EE', '', '*', 'Zoë', 'Zoe\u0308', '42', '2.25.1', '2.25.2');
  const several = fc.oneof(one, fc.array(one, { maxLength: 3 }));
  const date = value('20261122', '2026.11.24', '20261123-', '-20261123', '20261122-20261124', '', 'soon');
  const station = fc.oneof(value('PRISMA', 'SKYRA', 'PR*', '', 'TRIO'), fc.constant(['SKYRA', 'PRISMA']));
  const stepKey = fc.record({ ScheduledStationAETitle: station, ScheduledProcedureStepStartDate: date });
  const query = fc.record(
    {
      AccessionNumber: several,
      StudyInstanceUID: several,
      PatientID: several,
      [step]: fc.array(stepKey, { maxLength: 2 }),
    },
    { requiredKeys: [] },
  );
  const view = fc.option(fc.subarray(['PRISMA', 'SKYRA']), { nil: undefined });
  const odd = fc.boolean();
  fc.assert(
    fc.property(query, view, odd, (asked, stations, isOdd) => {
      const some = isOdd ? [...entries, ...make(['A', 'G'], ['SKYRA'], ['20261120', '20261124'])] : entries;
      const served = buildSchedule(some);
      const identifier = dataSet(asked);
      const matches = matcher(identifier, { caseInsensitivePn: true });
      const inView = (entry: Entry) => stations === undefined || isOf(entry, stations);
      const found = candidates(served, identifier, stations);
      assert.deepEqual(
        found.filter(({ item }) => matches(item)),
        served.entries.filter((entry) => inView(entry) && matches(entry.item)),
      );
      assert.ok(found.every(inView));
    }),
    { numRuns: 2_000 },
  );
});
