/** DICOM from thin air: whole series of a phantom head, for tests, the demo and `scanflow phantom`. */
import type { DataSet, Element } from '../dataset.ts';
import { tagOf } from '../dictionary.ts';
import { encodePart10 } from '../encode.ts';
import { dataSet, makeElement, type Attributes, type AttributeValue } from '../values.ts';
import { dateAndTime, imagePlane, KINDS, requestAttributes, studyAttributes, type Kind } from './modules.ts';
import { planOf, type PhantomOptions, type Plan } from './options.ts';
import { drawSlice, makeNoise, mulberry32 } from './pixels.ts';

export interface PhantomInstance {
  readonly sopInstanceUid: string;
  /** The DICOM file (PS3.10 7). */
  readonly bytes: Uint8Array;
}

/**
 * Makes the instances of one series, one after the other. Throws RangeError, at once, for options that cannot be.
 */
export function makeSeries(options: PhantomOptions): Iterable<PhantomInstance> {
  return instances(planOf(options));
}

function* instances(plan: Plan): Generator<PhantomInstance> {
  const kind = KINDS[plan.modality];
  const common = new Map([
    ...dataSet({ ...studyAttributes(plan), ...kind.series, SOPClassUID: kind.sopClassUid }),
    ...requestAttributes(plan),
  ]);
  const noise = makeNoise(plan.seed, kind.palette.noise);
  for (let index = 0; index < plan.images; index += 1) {
    const sopInstanceUid = plan.uid(`image ${index + 1}`);
    const height = plan.images === 1 ? 0 : (2 * index) / (plan.images - 1) - 1;
    const slice = { rows: plan.rows, columns: plan.columns, height, noiseOffset: index * 7919 };
    const pixels = drawSlice(slice, kind.palette, noise, kind.bytesPerPixel);
    const body: DataSet = new Map([
      ...common,
      ...dataSet({ ...imageAttributes(plan, kind, index), SOPInstanceUID: sopInstanceUid }),
      ...(plan.vendorBlocks ? vendorBlocks(kind.vendor, index, plan.seed) : []),
      [tagOf('PixelData'), makeElement(kind.bytesPerPixel === 1 ? 'OB' : 'OW', pixels)],
    ]);
    const { transferSyntax, characterSet } = plan;
    const bytes = encodePart10(body, {
      transferSyntax,
      characterSet,
      sopClassUid: kind.sopClassUid,
      sopInstanceUid,
    });
    yield { sopInstanceUid, bytes };
  }
}

/** General Image and Image Pixel (PS3.3 C.7.6.1, C.7.6.3), and the image's plane. */
function imageAttributes(plan: Plan, kind: Kind, index: number): Attributes {
  // a second for each image: scanners seldom make two at once
  const { date, time } = dateAndTime(plan.when.add({ seconds: index }));
  return {
    InstanceCreationDate: date,
    InstanceCreationTime: time,
    AcquisitionDate: kind.volume ? date : undefined,
    AcquisitionTime: kind.volume ? time : undefined,
    ContentDate: date,
    ContentTime: time,
    AcquisitionNumber: kind.volume ? 1 : undefined,
    ImagesInAcquisition: kind.volume ? plan.images : undefined,
    InstanceNumber: index + 1,
    PatientOrientation: kind.volume ? undefined : null,
    Rows: plan.rows,
    Columns: plan.columns,
    ...(kind.volume ? imagePlane(plan, index) : {}),
  };
}

type Entry = readonly [tag: number, vr: string, value: AttributeValue];

/** The private elements of an image. Group 0021, where Scanflow's own tag goes by default, has other owners too. */
export function vendorBlocks(vendor: Kind['vendor'], index: number, seed: number): DataSet {
  const entries = vendor === 'siemens' ? siemens(index, seed) : ge(index);
  return new Map(entries.map(([tag, vr, value]): [number, Element] => [tag, makeElement(vr, value)]));
}

function siemens(index: number, seed: number): Entry[] {
  return [
    [0x00190010, 'LO', 'SIEMENS MR HEADER'],
    [0x00191008, 'CS', 'IMAGE NUM 4'],
    [0x00191009, 'LO', '1.0'],
    [0x0019100b, 'DS', '7.5'],
    [0x00191018, 'IS', '7700'],
    [0x00210010, 'LO', 'SIEMENS MR SDS 01'],
    [0x00210011, 'LO', 'SIEMENS MR SDI 02'],
    [0x00211019, 'OB', noise(seed, 2048)],
    [0x0021115c, 'DS', String(index)],
    [0x00290010, 'LO', 'SIEMENS CSA HEADER'],
    [0x00290011, 'LO', 'SIEMENS MEDCOM HEADER2'],
    [0x00291008, 'CS', 'IMAGE NUM 4'],
    [0x00291009, 'LO', '20260101'],
    [
      0x00291010,
      'OB',
      csaHeader({
        EchoLinePosition: ['IS', '128'],
        SliceNormalVector: ['FD', '0.00000000', '0.00000000', '1.00000000'],
        PhaseEncodingDirectionPositive: ['IS', '1'],
        ProtocolSliceNumber: ['IS', String(index)],
      }),
    ],
    [0x00291018, 'CS', 'MR'],
    [0x00291019, 'LO', '20260101'],
    [0x00291020, 'OB', csaHeader({ UsedPatientWeight: ['IS', '70'], PatientOrientation: ['CS', 'HFS'] })],
    [0x00291160, 'LO', 'com'],
  ];
}

function ge(index: number): Entry[] {
  return [
    [0x00090010, 'LO', 'GEMS_IDEN_01'],
    [0x00091001, 'LO', 'GE_GENESIS_FF'],
    [0x00091002, 'SH', 'PHANTOM1'],
    [0x00091004, 'SH', 'PHANTOM'],
    [0x00091027, 'SL', 1_767_225_600],
    [0x00190010, 'LO', 'GEMS_ACQU_01'],
    [0x00191002, 'SL', 912],
    [0x0019100f, 'DS', '432.5'],
    [0x00210010, 'LO', 'GEMS_RELA_01'],
    [0x00211003, 'SS', 1],
    [0x00211035, 'SS', index],
    [0x00211091, 'SS', 0],
  ];
}

function noise(seed: number, length: number): Uint8Array {
  const random = mulberry32(seed);
  return Uint8Array.from({ length }, () => Math.floor(random() * 256));
}

const TAG = 84;
const ITEM = 16;

/** A Siemens CSA header, as converters read it. Tags by name: the VR, then the values. Laid out as version 2, `SV10`, all numbers little endian. */
function csaHeader(tags: Readonly<Record<string, readonly [vr: string, ...values: string[]]>>): Uint8Array {
  const entries = Object.entries(tags);
  const sizes = entries.map(
    ([, [, ...values]]) => TAG + values.reduce((sum, value) => sum + ITEM + padded(value), 0),
  );
  const bytes = Buffer.alloc(16 + sizes.reduce((sum, size) => sum + size, 0) + 4);
  bytes.write('SV10\x04\x03\x02\x01', 0, 'latin1');
  bytes.writeUInt32LE(entries.length, 8);
  bytes.writeUInt32LE(77, 12);
  let at = 16;
  for (const [name, [vr, ...values]] of entries) {
    bytes.write(name, at, 63, 'latin1');
    bytes.writeUInt32LE(values.length, at + 64);
    bytes.write(vr, at + 68, 'latin1');
    bytes.writeUInt32LE(values.length, at + 76);
    bytes.writeUInt32LE(77, at + 80);
    at += TAG;
    for (const value of values) {
      const length = value.length + 1;
      [length, length, 77, length].forEach((field, index) => bytes.writeUInt32LE(field, at + 4 * index));
      bytes.write(value, at + ITEM, 'latin1');
      at += ITEM + padded(value);
    }
  }
  return new Uint8Array(bytes);
}

/** With the final NUL, up to a multiple of four. */
function padded(value: string): number {
  return Math.ceil((value.length + 1) / 4) * 4;
}
