/** What an image says of how many there should be. Pure. */
import type { Attributes } from '../store/place/route.ts';
import { PET_KEYWORDS, petCountsOf, type PetCounts } from './pet.ts';

/** Kept with each image in `series.json`, so that late images are judged together with the first. */
export interface ImageCounts {
  /** InstanceNumber. */
  readonly number?: number;
  /** ImagesInAcquisition (0020,1002), and the number of that acquisition (0020,0012). */
  readonly images?: number;
  readonly acquisition?: number;
  /** NumberOfTemporalPositions (0020,0105), and which of them this is (0020,0100). */
  readonly temporals?: number;
  readonly temporal?: number;
  /** CardiacNumberOfImages (0018,1090): images of one slice over the heartbeat, and when in the heartbeat this one is (0018,1060). */
  readonly phases?: number;
  readonly trigger?: string;
  /** Where it lies in the patient; of those with temporal positions or phases alone. */
  readonly position?: string;
  readonly pet?: PetCounts;
  /** A part of a multi-frame image that was split (PS3.3 C.7.6.16.2.2.4); not all scanners say how many parts there are. */
  readonly concatenation?: { readonly uid: string; readonly part: number; readonly parts?: number };
  /** Frames that it announces and has no bytes for. */
  readonly lackingFrames?: number;
  /** Computed from other images, a mosaic or a localizer: its numbers tell less. */
  readonly kind?: 'derived' | 'mosaic' | 'localizer';
}

/** All of them stand before the pixel data. */
export const COUNT_KEYWORDS = [
  'ImageType',
  'InstanceNumber',
  'ImagePositionPatient',
  'TemporalPositionIdentifier',
  'NumberOfTemporalPositions',
  'ImagesInAcquisition',
  'AcquisitionNumber',
  'CardiacNumberOfImages',
  'ConcatenationUID',
  'InConcatenationNumber',
  'InConcatenationTotalNumber',
  'SamplesPerPixel',
  'PhotometricInterpretation',
  'NumberOfFrames',
  'Rows',
  'Columns',
  'BitsAllocated',
  ...PET_KEYWORDS,
] as const;

export function countsOf(
  attributes: Attributes,
  { transferSyntax, bytes }: { readonly transferSyntax: string; readonly bytes: number },
): ImageCounts {
  const whole = (keyword: string): number | undefined => {
    const text = (attributes[keyword] ?? '').trim();
    return /^[+-]?\d{1,10}$/.test(text) ? Number(text) : undefined;
  };
  const temporals = whole('NumberOfTemporalPositions');
  const several = temporals !== undefined && temporals > 1;
  const images = whole('ImagesInAcquisition');
  const phases = whole('CardiacNumberOfImages');
  const cine = phases !== undefined && phases > 1;
  const known = {
    number: whole('InstanceNumber'),
    images,
    acquisition: images === undefined ? undefined : whole('AcquisitionNumber'),
    temporals: several ? temporals : undefined,
    temporal: several ? whole('TemporalPositionIdentifier') : undefined,
    phases: cine ? phases : undefined,
    trigger: cine ? attributes['TriggerTime'] : undefined,
    position: several || cine ? attributes['ImagePositionPatient'] : undefined,
    pet: petCountsOf(attributes, whole),
    concatenation: concatenationOf(attributes['ConcatenationUID'], whole),
    lackingFrames: NATIVE.has(transferSyntax) ? lackingFrames(attributes, whole, bytes) : undefined,
    kind: kindOf(attributes['ImageType'] ?? ''),
  };
  return Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined));
}

type Whole = (keyword: string) => number | undefined;

function concatenationOf(uid: string | undefined, whole: Whole): ImageCounts['concatenation'] {
  const [part, parts] = [whole('InConcatenationNumber'), whole('InConcatenationTotalNumber')];
  if (uid === undefined || part === undefined) return undefined;
  return { uid, part, ...(parts === undefined ? {} : { parts }) };
}

/** Implicit and explicit VR without compression: a frame has as many bytes as its rows and columns say (PS3.5 8.1.1). */
const NATIVE: ReadonlySet<string> = new Set([
  '1.2.840.10008.1.2',
  '1.2.840.10008.1.2.1',
  '1.2.840.10008.1.2.2',
]);

/** The file as a whole may be longer than its frames, never shorter. */
function lackingFrames(attributes: Attributes, whole: Whole, bytes: number): number | undefined {
  const [frames, rows, columns, bits] = ['NumberOfFrames', 'Rows', 'Columns', 'BitsAllocated'].map(whole);
  if (frames === undefined || rows === undefined || columns === undefined || bits === undefined)
    return undefined;
  const samples = samplesOf(attributes, whole);
  if (samples === undefined || rows * columns * bits * samples <= 0) return undefined;
  const room = Math.floor((bytes * 8) / (rows * columns * bits * samples));
  return room < frames ? frames - room : undefined;
}

/** Undefined where colours are sub-sampled, so that a pixel has fewer of them (PS3.3 C.7.6.3.1.2). */
function samplesOf(attributes: Attributes, whole: Whole): number | undefined {
  const samples = whole('SamplesPerPixel') ?? 1;
  const colours = (attributes['PhotometricInterpretation'] ?? '').trim().toUpperCase();
  return samples === 1 || colours === 'RGB' || colours === 'YBR_FULL' ? samples : undefined;
}

function kindOf(imageType: string): ImageCounts['kind'] {
  const values = imageType
    .toUpperCase()
    .split('\\')
    .map((value) => value.trim());
  if (values.includes('LOCALIZER')) return 'localizer';
  if (values.includes('MOSAIC')) return 'mosaic';
  return values[0] === 'ORIGINAL' || imageType.trim() === '' ? undefined : 'derived';
}
