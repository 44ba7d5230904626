/** What an image says of how many there should be. Pure. */
import type { Attributes } from '../store/place/route.ts';

/** Kept with each image in `series.json`, so that late images are judged together with the first. */
export interface ImageCounts {
  /** InstanceNumber. */
  readonly number?: number;
  /** ImagesInAcquisition (0020,1002). */
  readonly images?: number;
  /** NumberOfTemporalPositions (0020,0105), and which of them this is (0020,0100). */
  readonly temporals?: number;
  readonly temporal?: number;
  /** Where it lies in the patient; of those with temporal positions alone. */
  readonly position?: string;
  /** A part of a multi-frame image that was split (PS3.3 C.7.6.16.1.3). */
  readonly concatenation?: { readonly uid: string; readonly part: number; readonly parts: number };
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
  'ConcatenationUID',
  'InConcatenationNumber',
  'InConcatenationTotalNumber',
  'SamplesPerPixel',
  'NumberOfFrames',
  'Rows',
  'Columns',
  'BitsAllocated',
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
  const known = {
    number: whole('InstanceNumber'),
    images: whole('ImagesInAcquisition'),
    temporals: several ? temporals : undefined,
    temporal: several ? whole('TemporalPositionIdentifier') : undefined,
    position: several ? attributes['ImagePositionPatient'] : undefined,
    concatenation: concatenationOf(attributes['ConcatenationUID'], whole),
    lackingFrames: NATIVE.has(transferSyntax) ? lackingFrames(whole, bytes) : undefined,
    kind: kindOf(attributes['ImageType'] ?? ''),
  };
  return Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined));
}

type Whole = (keyword: string) => number | undefined;

function concatenationOf(uid: string | undefined, whole: Whole): ImageCounts['concatenation'] {
  const [part, parts] = [whole('InConcatenationNumber'), whole('InConcatenationTotalNumber')];
  return uid === undefined || part === undefined || parts === undefined ? undefined : { uid, part, parts };
}

/** Implicit and explicit VR without compression: a frame has as many bytes as its rows and columns say (PS3.5 8.1.1). */
const NATIVE: ReadonlySet<string> = new Set([
  '1.2.840.10008.1.2',
  '1.2.840.10008.1.2.1',
  '1.2.840.10008.1.2.2',
]);

/** The file as a whole may be longer than its frames, never shorter. */
function lackingFrames(whole: Whole, bytes: number): number | undefined {
  const [frames, rows, columns, bits] = ['NumberOfFrames', 'Rows', 'Columns', 'BitsAllocated'].map(whole);
  if (frames === undefined || rows === undefined || columns === undefined || bits === undefined)
    return undefined;
  // packed bits and sub-sampled colours have fewer bytes: only whole bytes of one sample are judged
  if (bits % 8 !== 0 || (whole('SamplesPerPixel') ?? 1) !== 1 || rows * columns * bits <= 0) return undefined;
  const room = Math.floor((bytes * 8) / (rows * columns * bits));
  return room < frames ? frames - room : undefined;
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
