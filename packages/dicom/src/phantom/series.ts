/** DICOM from thin air: whole series of a phantom head, for tests, the demo and `scanflow phantom`. */
import type { DataSet } from '../dataset.ts';
import { tagOf } from '../dictionary.ts';
import { encodePart10 } from '../encode.ts';
import { dataSet, makeElement, type Attributes } from '../values.ts';
import { dateAndTime, imagePlane, KINDS, requestAttributes, studyAttributes, type Kind } from './modules.ts';
import { planOf, type PhantomOptions, type Plan } from './options.ts';
import { drawSlice, makeNoise } from './pixels.ts';
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
