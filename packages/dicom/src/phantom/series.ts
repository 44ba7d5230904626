/** DICOM from thin air: whole series of a phantom head, for tests, the demo and `scanflow phantom`. */
import type { DataSet } from '../dataset.ts';
import { tagOf } from '../dictionary.ts';
import { encodePart10 } from '../encode.ts';
import { dataSet, makeElement, type Attributes } from '../values.ts';
import { slicesOf, tilesOf, type AcquiredImage } from './acquisition.ts';
import { dateAndTime, imagePlane, KINDS, requestAttributes, studyAttributes, type Kind } from './modules.ts';
import { planOf, type PhantomOptions, type Plan } from './options.ts';
import { drawSlice, makeNoise, tiled } from './pixels.ts';
import { vendorBlocks } from './vendor.ts';

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
