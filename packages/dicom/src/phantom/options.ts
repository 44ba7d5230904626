/** How a phantom series should look: its options, its acquisition, and the values that follow from them. */
import { createHash, randomUUID } from 'node:crypto';
import type { DataSet, Element } from '../dataset.ts';
import { transferSyntaxes } from '../uids.ts';
import { text, type Attributes, type AttributeValue } from '../values.ts';

export type PhantomModality = 'MR' | 'CT' | 'SC';

export interface PhantomOptions {
  /** Which IOD: MR Image, CT Image or Secondary Capture Image Storage (PS3.3 A.4, A.3, A.8.1). */
  readonly modality: PhantomModality;
  /** How many instances. */
  readonly images: number;
  /** Rows and columns of the matrix, 64 by default. 300 × 300 of MR or CT makes instances of about 180 KB. */
  readonly rows?: number;
  readonly columns?: number;
  readonly seriesNumber?: number;
  readonly seriesDescription?: string;
  /** `seriesDescription` by default. */
  readonly protocolName?: string;
  readonly seriesInstanceUid?: string;
  /** A modality worklist item: the series takes its patient, study and step attributes, as a console does. */
  readonly worklistItem?: DataSet;
  /** These three win over the worklist item's values. */
  readonly patientId?: string;
  readonly patientName?: string;
  readonly studyInstanceUid?: string;
  /** When the series was acquired, on the scanner's clock. */
  readonly when: Temporal.ZonedDateTime;
  /** The same options with the same seed make the same bytes; without one, every series is another. */
  readonly seed?: number;
  /** Implicit or explicit VR little endian; explicit by default. */
  readonly transferSyntax?: string;
  /** Specific Character Set (0008,0005), 'ISO_IR 100' by default. */
  readonly characterSet?: string;
  /** Private blocks as scanners write them, in groups 0009 to 0029; yes by default. */
  readonly vendorBlocks?: boolean;
  /** MR alone: another acquisition than a T1-weighted volume. `images` may end it anywhere. */
  readonly acquisition?: Acquisition;
}

/** The options with everything decided. */
export interface Plan extends PhantomOptions {
  readonly rows: number;
  readonly columns: number;
  readonly seriesNumber: number;
  readonly seriesDescription: string;
  readonly seriesInstanceUid: string;
  readonly transferSyntax: string;
  readonly characterSet: string;
  readonly vendorBlocks: boolean;
  readonly seed: number;
  readonly patientId: string;
  readonly studyInstanceUid: string;
  /** A UID of this series for a purpose: always the same one for the same purpose. */
  readonly uid: (purpose: string) => string;
}

const WRITABLE: readonly string[] = [
  transferSyntaxes.implicitVRLittleEndian,
  transferSyntaxes.explicitVRLittleEndian,
];

const DEFAULTS = {
  rows: 64,
  columns: 64,
  seriesNumber: 1,
  transferSyntax: transferSyntaxes.explicitVRLittleEndian as string,
  characterSet: 'ISO_IR 100',
  vendorBlocks: true,
};

/** Fills in the defaults. Throws RangeError for impossible numbers, and for a transfer syntax that phantoms cannot have. */
export function planOf(options: PhantomOptions): Plan {
  const chosen = { ...DEFAULTS, ...options };
  const { modality, seriesNumber, seed } = chosen;
  requirePossible(chosen);
  const root = seed === undefined ? newUid() : `seed ${seed}`;
  const item = options.worklistItem ?? new Map<number, Element>();
  const patientId = options.patientId ?? text(item, 'PatientID') ?? 'PHANTOM';
  const day = options.when.toPlainDate().toString();
  const studyInstanceUid =
    options.studyInstanceUid ?? text(item, 'StudyInstanceUID') ?? uidFrom(`${root}/${patientId}/${day}`);
  const seriesInstanceUid =
    options.seriesInstanceUid ?? uidFrom(`${root}/${studyInstanceUid}/${modality}/${seriesNumber}`);
  return {
    seriesDescription: `phantom_${modality.toLowerCase()}`,
    seed: Number(BigInt(uidFrom(root).slice(5)) & 0xffffffffn),
    ...chosen,
    patientId,
    studyInstanceUid,
    seriesInstanceUid,
    uid: (purpose) => uidFrom(`${seriesInstanceUid}/${purpose}`),
  };
}

function requirePossible(options: PhantomOptions & typeof DEFAULTS): void {
  const { images, rows, columns, seriesNumber, transferSyntax, modality, acquisition } = options;
  for (const [name, value] of Object.entries({ images, rows, columns, seriesNumber })) {
    if (!Number.isInteger(value) || value < 1) throw new RangeError(`${name} must be a whole number from 1`);
  }
  if (rows > 0xffff || columns > 0xffff) throw new RangeError('rows and columns are at most 65535 (US)');
  if (acquisition !== undefined && modality !== 'MR')
    throw new RangeError(`an acquisition is for MR, not for ${modality}`);
  if (!WRITABLE.includes(transferSyntax))
    throw new RangeError(`phantoms are not written in ${transferSyntax}`);
}

/** A new UID at random, `2.25.` and up to 39 digits (PS3.5 B.2): it needs no registered root. */
export function newUid(): string {
  return uidOf(randomUUID().replaceAll('-', ''));
}

/** The UID that belongs to a name: the same one each time (RFC 9562 5.8, of SHA-256). */
export function uidFrom(name: string): string {
  const bytes = createHash('sha256').update(name).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return uidOf(bytes.toString('hex'));
}

function uidOf(hex: string): string {
  return `2.25.${BigInt(`0x${hex}`)}`;
}

// How the images of a phantom series follow one another: slices, volumes, echoes, gradients, and the words of the vendor for them.

/** A tag of a Siemens CSA header: its VR, then its values. */
export type CsaTags = Readonly<Record<string, readonly [vr: string, ...values: string[]]>>;

export type PrivateElement = readonly [tag: number, vr: string, value: AttributeValue];

export interface AcquiredImage {
  /** From 0, from feet to head; a mosaic begins with it. */
  readonly slice: number;
  /** Seconds after the series began. */
  readonly after: number;
  /** Over those of the acquisition. */
  readonly attributes?: Attributes;
  /** Siemens: more tags of the CSA image header. */
  readonly csa?: CsaTags;
  /** After those of the vendor's own block. */
  readonly privateElements?: readonly PrivateElement[];
}

/** Another acquisition than the phantom's T1-weighted volume. MR alone. */
export interface Acquisition {
  readonly vendor: 'siemens' | 'ge' | 'philips' | 'uih';
  /** Of a volume. */
  readonly slices: number;
  /** Between slices, in mm. */
  readonly spacing: number;
  /** All slices of a volume in one image, as tiles; `rows` and `columns` are those of a tile. */
  readonly mosaic: boolean;
  /** Over those of the T1-weighted volume; undefined takes one away. */
  readonly attributes: Attributes;
  /** Siemens: the protocol, as the ASCCONV text of the CSA series header has it. */
  readonly protocol: Readonly<Record<string, number>>;
  /** The image of this place in the series, from 0. A series may end anywhere: `images` of the options decides. */
  readonly image: (index: number) => AcquiredImage;
}

/** How many tiles a mosaic has in each direction: it is square. */
export const tilesOf = ({ mosaic, slices }: Acquisition): number =>
  mosaic ? Math.ceil(Math.sqrt(slices)) : 1;

/** The slices of an image by their numbers from 0: one, or all of a mosaic. */
export function slicesOf(acquisition: Acquisition | undefined, image: AcquiredImage): readonly number[] {
  if (acquisition?.mosaic !== true) return [image.slice];
  return Array.from({ length: acquisition.slices }, (_, slice) => slice);
}
