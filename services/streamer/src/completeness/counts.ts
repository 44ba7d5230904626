/** What an image says of how many images there should be. Pure. */
import { defined } from '@scanflow/failure/defined';
import type { Attributes } from '../model/series.ts';

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

/** Of PET images (PS3.3 C.8.9.1, C.8.9.4). */
const PET_KEYWORDS = [
  'SeriesType',
  'NumberOfSlices',
  'NumberOfTimeSlices',
  'NumberOfRRIntervals',
  'NumberOfTimeSlots',
  'ImageIndex',
  'FrameReferenceTime',
  'TriggerTime',
] as const;

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
  return { uid, part, ...defined({ parts }) };
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

export interface PetCounts {
  /** NumberOfSlices (0054,0081). */
  readonly slices: number;
  /** NumberOfTimeSlices (0054,0101); of DYNAMIC series. */
  readonly timeSlices?: number;
  /** NumberOfRRIntervals (0054,0061) and NumberOfTimeSlots (0054,0071); of GATED series. */
  readonly intervals?: number;
  readonly slots?: number;
  /** Which volume the image belongs to, in any spelling that tells volumes apart. */
  readonly volume?: string;
}

/** Undefined where it is no PET image, or a projection: its slices are angles. */
function petCountsOf(
  attributes: Attributes,
  whole: (keyword: string) => number | undefined,
): PetCounts | undefined {
  const [kind = '', what = 'IMAGE'] = (attributes['SeriesType'] ?? '')
    .toUpperCase()
    .split('\\')
    .map((value) => value.trim());
  const volumes = volumesOf(kind, whole);
  const slices = above0(whole('NumberOfSlices'));
  if (volumes === undefined || slices === undefined || what !== 'IMAGE') return undefined;
  const volume = volumeOf(slices, kind, attributes, whole);
  return { slices, ...volumes, ...defined({ volume }) };
}

const above0 = (value: number | undefined): number | undefined =>
  value !== undefined && value > 0 ? value : undefined;

function volumesOf(
  kind: string,
  whole: (keyword: string) => number | undefined,
): Omit<PetCounts, 'slices' | 'volume'> | undefined {
  const number = (keyword: string): number | undefined => above0(whole(keyword));
  if (kind === 'STATIC' || kind === 'WHOLE BODY') return {};
  if (kind === 'DYNAMIC') {
    const timeSlices = number('NumberOfTimeSlices');
    return timeSlices === undefined ? undefined : { timeSlices };
  }
  if (kind !== 'GATED') return undefined;
  const [intervals, slots] = [number('NumberOfRRIntervals'), number('NumberOfTimeSlots')];
  return intervals === undefined || slots === undefined ? undefined : { intervals, slots };
}

/** ImageIndex counts the slices of one volume after those of another (PS3.3 C.8.9.4.1.9). */
function volumeOf(
  slices: number,
  kind: string,
  attributes: Attributes,
  whole: (keyword: string) => number | undefined,
): string | undefined {
  const index = above0(whole('ImageIndex'));
  if (index !== undefined) return String(Math.floor((index - 1) / slices));
  return attributes[kind === 'GATED' ? 'TriggerTime' : 'FrameReferenceTime'];
}

/** The standard calls these numbers the most that may exist; a series that holds one volume is judged by its slices alone. */
export function petLacking(images: readonly (PetCounts | undefined)[]): string[] | undefined {
  const [first] = images;
  if (first === undefined || images.some((one) => one === undefined || !sameCounts(one, first)))
    return undefined;
  const { slices, timeSlices, intervals, slots } = first;
  const several = new Set(images.map((one) => one?.volume)).size > 1;
  const volumes = several ? (timeSlices ?? (intervals ?? 1) * (slots ?? 1)) : 1;
  const expected = slices * volumes;
  if (expected <= images.length) return undefined;
  const said =
    volumes === 1
      ? `${slices} slices (0054,0081)`
      : timeSlices !== undefined
        ? `${slices} slices (0054,0081) in ${timeSlices} time slices (0054,0101), that is ${expected} images`
        : `${slices} slices (0054,0081) in ${intervals ?? 1} R-R intervals (0054,0061) of ${slots ?? 1} time slots (0054,0071), that is ${expected} images`;
  return [`the images say ${said}, and ${images.length} came`];
}

const sameCounts = (one: PetCounts, other: PetCounts): boolean =>
  one.slices === other.slices &&
  one.timeSlices === other.timeSlices &&
  one.intervals === other.intervals &&
  one.slots === other.slots;
