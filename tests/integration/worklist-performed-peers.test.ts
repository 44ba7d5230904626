/** Exams reported by somebody else's code: dcmjs-dimse, messages made by DCMTK, those of pynetdicom's documentation. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { dataSet, newUid, tagOf, transferSyntaxes, type Attributes, type DataSet } from '@scanflow/dicom';
import { dcmtk, examBegins, examEnds, examSeries, reportExam } from '@scanflow/testkit';
import { hospital, link } from './worklist-performed-support.ts';
import { decodeFile } from './worklist-support.ts';

test('performed: dcmjs-dimse as the scanner', async (t) => {
  const { service, listed, record } = await hospital(t);
  const uid = newUid();
  const call = { port: service.port, calledAet: 'SCANFLOW', callingAet: 'SKYRA', sopInstanceUid: uid };
  const begins = { ...examBegins(link('A1')), SpecificCharacterSet: undefined, PatientName: 'Doe^Jane' };
  assert.equal(await reportExam('N-CREATE', { ...call, elements: forDcmjs(begins) }), 0);
  assert.equal(await reportExam('N-SET', { ...call, elements: forDcmjs(examEnds('COMPLETED')) }), 0);
  assert.equal((await record(uid)).series[0]?.images, 3);
  assert.deepEqual(await listed(), ['B1', 'C1']);
  assert.equal(await reportExam('N-SET', { ...call, elements: forDcmjs(examEnds('COMPLETED')) }), 0x0110);
});

/** dcmjs leaves null and undefined elements out; empty texts stay. */
function forDcmjs(attributes: Attributes): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(attributes)
      .filter(([, value]) => value !== undefined)
      .map(([keyword, value]) => [
        keyword,
        value === null
          ? ''
          : Array.isArray(value)
            ? value.map((one) => (typeof one === 'object' ? forDcmjs(one as Attributes) : (one as unknown)))
            : value,
      ]),
  );
}

const BEGINS = `(0008,0005) CS [ISO_IR 100]
(0008,0060) CS [MR]
(0008,1032) SQ (Sequence with undefined length)
(fffe,e0dd)
(0008,1120) SQ (Sequence with undefined length)
(fffe,e0dd)
(0010,0010) PN [Doe^Jane]
(0010,0020) LO [P]
(0010,0030) DA
(0010,0040) CS
(0020,0010) SH
(0040,0241) AE [PRISMA]
(0040,0242) SH
(0040,0243) SH
(0040,0244) DA [20261122]
(0040,0245) TM [0931]
(0040,0250) DA
(0040,0251) TM
(0040,0252) CS [IN PROGRESS]
(0040,0253) SH [1]
(0040,0254) LO
(0040,0255) LO
(0040,0260) SQ (Sequence with undefined length)
(fffe,e0dd)
(0040,0270) SQ (Sequence with undefined length)
(fffe,e000) na (Item with undefined length)
(0008,0050) SH [A1]
(0008,1110) SQ (Sequence with undefined length)
(fffe,e0dd)
(0020,000d) UI [2.25.16689]
(0032,1060) LO
(0040,0007) LO
(0040,0008) SQ (Sequence with undefined length)
(fffe,e0dd)
(0040,0009) SH [A1]
(0040,1001) SH
(fffe,e00d)
(fffe,e0dd)
(0040,0340) SQ (Sequence with undefined length)
(fffe,e0dd)
`;
const ENDS = `(0040,0250) DA [20261122]
(0040,0251) TM [1015]
(0040,0252) CS [COMPLETED]
(0040,0340) SQ (Sequence with undefined length)
(fffe,e000) na (Item with undefined length)
(0008,0054) AE
(0008,103e) LO [t1]
(0008,1050) PN
(0008,1070) PN
(0008,1140) SQ (Sequence with undefined length)
(fffe,e000) na (Item with undefined length)
(0008,1150) UI [1.2.840.10008.5.1.4.1.1.4]
(0008,1155) UI [1.2.3.4]
(fffe,e00d)
(fffe,e0dd)
(0018,1030) LO [t1]
(0020,000e) UI [1.2.3]
(0040,0220) SQ (Sequence with undefined length)
(fffe,e0dd)
(fffe,e00d)
(fffe,e0dd)
`;
const SYNTAXES: [string, string, string[]][] = [
  ['explicit VR', transferSyntaxes.explicitVRLittleEndian, ['+te', '+e']],
  ['implicit VR of undefined lengths', transferSyntaxes.implicitVRLittleEndian, ['+ti', '-e']],
  ['big endian with group lengths', transferSyntaxes.explicitVRBigEndian, ['+tb', '+g']],
];
for (const [name, syntax, flags] of SYNTAXES)
  test(`performed: messages made by DCMTK, ${name}`, async (t) => {
    const { data, create, set, listed, record } = await hospital(t);
    const made = async (file: string, dump: string): Promise<DataSet> => {
      const from = join(data, `${file}.dump`);
      const to = join(data, `${file}.dcm`);
      await writeFile(from, dump);
      const { code, stderr } = await dcmtk('dump2dcm', [...flags, from, to]);
      assert.equal(code, 0, stderr);
      return decodeFile(await readFile(to));
    };
    const uid = newUid();
    assert.equal((await create(uid, await made('begins', BEGINS), [syntax])).status, 0);
    assert.equal((await set(uid, await made('ends', ENDS), [syntax])).status, 0);
    assert.equal((await record(uid)).series[0]?.images, 1);
    assert.deepEqual(await listed(), ['B1', 'C1']);
  });

test('performed: a step of 20,000 images', async (t) => {
  const { create, set, record } = await hospital(t);
  const uid = newUid();
  await create(uid, examBegins(link('A1')));
  const series = Array.from({ length: 20 }, (_, index) =>
    examSeries(1_000, `1.2.840.113619.2.55.3.${index + 1}`),
  );
  const told = await set(uid, { ...examEnds('COMPLETED'), PerformedSeriesSequence: series });
  assert.equal(told.status, 0);
  const { series: counted } = await record(uid);
  assert.equal(
    counted.reduce((sum, { images }) => sum + images, 0),
    20_000,
  );
});

test('performed: bytes of an undeclared character set do not keep an exam from being reported', async (t) => {
  const { create, record } = await hospital(t);
  const uid = newUid();
  const { SpecificCharacterSet: _, ...begins } = examBegins(link('A1'));
  // in implicit VR nothing but the dictionary says that this is text
  const latin: DataSet = new Map([
    ...dataSet({ ...begins, PatientName: 'P' }),
    [tagOf('PerformedLocation'), { vr: 'UN', kind: 'binary' as const, bytes: Uint8Array.of(0xfc, 0x20) }],
  ]);
  const told = await create(uid, latin, [transferSyntaxes.implicitVRLittleEndian]);
  assert.equal(told.status, 0);
  assert.deepEqual((await record(uid)).attributes['00400243'], { vr: 'SH', Value: ['ü'] });
});

/** The messages of pynetdicom's documented example, as pydicom sends them: without what it misspells. */
const requested = { StudyInstanceUID: '2.25.16689', ReferencedStudySequence: [], AccessionNumber: 'A1' };
const documented: Attributes = {
  ScheduledStepAttributesSequence: [
    {
      ...requested,
      RequestedProcedureID: '1',
      RequestedProcedureDescription: 'Some procedure',
      ScheduledProcedureStepID: 'A1',
      ScheduledProcedureStepDescription: 'Some procedure step',
    },
  ],
  PatientName: 'Test^Test',
  PatientID: '123456',
  PatientBirthDate: '20000101',
  PatientSex: 'O',
  ReferencedPatientSequence: [],
  PerformedProcedureStepID: '1',
  PerformedStationAETitle: 'SOMEAE',
  PerformedStationName: 'Some station',
  PerformedLocation: 'Some location',
  PerformedProcedureStepStartDate: '20000101',
  PerformedProcedureStepStartTime: '1200',
  PerformedProcedureStepStatus: 'IN PROGRESS',
  PerformedProcedureStepDescription: 'Some description',
  PerformedProcedureTypeDescription: 'Some type',
  PerformedProcedureStepEndDate: null,
  PerformedProcedureStepEndTime: null,
  Modality: 'CT',
  StudyID: '1',
  PerformedProtocolCodeSequence: [],
  PerformedSeriesSequence: [],
};

test('performed: pynetdicom’s example is told what its misspelt keywords leave out, and then works', async (t) => {
  const { create, set, listed, record } = await hospital(t, ['mpps: strict']);
  const uid = newUid();
  const first = await create(uid, documented);
  assert.equal(first.status, 0x0120);
  assert.deepEqual(first.attributeIdentifiers, [
    tagOf('ScheduledProtocolCodeSequence'),
    tagOf('ProcedureCodeSequence'),
  ]);
  const [step] = documented['ScheduledStepAttributesSequence'] as Attributes[];
  const steps = [{ ...step, ScheduledProtocolCodeSequence: [] }];
  const whole = { ...documented, ScheduledStepAttributesSequence: steps, ProcedureCodeSequence: [] };
  assert.equal((await create(uid, whole)).status, 0);
  const { OperatorsName: _, ...series } = examSeries(10);
  const second = await set(uid, { PerformedSeriesSequence: [series] });
  assert.deepEqual([second.status, second.attributeIdentifiers], [0x0121, [tagOf('OperatorsName')]]);
  assert.equal((await set(uid, { PerformedSeriesSequence: [examSeries(10)] })).status, 0);
  const end = { PerformedProcedureStepEndDate: '20000101', PerformedProcedureStepEndTime: '1300' };
  assert.equal((await set(uid, { ...end, PerformedProcedureStepStatus: 'COMPLETED' })).status, 0);
  assert.equal((await record(uid)).series[0]?.images, 10);
  assert.deepEqual(await listed(), ['B1', 'C1']);
});
