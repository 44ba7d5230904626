import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataSet, type Attributes } from '@scanflow/dicom';
import { excludingKeys } from './excluded.ts';

const item = dataSet({
  AccessionNumber: 'A1',
  PatientName: 'Doe^Jane',
  RequestedProcedureCodeSequence: [{ CodeValue: 'T-1' }],
  ScheduledProcedureStepSequence: [
    {
      Modality: 'MR',
      ScheduledStationAETitle: 'PRISMA',
      ScheduledProcedureStepStartDate: '20261122',
      ScheduledProcedureStepStartTime: '093000',
    },
  ],
});
const STEP = 'ScheduledProcedureStepSequence';
const step = (keys: Attributes): Attributes => ({ [STEP]: [keys] });

const cases: [string, Attributes, object[]][] = [
  ['nothing where the query matches', { ...step({ Modality: 'MR' }), PatientName: 'Doe*' }, []],
  [
    'a key with its value and the item’s',
    step({ Modality: 'CT' }),
    [{ key: `${STEP}.Modality`, asked: 'CT', has: 'MR' }],
  ],
  ['a name without any value', { PatientName: 'Roe*' }, [{ key: 'PatientName' }]],
  ['an attribute that the item lacks', { PatientSex: 'F' }, [{ key: 'PatientSex' }]],
  [
    'all keys that exclude it',
    { AccessionNumber: 'B1', ...step({ Modality: 'MR', ScheduledStationAETitle: 'SKYRA' }) },
    [{ key: 'AccessionNumber' }, { key: `${STEP}.ScheduledStationAETitle`, asked: 'SKYRA', has: 'PRISMA' }],
  ],
  [
    'day and hours as the period that they are',
    step({
      ScheduledProcedureStepStartDate: '20261122-20261123',
      ScheduledProcedureStepStartTime: '100000-120000',
    }),
    [
      {
        key: `${STEP}.ScheduledProcedureStepStartDate and ${STEP}.ScheduledProcedureStepStartTime`,
        asked: '20261122-20261123 100000-120000',
        has: '20261122 093000',
      },
    ],
  ],
  [
    'a code two levels down',
    { RequestedProcedureCodeSequence: [{ CodeValue: 'T-2' }] },
    [{ key: 'RequestedProcedureCodeSequence.CodeValue' }],
  ],
  ['an attribute that cannot be matched excludes nothing', { Modality: 'CT', PregnancyStatus: 4 }, []],
];
for (const [name, query, expected] of cases)
  test(`excluding keys: ${name}`, () =>
    assert.deepEqual(excludingKeys(dataSet(query), item, { caseInsensitivePn: true }), expected));
