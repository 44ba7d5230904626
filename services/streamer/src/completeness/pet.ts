/** How many images a PET series has, as its images say (PS3.3 C.8.9.1, C.8.9.4). Pure. */
import type { Attributes } from '../store/place/route.ts';

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

/** All of them stand before the pixel data. */
export const PET_KEYWORDS = [
  'SeriesType',
  'NumberOfSlices',
  'NumberOfTimeSlices',
  'NumberOfRRIntervals',
  'NumberOfTimeSlots',
  'ImageIndex',
  'FrameReferenceTime',
  'TriggerTime',
] as const;

/** Undefined where it is no PET image, or a projection: its slices are angles. */
export function petCountsOf(
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
  return { slices, ...volumes, ...(volume === undefined ? {} : { volume }) };
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
