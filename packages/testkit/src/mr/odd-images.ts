/** Instances of an MR session that are no images for a converter, and those that hold many frames. */
import {
  dataSet,
  decodeDataSet,
  encodePart10,
  makeSeries,
  readPart10Header,
  sopClasses,
  transferSyntaxes,
  type Attributes,
  type DataSet,
  type PhantomInstance,
  type PhantomOptions,
} from '@scanflow/dicom';
import { enhancedAttributes, spectroscopyAttributes } from './functional-groups.ts';

/** What one image of the phantom and its attributes become. */
interface Change {
  readonly sopClassUid: string;
  /** Groups that go; of pixels 0028 and 7fe0. */
  readonly without: (tag: number) => boolean;
  readonly attributes: Attributes;
}

const PIXELS = 0x7fe0;
const isPixels = (tag: number): boolean => tag >>> 16 === 0x0028 || tag >>> 16 === PIXELS;
/** Group 0018 attributes of the series and its equipment. */
const OF_SERIES: readonly number[] = [0x00180015, 0x00181000, 0x00181020, 0x00185100];
/** Attributes of an image in other groups: times, number of images, place. */
const OF_IMAGE: readonly number[] = [
  0x00080022, 0x00080032, 0x00200012, 0x00200032, 0x00200037, 0x00201002, 0x00201041,
];
const PRESENTED: readonly number[] = [0x00280030, 0x00281050, 0x00281051];

/** Acquisition, pixels, place in space and private blocks: functional groups hold them instead. */
function isImage(tag: number): boolean {
  const group = tag >>> 16;
  return (
    isPixels(tag) ||
    (group === 0x0018 && !OF_SERIES.includes(tag)) ||
    OF_IMAGE.includes(tag) ||
    group % 2 === 1
  );
}

function* changed(options: PhantomOptions, change: Change): Generator<PhantomInstance> {
  for (const { bytes, sopInstanceUid } of makeSeries({ ...options, images: 1 })) {
    const header = readPart10Header(bytes);
    if ('needMore' in header) throw new Error('a phantom image ends within its header');
    const image = decodeDataSet(bytes.subarray(header.dataSetOffset), header.transferSyntax);
    const { sopClassUid } = change;
    const kept = [...image].filter(([tag]) => !change.without(tag));
    const added = dataSet({ ...change.attributes, SOPClassUID: sopClassUid });
    const body: DataSet = new Map([...kept, ...added].sort(([one], [other]) => one - other));
    const transferSyntax = options.transferSyntax ?? transferSyntaxes.explicitVRLittleEndian;
    const characterSet = options.characterSet ?? 'ISO_IR 100';
    yield {
      sopInstanceUid,
      bytes: encodePart10(body, { transferSyntax, characterSet, sopClassUid, sopInstanceUid }),
    };
  }
}

/** An MR image whose pixels are missing: dcm2niix makes nothing of it. */
export const withoutPixels = (options: PhantomOptions): Iterable<PhantomInstance> =>
  changed(options, {
    sopClassUid: sopClasses.mrImageStorage,
    without: (tag) => tag >>> 16 === PIXELS,
    attributes: {},
  });

/** The log of pulse and breathing of a run, as raw data (PS3.3 A.37). */
export const physiology = (options: PhantomOptions): Iterable<PhantomInstance> =>
  changed(options, {
    sopClassUid: sopClasses.rawDataStorage,
    without: isImage,
    attributes: {
      AcquisitionContextSequence: [],
      ImageType: ['ORIGINAL', 'PRIMARY', 'RAWDATA', 'PHYSIO'],
      CreatorVersionUID: '2.25.329800735698586629295641978511506172918',
      ContentLabel: 'PHYSIO',
    },
  });

/** Single-voxel spectroscopy (PS3.3 A.36.3). */
export const spectroscopy = (options: PhantomOptions): Iterable<PhantomInstance> =>
  changed(options, {
    sopClassUid: sopClasses.mrSpectroscopyStorage,
    without: isImage,
    attributes: spectroscopyAttributes(options.when),
  });

const FRAMES = 6;
const SIZE = 32;

/** A volume as one enhanced instance (PS3.3 A.36.2). */
export const enhanced = (options: PhantomOptions): Iterable<PhantomInstance> => {
  const frames = [...makeSeries({ ...options, images: FRAMES, rows: SIZE, columns: SIZE })].map(pixelsOf);
  return changed(options, {
    sopClassUid: sopClasses.enhancedMrImageStorage,
    without: (tag) => (isImage(tag) && tag >>> 16 !== 0x0028) || PRESENTED.includes(tag),
    attributes: {
      ...enhancedAttributes(options.when, FRAMES, SIZE),
      PixelData: new Uint8Array(Buffer.concat(frames)),
    },
  });
};

function pixelsOf({ bytes }: PhantomInstance): Uint8Array {
  const header = readPart10Header(bytes);
  if ('needMore' in header) throw new Error('a phantom image ends within its header');
  const element = decodeDataSet(bytes.subarray(header.dataSetOffset), header.transferSyntax).get(0x7fe00010);
  return element?.kind === 'binary' ? element.bytes : new Uint8Array();
}
