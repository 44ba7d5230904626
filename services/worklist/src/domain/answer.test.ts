import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataSet, text, type Attributes, matcher, type DataSet } from '@scanflow/dicom';
import fc from 'fast-check';
import { accessPolicy, type AccessSettings, isOf } from './access.ts';
import { answers, refusal, candidates } from './answer.ts';
import { buildSchedule, entriesOf, type Entry } from './schedule.ts';

const item = (accession: string, station: string | string[], more: Attributes = {}) =>
  entriesOf(
    `${accession}.wl`,
    dataSet({
      AccessionNumber: accession,
      StudyInstanceUID: `2.25.${accession.charCodeAt(0)}`,
      PatientName: `Name${accession}`,
      ScheduledProcedureStepSequence: [
        {
          Modality: 'MR',
          ScheduledStationAETitle: station,
          ScheduledProcedureStepStartDate: '20261122',
          ScheduledProcedureStepID: accession,
        },
      ],
      ...more,
    }),
  );
const schedule = buildSchedule([
  ...item('A', 'PRISMA'),
  ...item('B', 'SKYRA'),
  ...item('C', ['PRISMA', 'SKYRA']),
  ...item('D', 'PRISMA', { DeviceSerialNumber: '42' }),
]);
const scanners = [{ aet: 'PRISMA', characterSet: 'ISO_IR 100' }];

function ask(query: Attributes, settings: Partial<AccessSettings> = {}, callingAet = 'PRISMA') {
  const policy = accessPolicy({ aet: 'SCANFLOW', allow: 'any', view: 'all', scanners, ...settings });
  const identifier = dataSet({ AccessionNumber: null, ...query });
  return [...answers(schedule, { identifier, callingAet }, policy)].filter((answer) => answer !== undefined);
}
const accessions = (...args: Parameters<typeof ask>): string[] =>
  ask(...args).map((answer) => text(answer.identifier, 'AccessionNumber') ?? '');
const station = (value: string | string[]): Attributes => ({
  ScheduledProcedureStepSequence: [{ ScheduledStationAETitle: value }],
});

const cases: [string, string[], Attributes, Partial<AccessSettings>?, string?][] = [
  ['an empty identifier gives everything, in order', ['A', 'B', 'C', 'D'], {}],
  ['one station', ['B', 'C'], station('SKYRA')],
  ['a station that has nothing', [], station('TRIO')],
  ['a station by wildcard', ['A', 'C', 'D'], station('PRIS*')],
  ['any station by wildcard', ['A', 'B', 'C', 'D'], station('*')],
  ['an accession number', ['C'], { AccessionNumber: 'C' }],
  ['own view: only the caller’s station', ['A', 'C', 'D'], {}, { view: 'own' }],
  ['own view: another station it shares items with', ['C'], station('SKYRA'), { view: 'own' }],
  ['own view: its own station', ['A', 'C', 'D'], station('PRISMA'), { view: 'own' }],
  ['own view: a caller that is no station sees nothing', [], {}, { view: 'own' }, 'VIEWER'],
  ['own view: a wildcard does not widen it', ['A', 'C', 'D'], station('*'), { view: 'own' }],
];
for (const [name, expected, query, settings, calling] of cases)
  test(`answers: ${name}`, () => assert.deepEqual(accessions(query, settings, calling), expected));

test('answers: FF01 where a key outside of the model has a value, whatever the item has', () => {
  const statuses = (query: Attributes) => ask(query).map(({ status }) => status.toString(16));
  assert.deepEqual(statuses({ DeviceSerialNumber: '42' }), ['ff01', 'ff01', 'ff01', 'ff01']);
  assert.deepEqual(statuses({ DeviceSerialNumber: '43' }), ['ff01', 'ff01', 'ff01', 'ff01']);
  assert.deepEqual(statuses({ DeviceSerialNumber: null }), ['ff00', 'ff00', 'ff00', 'ff00']);
});

test('refusal: names the key that is no date', () => {
  const step = { ScheduledProcedureStepStartDate: 'tomorrow' };
  assert.deepEqual(refusal(dataSet({ ScheduledProcedureStepSequence: [step] })), {
    status: 0xa900,
    offendingElement: 0x00400002,
    comment: 'Invalid ScheduledProcedureStepStartDate',
  });
  assert.equal(refusal(dataSet({ PatientName: null })), undefined);
});

test('refusal: more characters than every item is compared with are C000, a long list of UIDs is none of them', () => {
  const many = { PatientID: Array.from({ length: 3_000 }, () => 'a*') };
  const refused = { status: 0xc000, offendingElement: 0x00100020, comment: 'Too many values PatientID' };
  assert.deepEqual(refusal(dataSet(many)), refused);
  assert.deepEqual(refusal(dataSet({ ScheduledProcedureStepSequence: [many] })), refused);
  const uids = Array.from({ length: 2_000 }, (_, index) => `2.25.${index}`);
  assert.equal(refusal(dataSet({ StudyInstanceUID: uids, PatientName: 'x'.repeat(64) })), undefined);
  assert.deepEqual(accessions({ StudyInstanceUID: [...uids, '2.25.65'] }), ['A', 'B', 'C', 'D']);
});

test('answers: names are matched whatever their case', () => {
  assert.deepEqual(accessions({ PatientName: 'namea' }), ['A']);
});

test('answers: in the character set of the scanner, or else of the query', () => {
  const sets = (query: Attributes, calling: string) =>
    new Set(ask(query, {}, calling).map(({ characterSet }) => characterSet));
  assert.deepEqual(sets({ SpecificCharacterSet: 'ISO_IR 192' }, 'PRISMA'), new Set(['ISO_IR 100']));
  assert.deepEqual(sets({ SpecificCharacterSet: 'ISO_IR 101' }, 'VIEWER'), new Set(['ISO_IR 101']));
});

test('answers: are made one at a time', () => {
  const policy = accessPolicy({ aet: 'SCANFLOW', allow: 'any', view: 'all', scanners });
  const iterator = answers(schedule, { identifier: dataSet({}), callingAet: 'PRISMA' }, policy);
  assert.equal(iterator.next().done, false);
  assert.equal(iterator.return().done, true);
});

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
const indexedItems = buildSchedule(entries);

const stationOn = (station: string | string[] | null, date: string | null): Attributes => ({
  [step]: [{ ScheduledStationAETitle: station, ScheduledProcedureStepStartDate: date }],
});
const lookUps: [string, Attributes, string[]][] = [
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
for (const [name, query, expected] of lookUps)
  test(`candidates: ${name}`, () =>
    assert.deepEqual(names(candidates(indexedItems, keys(query), undefined)), expected));

test('candidates: of the caller’s stations only, in order of start', () => {
  assert.deepEqual(names(candidates(indexedItems, keys({}), ['SKYRA'])), ['B', 'C']);
  assert.deepEqual(names(candidates(indexedItems, keys({}), ['SKYRA', 'PRISMA'])), [
    'EE',
    'A',
    'B',
    'C',
    'D',
  ]);
  assert.deepEqual(names(candidates(indexedItems, keys({ AccessionNumber: 'D' }), ['SKYRA'])), []);
  assert.deepEqual(names(candidates(indexedItems, keys({}), ['TRIO'])), []);
});

test('candidates: an item with several start dates is found on each', () => {
  const odd = buildSchedule([...entries, ...make('F', ['PRISMA'], ['20261120', '20261125'])]);
  assert.ok(names(candidates(odd, keys(stationOn(null, '20261125')), undefined)).includes('F'));
});

test('candidates: a key in a VR of other rules narrows nothing', () => {
  const odd: DataSet = new Map([[0x00080050, { vr: 'PN', kind: 'text', values: ['a'] }]]);
  assert.equal(candidates(indexedItems, odd, undefined).length, entries.length);
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
