/** How the images of a phantom series follow one another: slices, volumes, echoes, gradients, and the words of the vendor for them. */
import type { Attributes, AttributeValue } from '../values.ts';

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
