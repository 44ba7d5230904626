import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataSet, type Attributes } from '@scanflow/dicom';
import { accessPolicy, type AccessSettings } from '../domain/access.ts';
import type { QueryRecord } from '../domain/journal.ts';
import { buildSchedule, entriesOf, type Entry } from '../domain/schedule.ts';
import { explain, type Known, type Question, excludingKeys } from './explain.ts';

function entry(accession: string, station = 'PRISMA', day = '20261122'): Entry {
  const step = { Modality: 'MR', ScheduledStationAETitle: station, ScheduledProcedureStepStartDate: day };
  const item = dataSet({ AccessionNumber: accession, ScheduledProcedureStepSequence: [step] });
  const [made] = entriesOf(`${accession}.wl`, item);
  assert.ok(made);
  return made;
}
const A = entry('A');
const B = entry('B', 'SKYRA', '20261123');
const all = buildSchedule([A, B]);

function codes(
  question: Partial<Omit<Question, 'identifier'>> & { readonly query?: Attributes | null },
  known: Partial<Known> = {},
  access: Partial<AccessSettings> = {},
) {
  const scanners = [{ aet: 'PRISMA' }, { aet: 'SKYRA' }];
  const policy = accessPolicy({ aet: 'SCANFLOW', allow: 'scanners', view: 'all', scanners, ...access });
  const { query = {}, ...rest } = question;
  const identifier = query === null ? undefined : dataSet(query);
  const explanation = explain(
    { accessionNumber: 'A', callingAet: 'PRISMA', asked: undefined, ...rest, identifier },
    {
      all,
      served: all,
      left: new Map(),
      problems: [],
      policy,
      calledAet: 'SCANFLOW',
      matching: { caseInsensitivePn: true },
      maxAnswers: undefined,
      booked: false,
      writtenMs: () => undefined,
      ...known,
    },
  );
  assert.equal(explanation.listed, explanation.reasons.length === 0);
  return { codes: explanation.reasons.map(({ code }) => code), ...explanation };
}
const record = (more: Partial<QueryRecord>): QueryRecord => ({
  at: '2026-11-22T08:00:00Z',
  callingAet: 'PRISMA',
  address: '127.0.0.1',
  keys: [],
  values: {},
  characterSet: 'ISO_IR 192',
  answers: 0,
  milliseconds: 1,
  outcome: 'complete',
  ...more,
});

test('explain: what is listed has no reason', () => assert.deepEqual(codes({}).codes, []));

test('explain: the key that excludes it', () => {
  const query = { ScheduledProcedureStepSequence: [{ Modality: 'CT' }] };
  const { reasons } = codes({ query });
  assert.deepEqual(reasons, [
    {
      code: 'KEY',
      key: 'ScheduledProcedureStepSequence.Modality',
      asked: 'CT',
      has: 'MR',
      text: 'the query requires ScheduledProcedureStepSequence.Modality CT; the item has MR',
    },
  ]);
});

test('explain: no such item, one in other letters, one that is booked', () => {
  assert.deepEqual(codes({ accessionNumber: 'X' }).codes, ['NOT_IN_FOLDER']);
  assert.match(codes({ accessionNumber: 'a' }).reasons[0]?.text ?? '', /there is A$/);
  assert.match(
    codes({ accessionNumber: 'X' }, { booked: true }).reasons[0]?.text ?? '',
    /there is a booking/,
  );
});

test('explain: an item without accession number, by its file', () => {
  const [bare] = entriesOf('bare.wl', dataSet({ ScheduledProcedureStepSequence: [{ Modality: 'MR' }] }));
  assert.ok(bare);
  const here = buildSchedule([A, bare]);
  for (const accessionNumber of ['bare', 'bare.wl'])
    assert.deepEqual(codes({ accessionNumber }, { all: here, served: here }).codes, []);
});

test('explain: a file that is broken, and one that is older than another of the same step', () => {
  const broken = { file: 'X.wl', code: 'BROKEN', message: 'ends within its header', served: false } as const;
  assert.deepEqual(codes({ accessionNumber: 'X' }, { problems: [broken] }).codes, ['FILE_NOT_SERVED']);
  const older = { ...broken, file: 'A.wl', code: 'DUPLICATE' } as const;
  assert.deepEqual(codes({}, { served: buildSchedule([B]), problems: [older] }).codes, ['FILE_NOT_SERVED']);
});

test('explain: an item that left', () => {
  const left = { served: buildSchedule([B]), left: new Map([[A, 'completed' as const]]) };
  assert.deepEqual(codes({}, left).codes, ['LEFT']);
});

test('explain: a caller that may not ask, or may not see it', () => {
  assert.deepEqual(codes({ callingAet: 'STRANGER' }).codes, ['NOT_ADMITTED']);
  assert.deepEqual(codes({ accessionNumber: 'B' }, {}, { view: 'own' }).codes, ['OUT_OF_VIEW']);
});

test('explain: a query that is refused, or could not be read', () => {
  const step = { ScheduledProcedureStepStartDate: 'tomorrow' };
  assert.deepEqual(codes({ query: { ScheduledProcedureStepSequence: [step] } }).codes, ['QUERY_REFUSED']);
  const asked = record({ outcome: 'unreadable', why: 'TRUNCATED' });
  const { codes: found, reasons } = codes({ query: null, asked });
  assert.deepEqual(found, ['QUERY_UNREADABLE']);
  assert.match(reasons[0]?.text ?? '', /TRUNCATED/);
});

test('explain: more items match before it than a query is answered with', () => {
  assert.deepEqual(codes({ accessionNumber: 'B' }, { maxAnswers: 1 }).codes, ['LIMIT']);
  assert.deepEqual(codes({}, { maxAnswers: 1 }).codes, []);
});

test('explain: notes flaws of the item, and a query from before it was there', () => {
  const problem = { file: 'A.wl', code: 'MALFORMED', message: 'not valid: Modality', served: true } as const;
  const writtenMs = (): number => Temporal.Instant.from('2026-11-22T08:05:00Z').epochMilliseconds;
  const { notes, listed } = codes({ asked: record({}) }, { problems: [problem], writtenMs });
  assert.ok(listed);
  assert.deepEqual(notes, [
    'the item is served, but not valid: Modality',
    'the scanner sent its last query before the item was there (2026-11-22T08:05:00Z): let it query again',
  ]);
});

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
