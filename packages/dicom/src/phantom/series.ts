/** DICOM from thin air: whole series of a phantom head, for tests, the demo and `scanflow phantom`. */
import type { DataSet, Element } from '../dataset.ts';
import { tagOf } from '../dictionary.ts';
import { encodePart10 } from '../encode.ts';
import { dataSet, makeElement, type Attributes } from '../values.ts';
import {
  slicesOf,
  tilesOf,
  type AcquiredImage,
  planOf,
  type PhantomOptions,
  type Plan,
  type Acquisition,
  type CsaTags,
  type PrivateElement,
} from './options.ts';
import { dateAndTime, imagePlane, KINDS, requestAttributes, studyAttributes, type Kind } from './modules.ts';
import { drawSlice, makeNoise, tiled, mulberry32 } from './pixels.ts';

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
    ...dataSet({
      ...studyAttributes(plan),
      ...kind.series,
      ...plan.acquisition?.attributes,
      SOPClassUID: kind.sopClassUid,
    }),
    ...requestAttributes(plan),
  ]);
  const noise = makeNoise(plan.seed, kind.palette.noise);
  const { transferSyntax, characterSet } = plan;
  for (let index = 0; index < plan.images; index += 1) {
    const sopInstanceUid = plan.uid(`image ${index + 1}`);
    const image = acquiredImage(plan, index);
    const body: DataSet = new Map([
      ...common,
      ...dataSet({ ...imageAttributes(plan, kind, image, index), SOPInstanceUID: sopInstanceUid }),
      ...(plan.vendorBlocks ? vendorBlocks(kind.vendor, plan, image, index) : []),
      [
        tagOf('PixelData'),
        makeElement(kind.bytesPerPixel === 1 ? 'OB' : 'OW', pixels(plan, kind, image, index, noise)),
      ],
    ]);
    const { sopClassUid } = kind;
    yield {
      sopInstanceUid,
      bytes: encodePart10(body, { transferSyntax, characterSet, sopClassUid, sopInstanceUid }),
    };
  }
}

/** Without an acquisition: slice by slice, a second for each, for scanners seldom make two at once. */
function acquiredImage({ acquisition }: Plan, index: number): AcquiredImage {
  return acquisition?.image(index) ?? { slice: index, after: index };
}

function pixels(plan: Plan, kind: Kind, image: AcquiredImage, index: number, noise: Int16Array): Uint8Array {
  const { rows, columns, acquisition } = plan;
  const slices = acquisition?.slices ?? plan.images;
  const draw = (slice: number): Uint8Array => {
    const height = slices === 1 ? 0 : (2 * slice) / (slices - 1) - 1;
    const noiseOffset = (index + slice - image.slice) * 7919;
    return drawSlice({ rows, columns, height, noiseOffset }, kind.palette, noise, kind.bytesPerPixel);
  };
  const drawn = slicesOf(plan.acquisition, image).map(draw);
  const [only] = drawn;
  if (acquisition === undefined || only === undefined || !acquisition.mosaic) return only ?? new Uint8Array();
  return tiled(drawn, tilesOf(acquisition), rows, columns * kind.bytesPerPixel);
}

/** General Image and Image Pixel (PS3.3 C.7.6.1, C.7.6.3), and the image's plane. */
function imageAttributes(plan: Plan, kind: Kind, image: AcquiredImage, index: number): Attributes {
  const { acquisition } = plan;
  const tiles = acquisition === undefined ? 1 : tilesOf(acquisition);
  const { date, time } = dateAndTime(plan.when.add({ milliseconds: Math.round(image.after * 1000) }));
  return {
    InstanceCreationDate: date,
    InstanceCreationTime: time,
    AcquisitionDate: kind.volume ? date : undefined,
    AcquisitionTime: kind.volume ? time : undefined,
    ContentDate: date,
    ContentTime: time,
    AcquisitionNumber: kind.volume ? 1 : undefined,
    ImagesInAcquisition: kind.volume && acquisition === undefined ? plan.images : undefined,
    InstanceNumber: index + 1,
    PatientOrientation: kind.volume ? undefined : null,
    Rows: plan.rows * tiles,
    Columns: plan.columns * tiles,
    ...(kind.volume ? imagePlane(plan, image.slice) : {}),
    ...image.attributes,
  };
}

// The private elements that scanners write beside the standard's, as far as converters read them.

/** The private elements of an image. Group 0021, where Scanflow's own tag goes by default, has other owners too. */
function vendorBlocks(vendor: Kind['vendor'], plan: Plan, image: AcquiredImage, index: number): DataSet {
  const entries = [
    ...own(plan.acquisition?.vendor ?? vendor, plan, image, index),
    ...(image.privateElements ?? []),
  ];
  return new Map(entries.map(([tag, vr, value]): [number, Element] => [tag, makeElement(vr, value)]));
}

function own(
  vendor: Acquisition['vendor'],
  plan: Plan,
  image: AcquiredImage,
  index: number,
): readonly PrivateElement[] {
  if (vendor === 'siemens') return siemens(plan, image, index);
  return vendor === 'ge' ? ge(index) : [];
}

function siemens({ seed, acquisition }: Plan, image: AcquiredImage, index: number): PrivateElement[] {
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
        ProtocolSliceNumber: ['IS', String(image.slice)],
        ...image.csa,
      }),
    ],
    [0x00291018, 'CS', 'MR'],
    [0x00291019, 'LO', '20260101'],
    [
      0x00291020,
      'OB',
      csaHeader({
        UsedPatientWeight: ['IS', '70'],
        PatientOrientation: ['CS', 'HFS'],
        ...(acquisition === undefined ? {} : { MrPhoenixProtocol: ['UN', phoenix(acquisition.protocol)] }),
      }),
    ],
    [0x00291160, 'LO', 'com'],
  ];
}

/** The protocol as text. */
function phoenix(protocol: Acquisition['protocol']): string {
  const lines = Object.entries(protocol).map(([name, value]) => `${name}\t = \t${value}`);
  return ['### ASCCONV BEGIN ###', ...lines, '### ASCCONV END ###', ''].join('\n');
}

function ge(index: number): PrivateElement[] {
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
function csaHeader(tags: CsaTags): Uint8Array {
  const entries = Object.entries(tags).map(([name, [vr, ...values]]) => ({
    name,
    vr,
    items: itemsOf(values),
  }));
  const sizes = entries.map(({ items }) => TAG + items.reduce((sum, value) => sum + ITEM + padded(value), 0));
  const bytes = Buffer.alloc(16 + sizes.reduce((sum, size) => sum + size, 0) + 4);
  bytes.write('SV10\x04\x03\x02\x01', 0, 'latin1');
  bytes.writeUInt32LE(entries.length, 8);
  bytes.writeUInt32LE(77, 12);
  let at = 16;
  for (const { name, vr, items } of entries) {
    bytes.write(name, at, 63, 'latin1');
    bytes.writeUInt32LE(items.length, at + 64);
    bytes.write(vr, at + 68, 'latin1');
    bytes.writeUInt32LE(items.length, at + 76);
    bytes.writeUInt32LE(77, at + 80);
    at += TAG;
    for (const value of items) {
      const length = value === '' ? 0 : value.length + 1;
      [length, length, 77, length].forEach((field, index) => bytes.writeUInt32LE(field, at + 4 * index));
      bytes.write(value, at + ITEM, 'latin1');
      at += ITEM + padded(value);
    }
  }
  return new Uint8Array(bytes);
}

/** At least six, as scanners write them. dcm2niix reads three of some tags, however few they are, and crashes on what follows. */
const itemsOf = (values: readonly string[]): readonly string[] => [
  ...values,
  ...Array.from({ length: Math.max(0, 6 - values.length) }, () => ''),
];

/** With the final NUL, up to a multiple of four. An empty item has no bytes. */
function padded(value: string): number {
  if (value === '') return 0;
  return Math.ceil((value.length + 1) / 4) * 4;
}
