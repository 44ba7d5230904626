import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataSet, type DataSet } from '@scanflow/dicom';
import { createJournal, type QueryRecord, shownValues, valuedKeys } from './journal.ts';

const record = (answers: number): QueryRecord => ({
  at: '2026-11-22T08:00:00Z',
  callingAet: 'PRISMA',
  address: '127.0.0.1',
  keys: [],
  values: {},
  characterSet: 'ISO_IR 192',
  answers,
  milliseconds: 1,
  outcome: 'complete',
});
const kept = (capacity: number, count: number): number[] => {
  const journal = createJournal(capacity);
  for (let index = 1; index <= count; index++) journal.add(record(index));
  return journal.latest().map(({ answers }) => answers);
};

test('journal: starts empty', () => assert.deepEqual(kept(3, 0), []));
test('journal: gives the newest first', () => assert.deepEqual(kept(3, 2), [2, 1]));
test('journal: exactly full', () => assert.deepEqual(kept(3, 3), [3, 2, 1]));
test('journal: forgets the oldest', () => assert.deepEqual(kept(3, 5), [5, 4, 3]));
test('journal: forgets the oldest after several rounds', () => assert.deepEqual(kept(3, 9), [9, 8, 7]));

test('journal: keeps the last query of each caller as it came, of 64 callers', () => {
  const journal = createJournal(3);
  const of = (callingAet: string, answers = 0): QueryRecord => ({ ...record(answers), callingAet });
  const identifier = dataSet({ PatientID: 'x' });
  journal.add(of('PRISMA', 1), dataSet({}));
  journal.add(of('PRISMA', 2), identifier);
  journal.add(of('SKYRA'));
  assert.equal(journal.last(['PRISMA'])?.identifier, identifier);
  assert.equal(journal.last(['PRISMA'])?.record.answers, 2);
  assert.equal(journal.last(['PRISMA', 'SKYRA'])?.record.callingAet, 'SKYRA', 'of all its titles the last');
  assert.equal(journal.last(['SKYRA'])?.identifier, undefined, 'it could not be read');
  assert.equal(journal.last(['TRIO']), undefined);
  for (let index = 0; index < 62; index++) journal.add(of(`A${index}`));
  assert.equal(journal.last(['PRISMA'])?.record.answers, 2);
  journal.add(of('ONE-MORE'));
  assert.equal(journal.last(['PRISMA']), undefined, 'it was silent for longest');
});

test('journal: a query of very many keys is not kept as it came', () => {
  const journal = createJournal();
  const large = new Map(
    Array.from(
      { length: 600 },
      (_, index) => [0x00210000 + index, { vr: 'LO', kind: 'text', values: [] }] as const,
    ),
  );
  journal.add(record(1), large);
  assert.equal(journal.last(['PRISMA'])?.identifier, undefined);
});

test('valued keys: names the keys that had a value, never the values', () => {
  const identifier = dataSet({
    PatientName: 'Secret*',
    PatientID: null,
    PregnancyStatus: 4,
    ScheduledProcedureStepSequence: [
      { Modality: 'MR', ScheduledStationAETitle: '', ScheduledProtocolCodeSequence: [{ CodeValue: 'x' }] },
    ],
  });
  assert.deepEqual(valuedKeys(identifier).sort(), [
    'PatientName',
    'PregnancyStatus',
    'ScheduledProcedureStepSequence.Modality',
    'ScheduledProcedureStepSequence.ScheduledProtocolCodeSequence.CodeValue',
  ]);
});

test('valued keys: a private key has its tag', () => {
  const identifier: DataSet = new Map([[0x00211010, { vr: 'LO', kind: 'text', values: ['x'] }]]);
  assert.deepEqual(valuedKeys(identifier), ['(0021,1010)']);
});

test('shown values: stations, days, times and modality; nothing of a person or an exam', () => {
  const identifier = dataSet({
    SpecificCharacterSet: 'ISO_IR 100',
    PatientName: 'Secret*',
    PatientID: 'Secret',
    PatientBirthDate: '19800229',
    AccessionNumber: 'Secret',
    StudyInstanceUID: '1.2',
    RequestedProcedureDescription: 'Secret',
    StudyDate: null,
    ScheduledProcedureStepSequence: [
      {
        Modality: 'MR',
        ScheduledStationAETitle: ['PRISMA', 'SKYRA'],
        ScheduledProcedureStepStartDate: '20261122-',
        ScheduledPerformingPhysicianName: 'Secret',
        ScheduledStationName: 'x'.repeat(100),
      },
    ],
  });
  const step = 'ScheduledProcedureStepSequence';
  assert.deepEqual(shownValues(identifier), {
    SpecificCharacterSet: 'ISO_IR 100',
    [`${step}.Modality`]: 'MR',
    [`${step}.ScheduledStationAETitle`]: 'PRISMA\\SKYRA',
    [`${step}.ScheduledStationName`]: `${'x'.repeat(64)}…`,
    [`${step}.ScheduledProcedureStepStartDate`]: '20261122-',
  });
});

test('shown values: what was typed into a date or a time shows only where it is written as one', () => {
  const shown = (value: string): string | undefined =>
    shownValues(dataSet({ ScheduledProcedureStepSequence: [{ ScheduledProcedureStepStartDate: value }] }))[
      'ScheduledProcedureStepSequence.ScheduledProcedureStepStartDate'
    ];
  for (const value of ['20261122', '20261122-20261123', '-', '2026.11.22', '2026-11-22', '22:11'])
    assert.equal(shown(value), value);
  for (const value of ['ID-4711-SECRET', 'Doe^Jo', '20261122A']) assert.equal(shown(value), undefined);
});
