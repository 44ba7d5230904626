import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  answer,
  dataSet,
  decodeDataSet,
  encodeDataSet,
  formatTag,
  invalidKeys,
  items,
  keywordOf,
  matches,
  tagOf,
  text,
  transferSyntaxes,
  unsupportedKeys,
  worklistItem,
  type Attributes,
  type DataSet,
} from './index.ts';

const item = (overrides: object = {}): DataSet =>
  worklistItem({
    accessionNumber: 'ABCDEFGHJKMNPQRS',
    studyInstanceUid: '2.25.1',
    patientId: '3010000.01_sub-001',
    patientName: 'Müller^Jürgen',
    requestedProcedureId: 'ses-mri01',
    description: 'Resting state – pilot',
    scheduledProcedureStepId: 'S1',
    stationAet: 'PRISMA',
    stationName: 'PRISMA',
    location: 'MR1',
    modality: 'MR',
    start: Temporal.ZonedDateTime.from('2026-07-06T09:30:00[Europe/Amsterdam]'),
    ...overrides,
  });
const step = (attributes: Attributes): DataSet => dataSet({ ScheduledProcedureStepSequence: [attributes] });
const asks = (attributes: Attributes, options?: { caseInsensitivePn: boolean }): boolean =>
  matches(dataSet(attributes), item(), options);
const asksStep = (attributes: Attributes): boolean => matches(step(attributes), item());

test('matching: universal keys match known and unknown values', () => {
  assert.ok(asks({}));
  assert.ok(asks({ PatientName: null, PatientBirthDate: null, PregnancyStatus: null }));
  assert.ok(asks({ PatientName: '*', PatientSex: '*' }));
  assert.ok(asks({ ScheduledProcedureStepSequence: [] }));
  assert.ok(asks({ ScheduledProcedureStepSequence: [{}] }));
  assert.ok(asks({ RequestedProcedureCodeSequence: [{ CodeValue: null }] }));
  assert.ok(matches(dataSet({ SpecificCharacterSet: 'ISO_IR 100', TimezoneOffsetFromUTC: '+0100' }), item()));
});

test('matching: a single value, exact and case-sensitive', () => {
  assert.ok(asks({ PatientID: '3010000.01_sub-001' }));
  assert.ok(!asks({ PatientID: '3010000.01_SUB-001' }));
  assert.ok(!asks({ PatientID: '3010000.01' }));
  assert.ok(asksStep({ Modality: 'MR', ScheduledStationAETitle: 'PRISMA' }));
  assert.ok(!asksStep({ Modality: 'CT', ScheduledStationAETitle: 'PRISMA' }));
});

test('matching: the unknown value fails to match (K.2.2.1.1.1)', () => {
  assert.ok(!asks({ PatientSex: 'F' }));
  assert.ok(!asks({ PatientBirthDate: '19800101-20200101' }));
  assert.ok(!asks({ RequestedProcedureCodeSequence: [{ CodeValue: 'X' }] }));
});

test('matching: a list of UIDs, and several AE titles', () => {
  assert.ok(asks({ StudyInstanceUID: ['2.25.7', '2.25.1'] }));
  assert.ok(!asks({ StudyInstanceUID: ['2.25.7', '2.25.11'] }));
  assert.ok(asksStep({ ScheduledStationAETitle: ['OTHER', 'PRISMA'] }));
  assert.ok(!asksStep({ ScheduledStationAETitle: ['OTHER', 'PRISM'] }));
});

test('matching: wild cards by character, where the VR has them', () => {
  assert.ok(asks({ PatientID: '*sub-???' }));
  assert.ok(!asks({ PatientID: '*sub-??' }));
  assert.ok(asks({ PatientName: 'M?ller*' }), 'ü is one character');
  assert.ok(asks({ PatientName: 'Mu\u0308ller*' }), 'composed and decomposed are one');
  assert.ok(asks({ RequestedProcedureDescription: 'Resting*– *t' }));
  assert.ok(!asks({ StudyInstanceUID: '2.25.*' }), 'no wild cards in UI');
  const slow = performance.now();
  assert.ok(!asks({ PatientID: `${'*3'.repeat(2000)}x` }));
  assert.ok(performance.now() - slow < 5000);
});

test('matching: names by component group, case as asked', () => {
  const named = item({ patientName: 'Yamada^Tarou=山田^太郎=やまだ^たろう' });
  const name = (PatientName: string): boolean => matches(dataSet({ PatientName }), named);
  assert.ok(name('Yamada^Tarou'));
  assert.ok(name('Yamada^*'));
  assert.ok(name('山田*'));
  assert.ok(name('=山田^太郎'));
  assert.ok(name('Yamada^Tarou^^=*'));
  assert.ok(!name('Yamada'));
  assert.ok(!name('Suzuki=山田^太郎'));
  assert.ok(!name('yamada*'));
  assert.ok(matches(dataSet({ PatientName: 'yamada*' }), named, { caseInsensitivePn: true }));
  assert.ok(asks({ PatientName: 'MÜLLER^*' }, { caseInsensitivePn: true }));
});

test('matching: dates and times, single and ranges', () => {
  const date = (key: string): boolean => asksStep({ ScheduledProcedureStepStartDate: key });
  assert.deepEqual(
    ['20260706', '20260705-20260707', '20260706-', '-20260706', '2026.07.06', '20260706-20260706'].map(date),
    [true, true, true, true, true, true],
  );
  assert.deepEqual(['20260707', '20260707-', '-20260705', '20260705'].map(date), [
    false,
    false,
    false,
    false,
  ]);
  const time = (key: string): boolean => asksStep({ ScheduledProcedureStepStartTime: key });
  assert.deepEqual(['093000', '0930', '09:30:00', '093000.000', '09-10', '0930-', '-093000'].map(time), [
    true,
    true,
    true,
    true,
    true,
    true,
    true,
  ]);
  assert.deepEqual(['09', '1000-', '-0929', '093001'].map(time), [false, false, false, false]);
});

test('matching: date and time ranges together are one period (table K.6-1)', () => {
  const at = (start: string): boolean =>
    matches(
      step({
        ScheduledProcedureStepStartDate: '20260705-20260707',
        ScheduledProcedureStepStartTime: '1000-1800',
      }),
      item({ start: Temporal.ZonedDateTime.from(`${start}[Europe/Amsterdam]`) }),
    );
  assert.ok(!at('2026-07-05T09:59:59'));
  assert.ok(at('2026-07-05T10:00:00'));
  assert.ok(at('2026-07-06T03:00:00'), 'at night in between');
  assert.ok(at('2026-07-07T18:00:00'));
  assert.ok(!at('2026-07-07T18:00:01'));
  const open = { ScheduledProcedureStepStartDate: '20260706-', ScheduledProcedureStepStartTime: '1000-' };
  assert.ok(!matches(step(open), item()), 'not before 10 h of the first day');
  assert.ok(matches(step({ ...open, ScheduledProcedureStepStartDate: '20260705-' }), item()));
});

for (const [times, matching] of [
  ['120000-090000', ['15T12:00', '15T23:59', '16T00:00', '16T09:00']],
  ['2359-0001', ['15T23:59', '16T00:00']],
  ['12-09', ['15T12:00', '15T23:59', '16T00:00', '16T09:00']],
] as const)
  test(`matching: a period whose times run backwards is one from day to day (table K.6-1): ${times}`, () => {
    const asked = step({
      ScheduledProcedureStepStartDate: '20260115-20260116',
      ScheduledProcedureStepStartTime: times,
    });
    assert.deepEqual(invalidKeys(asked), []);
    const all = ['15T08:00', '15T11:59', '15T12:00', '15T23:59', '16T00:00', '16T09:00', '16T12:01'];
    const found = all.filter((start) =>
      matches(asked, item({ start: Temporal.ZonedDateTime.from(`2026-01-${start}[Europe/Amsterdam]`) })),
    );
    assert.deepEqual(found, matching);
  });

test('keys: times that run backwards are invalid on one day, and without a range of days', () => {
  for (const days of ['20260115-20260115', '20260115', null])
    assert.deepEqual(
      invalidKeys(
        step({ ScheduledProcedureStepStartDate: days, ScheduledProcedureStepStartTime: '120000-090000' }),
      ),
      [tagOf('ScheduledProcedureStepStartTime')],
      String(days),
    );
  for (const days of ['20260115-', '-20260115'])
    assert.deepEqual(
      invalidKeys(
        step({ ScheduledProcedureStepStartDate: days, ScheduledProcedureStepStartTime: '120000-090000' }),
      ),
      [],
      days,
    );
});

test('matching: a DT with offsets from UTC', () => {
  const scheduled = dataSet({ ScheduledProcedureStepStartDateTime: '20260706100000+0200' });
  const asked = (key: string): boolean =>
    matches(dataSet({ ScheduledProcedureStepStartDateTime: key }), scheduled, undefined, 'any');
  assert.ok(asked('20260706080000+0000'));
  assert.ok(asked('20260706040000-0400'));
  assert.ok(asked('20260706070000+0000-20260706090000+0000'));
  assert.ok(!asked('20260706090000+0200-20260706093000+0200'));
  assert.ok(asked('-202607+0000'), 'to the end of the month');
});

test('matching: sequences at any depth, item by item', () => {
  const coded = dataSet({
    ScheduledProcedureStepSequence: [
      {
        Modality: 'MR',
        ScheduledProtocolCodeSequence: [
          { CodeValue: 'A', CodingSchemeDesignator: 'L' },
          { CodeValue: 'B', CodingSchemeDesignator: 'M' },
        ],
      },
      { Modality: 'PT' },
    ],
  });
  const code = (CodeValue: string, CodingSchemeDesignator: string, Modality = 'MR'): DataSet =>
    step({ Modality, ScheduledProtocolCodeSequence: [{ CodeValue, CodingSchemeDesignator }] });
  assert.ok(matches(code('B', 'M'), coded));
  assert.ok(!matches(code('A', 'M'), coded), 'not across items');
  assert.ok(!matches(code('A', 'L', 'PT'), coded));
  assert.deepEqual(
    items(answer(step({ Modality: 'PT' }), coded), 'ScheduledProcedureStepSequence').map((one) =>
      text(one, 'Modality'),
    ),
    ['PT'],
  );
});

test('keys: what is not in the model nor the item is unsupported, and what is no date invalid', () => {
  const name = (tags: number[]): string[] => tags.map((tag) => keywordOf(tag) ?? formatTag(tag));
  const identifier = dataSet({
    PatientID: 'x',
    PatientSex: 'F',
    SeriesNumber: 4,
    ReferringPhysicianName: null,
    InstitutionName: null,
    ScheduledProcedureStepSequence: [
      { Modality: 'MR', ActualHumanPerformersSequence: [{ PersonName: 'x' }] },
    ],
  });
  assert.deepEqual(name(unsupportedKeys(identifier, item())), [
    'SeriesNumber',
    'ActualHumanPerformersSequence',
  ]);
  assert.ok(matches(dataSet({ SeriesNumber: 4 }), item()), 'an unsupported key is ignored');
  assert.deepEqual(name(invalidKeys(step({ ScheduledProcedureStepStartDate: '20260731-20260701' }))), [
    'ScheduledProcedureStepStartDate',
  ]);
  assert.deepEqual(name(invalidKeys(dataSet({ PatientBirthDate: '1980*' }))), ['PatientBirthDate']);
  assert.deepEqual(invalidKeys(step({ ScheduledProcedureStepStartTime: '--', Modality: '?' })).length, 1);
  assert.ok(!asks({ ScheduledProcedureStepSequence: [{ ScheduledProcedureStepStartDate: '2026071' }] }));
});

test('answer: the keys asked for, zero length where nothing is known', () => {
  const identifier = new Map([
    ...dataSet({
      SpecificCharacterSet: 'ISO_IR 100',
      PatientName: null,
      PatientID: '*',
      PregnancyStatus: null,
      InstitutionName: null,
      RequestedProcedureCodeSequence: [],
      ReferencedStudySequence: [{ ReferencedSOPClassUID: null }],
      ScheduledProcedureStepSequence: [
        {
          Modality: null,
          ScheduledProtocolCodeSequence: [{ CodeValue: null }],
          RequestedContrastAgent: null,
        },
      ],
    }),
    [0x00100000, { vr: 'UL', kind: 'binary', bytes: new Uint8Array(4) }] as const,
  ]);
  const bytes = encodeDataSet(
    answer(identifier, item()),
    transferSyntaxes.implicitVRLittleEndian,
    'ISO_IR 100',
  );
  const answered = decodeDataSet(bytes, transferSyntaxes.implicitVRLittleEndian);
  assert.deepEqual([...answered.keys()].map(formatTag), [
    '(0008,0005)',
    '(0008,0080)',
    '(0008,1110)',
    '(0010,0010)',
    '(0010,0020)',
    '(0010,21C0)',
    '(0040,0100)',
  ]);
  assert.equal(text(answered, 'PatientName'), 'Müller^Jürgen');
  assert.deepEqual(answered.get(tagOf('PregnancyStatus')), {
    vr: 'US',
    kind: 'binary',
    bytes: new Uint8Array(0),
  });
  const [answeredStep] = items(answered, 'ScheduledProcedureStepSequence');
  assert.deepEqual([...(answeredStep?.keys() ?? [])].map(formatTag), ['(0008,0060)', '(0032,1070)']);
});

test('answer: an empty sequence key asks for the whole sequence', () => {
  for (const sequence of [[], [{}]]) {
    const answered = answer(dataSet({ ScheduledProcedureStepSequence: sequence }), item());
    const expected = items(item(), 'ScheduledProcedureStepSequence');
    assert.deepEqual(items(answered, 'ScheduledProcedureStepSequence'), expected);
  }
});
