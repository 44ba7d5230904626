import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DataSet } from '../dataset.ts';
import { decodeDataSet } from '../decode.ts';
import { readPart10Header } from '../part10.ts';
import { transferSyntaxes } from '../uids.ts';
import { dataSet, items, number, text, texts } from '../values.ts';
import { newUid, uidFrom, type PhantomOptions } from './options.ts';
import { makeSeries } from './series.ts';

const when = Temporal.ZonedDateTime.from('2026-11-22T09:00:00+01:00[Europe/Amsterdam]');
const worklistItem = dataSet({
  AccessionNumber: 'QYV0NHFE5G7CSX1X',
  ReferringPhysicianName: 'Jansen^J',
  PatientName: '3015000.01_sub-001',
  PatientID: '3015000.01_sub-001',
  PatientBirthDate: '19900101',
  PatientSex: 'F',
  StudyInstanceUID: '2.25.123',
  RequestedProcedureDescription: 'Onderzoek é',
  RequestedProcedureID: 'ses-mri01',
  ScheduledProcedureStepSequence: [
    {
      ScheduledStationAETitle: 'PRISMA',
      ScheduledProcedureStepID: 'SPS1',
      ScheduledProcedureStepDescription: 'Brain',
      ScheduledProtocolCodeSequence: [{ CodeValue: 'T1', CodingSchemeDesignator: '99', CodeMeaning: 'T1' }],
    },
  ],
});

function make(options: Partial<PhantomOptions> = {}): { bytes: Uint8Array; uid: string; body: DataSet }[] {
  const series = makeSeries({ modality: 'MR', images: 3, rows: 16, columns: 16, when, seed: 1, ...options });
  return [...series].map(({ bytes, sopInstanceUid }) => {
    const header = readPart10Header(bytes);
    assert.ok(!('needMore' in header));
    assert.equal(header.sopInstanceUid, sopInstanceUid);
    const body = decodeDataSet(bytes.subarray(header.dataSetOffset), header.transferSyntax);
    assert.equal(text(body, 'SOPInstanceUID'), sopInstanceUid);
    assert.equal(text(body, 'SOPClassUID'), header.sopClassUid);
    return { bytes, uid: sopInstanceUid, body };
  });
}

function first(options: Partial<PhantomOptions> = {}): { bytes: Uint8Array; body: DataSet } {
  const [instance] = make(options);
  assert.ok(instance !== undefined);
  return instance;
}

test('phantom: takes the attributes of a worklist item, as a console does', () => {
  for (const transferSyntax of [
    transferSyntaxes.explicitVRLittleEndian,
    transferSyntaxes.implicitVRLittleEndian,
  ]) {
    for (const modality of ['MR', 'CT', 'SC'] as const) {
      const { body } = first({ worklistItem, transferSyntax, modality });
      const expected = {
        AccessionNumber: 'QYV0NHFE5G7CSX1X',
        ReferringPhysicianName: 'Jansen^J',
        PatientName: '3015000.01_sub-001',
        PatientID: '3015000.01_sub-001',
        PatientBirthDate: '19900101',
        PatientSex: 'F',
        StudyInstanceUID: '2.25.123',
        StudyDescription: 'Onderzoek é',
        StudyID: 'ses-mri01',
        StationName: 'PRISMA',
        PerformedProcedureStepID: 'SPS1',
        SpecificCharacterSet: 'ISO_IR 100',
        StudyDate: '20261122',
        SeriesTime: '090000.000000',
      };
      const actual = Object.keys(expected).map((keyword) => [keyword, text(body, keyword)]);
      assert.deepEqual(Object.fromEntries(actual), expected);
      const [request] = items(body, 'RequestAttributesSequence');
      assert.ok(request !== undefined);
      assert.equal(text(request, 'ScheduledProcedureStepID'), 'SPS1');
      assert.equal(text(request, 'RequestedProcedureID'), 'ses-mri01');
      const [protocol] = items(request, 'ScheduledProtocolCodeSequence');
      assert.equal(protocol && text(protocol, 'CodeValue'), 'T1');
    }
  }
});

test('phantom: what is told stands before the worklist item, and without either it is valid too', () => {
  const told = {
    worklistItem,
    patientId: 'P',
    patientName: 'N',
    studyInstanceUid: '2.25.9',
    seriesNumber: 12,
  };
  const { body } = first(told);
  const values = ['PatientID', 'PatientName', 'StudyInstanceUID', 'SeriesNumber'].map((one) =>
    text(body, one),
  );
  assert.deepEqual(values, ['P', 'N', '2.25.9', '12']);
  const { body: bare } = first();
  assert.deepEqual([text(bare, 'PatientID'), items(bare, 'RequestAttributesSequence')], ['PHANTOM', []]);
});

test('phantom: one seed makes the same bytes, another one other UIDs and pixels', () => {
  const [first, again, other] = [make(), make(), make({ seed: 2 })];
  assert.deepEqual(first, again);
  assert.notDeepEqual(
    first.map(({ uid }) => uid),
    other.map(({ uid }) => uid),
  );
  assert.notDeepEqual(first[0]?.body.get(0x7fe00010), other[0]?.body.get(0x7fe00010));
});

test('phantom: every instance and every series has UIDs of its own, also for one seed', () => {
  const all = [
    ...make(),
    ...make({ seriesNumber: 2 }),
    ...make({ modality: 'CT' }),
    ...make({ patientId: 'ANOTHER' }),
    ...make({ worklistItem }),
  ];
  const unseeded = [1, 2].flatMap(() => [...makeSeries({ modality: 'SC', images: 1, when })]);
  const uids = [...all.map(({ uid }) => uid), ...unseeded.map(({ sopInstanceUid }) => sopInstanceUid)];
  assert.equal(new Set(uids).size, uids.length);
  assert.equal(new Set(all.map(({ body }) => text(body, 'SeriesInstanceUID'))).size, 5);
});

test('phantom: the slices of a volume lie in one frame of reference, evenly, and differ', () => {
  const series = make({ images: 5 });
  const z = series.map(({ body }) => Number(texts(body, 'ImagePositionPatient')[2]));
  assert.deepEqual(z, [-3, -1.5, 0, 1.5, 3]);
  assert.equal(new Set(series.map(({ body }) => text(body, 'FrameOfReferenceUID'))).size, 1);
  assert.deepEqual(
    series.map(({ body }) => number(body, 'InstanceNumber')),
    [1, 2, 3, 4, 5],
  );
  const pixels = series.map(({ body }) => {
    const element = body.get(0x7fe00010);
    return element?.kind === 'binary' ? Buffer.from(element.bytes).toString('base64') : '';
  });
  assert.equal(new Set(pixels).size, 5);
});

test('phantom: vendor blocks, with other owners in group 0021, unless told not to', () => {
  const groups = (body: DataSet): number[] => [...new Set([...body.keys()].map((tag) => tag >>> 16))];
  const [mr, ct] = [make(), make({ modality: 'CT' })];
  assert.equal(text(mr[0]?.body ?? new Map(), 0x00290010), 'SIEMENS CSA HEADER');
  assert.equal(text(mr[0]?.body ?? new Map(), 0x00210010), 'SIEMENS MR SDS 01');
  assert.equal(text(ct[0]?.body ?? new Map(), 0x00090010), 'GEMS_IDEN_01');
  const { body } = first({ vendorBlocks: false });
  assert.deepEqual(
    groups(body).filter((group) => group % 2 === 1),
    [],
  );
});

test('phantom: 300 × 300 MR images have about 180 KB', () => {
  const { bytes } = first({ rows: 300, columns: 300, images: 1 });
  assert.ok(bytes.length > 180_000 && bytes.length < 188_000, `${bytes.length} bytes`);
});

test('phantom: options that cannot be are a RangeError, at once', () => {
  const wrong: Partial<PhantomOptions>[] = [
    { images: 0 },
    { rows: 0.5 },
    { columns: 70_000 },
    { seriesNumber: -1 },
    { transferSyntax: transferSyntaxes.jpegBaseline },
  ];
  for (const options of wrong)
    assert.throws(() => makeSeries({ modality: 'MR', images: 1, when, ...options }), RangeError);
});

test('uid: 2.25, at most 64 characters, no leading zero; by name always the same', () => {
  const valid = /^2\.25\.[1-9]\d{0,38}$/;
  fc.assert(
    fc.property(fc.string(), (name) => {
      assert.match(uidFrom(name), valid);
      assert.equal(uidFrom(name), uidFrom(name));
    }),
  );
  assert.match(newUid(), valid);
  assert.notEqual(newUid(), newUid());
});
