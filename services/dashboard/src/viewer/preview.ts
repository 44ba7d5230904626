/** A small picture of an image's first frame, where its pixels are plain or baseline JPEG; for anything else, why not. Pure but for reading. */
import {
  fragments,
  inflateFile,
  number,
  text,
  transferSyntaxes,
  type DataSet,
} from '@scanflow/dicom/reading';
import { viewer as t } from '../texts/viewer.ts';
import type { Opened } from './open.ts';
import type { Source } from './sources.ts';

export type Preview =
  | {
      readonly kind: 'pixels';
      readonly width: number;
      readonly height: number;
      readonly rgba: Uint8ClampedArray<ArrayBuffer>;
    }
  | { readonly kind: 'jpeg'; readonly bytes: Uint8Array<ArrayBuffer>; readonly inverted: boolean }
  | { readonly kind: 'none'; readonly why: string };

/** The longer side of the picture. */
const SIDE = 256;
const MOST_BYTES = 64 * 1024 * 1024;
const PIXEL_DATA = 0x7fe00010;
const UNCOMPRESSED: ReadonlySet<string> = new Set([
  '',
  transferSyntaxes.implicitVRLittleEndian,
  transferSyntaxes.explicitVRLittleEndian,
  transferSyntaxes.explicitVRBigEndian,
  transferSyntaxes.deflatedExplicitVRLittleEndian,
]);

const none = (why: string): Preview => ({ kind: 'none', why });

/** The picture. Throws what the source throws. */
export async function preview(source: Source, opened: Opened): Promise<Preview> {
  const { pixels, header, dataSet } = opened;
  if (pixels === undefined) return none(t.preview.noPixels);
  if (pixels.tag !== PIXEL_DATA) return none(t.preview.float);
  const { transferSyntax } = header;
  if (transferSyntax === transferSyntaxes.jpegBaseline && pixels.length === undefined)
    return jpeg(dataSet, source, pixels.offset);
  if (!UNCOMPRESSED.has(transferSyntax) || pixels.length === undefined)
    return none(t.preview.compressed(transferSyntax));
  const frame = frameOf(dataSet);
  if (typeof frame === 'string') return none(frame);
  const bytes = await frameBytes(source, opened, pixels.offset, frame.bytes);
  if (bytes === undefined) return none(t.preview.tooLarge);
  if (bytes.length < frame.bytes) return none(t.preview.cut);
  return drawn(frame, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), {
    bigEndian: opened.layout.bigEndian,
    inWords: pixels.vr === 'OW',
  });
}

async function frameBytes(
  source: Source,
  { deflated }: Opened,
  offset: number,
  length: number,
): Promise<Uint8Array | undefined> {
  if (length > MOST_BYTES) return undefined;
  if (!deflated) return source.read(offset, offset + length);
  if (source.size > MOST_BYTES) return undefined;
  return inflateFile(await source.read(0, source.size), MOST_BYTES * 2).subarray(offset, offset + length);
}

async function jpeg(dataSet: DataSet, source: Source, offset: number): Promise<Preview> {
  const colours = text(dataSet, 'PhotometricInterpretation') ?? '';
  if (!/^(?:MONOCHROME[12]|YBR_FULL(?:_422)?)$/.test(colours)) return none(t.preview.colours(colours));
  const bytes = await source.read(offset, Math.min(source.size, offset + MOST_BYTES));
  const { fragments: found, table } = fragments(bytes, 0);
  const second =
    table.length >= 8 ? new DataView(table.buffer, table.byteOffset + 4, 4).getUint32(0, true) : 0;
  // one frame may stand in several fragments; of several frames, the table says where the second starts, else each is a fragment
  const frames = number(dataSet, 'NumberOfFrames') ?? 1;
  const isFirst = ({ at }: { at: number }, index: number): boolean =>
    frames <= 1 || (second > 0 ? at < second : index === 0);
  const parts = found.filter(isFirst).map((one) => one.bytes);
  const whole = new Uint8Array(await new Blob(parts.map((part) => new Uint8Array(part))).arrayBuffer());
  return whole.length === 0
    ? none(t.preview.cut)
    : { kind: 'jpeg', bytes: whole, inverted: colours === 'MONOCHROME1' };
}

interface Frame {
  readonly rows: number;
  readonly columns: number;
  readonly samples: 1 | 3;
  readonly bits: 8 | 16 | 32;
  readonly bitsStored: number;
  readonly signed: boolean;
  readonly planar: boolean;
  readonly inverted: boolean;
  readonly bytes: number;
  readonly window: { readonly low: number; readonly high: number } | undefined;
}

/** How the first frame lies in the pixel data (PS3.3 C.7.6.3), or why it cannot be drawn. */
function frameOf(dataSet: DataSet): Frame | string {
  const of = (name: string): number => number(dataSet, name) ?? 0;
  const [rows, columns, bits] = [of('Rows'), of('Columns'), of('BitsAllocated')];
  const colours = text(dataSet, 'PhotometricInterpretation') ?? '';
  if (rows === 0 || columns === 0) return t.preview.noSize;
  const samples = number(dataSet, 'SamplesPerPixel') ?? 1;
  const isGrey = samples === 1 && /^MONOCHROME[12]$/.test(colours);
  const isColour = samples === 3 && colours === 'RGB' && bits === 8;
  if (!isGrey && !isColour) return t.preview.colours(colours);
  if (bits !== 8 && bits !== 16 && bits !== 32) return t.preview.bits(bits);
  return {
    rows,
    columns,
    samples: isGrey ? 1 : 3,
    bits,
    bitsStored: Math.min(bits, of('BitsStored') || bits),
    signed: of('PixelRepresentation') === 1,
    planar: of('PlanarConfiguration') === 1,
    inverted: colours === 'MONOCHROME1',
    bytes: rows * columns * samples * (bits / 8),
    window: windowOf(dataSet),
  };
}

/** In stored values: what the window means is rescaled (PS3.3 C.11.1.1, C.11.2.1.2). */
function windowOf(dataSet: DataSet): Frame['window'] {
  const [center, width] = [number(dataSet, 'WindowCenter'), number(dataSet, 'WindowWidth')];
  if (center === undefined || width === undefined || width < 1) return undefined;
  const slope = number(dataSet, 'RescaleSlope') ?? 1;
  if (slope === 0) return undefined;
  const stored = (value: number): number => (value - (number(dataSet, 'RescaleIntercept') ?? 0)) / slope;
  return { low: stored(center - width / 2), high: stored(center + width / 2) };
}

interface Order {
  readonly bigEndian: boolean;
  /** Two samples of a byte stand in a word, whose bytes are turned around in big endian. */
  readonly inWords: boolean;
}

function drawn(frame: Frame, view: DataView, order: Order): Preview {
  const step = Math.max(1, Math.max(frame.rows, frame.columns) / SIDE);
  const [width, height] = [frame.columns, frame.rows].map((side) => Math.max(1, Math.floor(side / step)));
  if (width === undefined || height === undefined) return none(t.preview.noSize);
  const at = (index: number): number =>
    Math.floor((Math.floor(index / width) + 0.5) * step) * frame.columns +
    Math.floor(((index % width) + 0.5) * step);
  const places = Array.from({ length: width * height }, (_, index) => at(index));
  const rgba = new Uint8ClampedArray(width * height * 4).fill(255);
  const sample = sampler(frame, view, order);
  if (frame.samples === 3) {
    const plane = frame.rows * frame.columns;
    for (const [index, place] of places.entries())
      for (let colour = 0; colour < 3; colour++)
        rgba[index * 4 + colour] = sample(frame.planar ? place + colour * plane : place * 3 + colour);
    return { kind: 'pixels', width, height, rgba };
  }
  const values = places.map(sample);
  const low = frame.window?.low ?? values.reduce((least, value) => Math.min(least, value), Infinity);
  const high = frame.window?.high ?? values.reduce((most, value) => Math.max(most, value), -Infinity);
  for (const [index, value] of values.entries()) {
    const grey = high === low ? 0 : ((value - low) / (high - low)) * 255;
    rgba.fill(frame.inverted ? 255 - grey : grey, index * 4, index * 4 + 3);
  }
  return { kind: 'pixels', width, height, rgba };
}

/** Reads one sample: what stands above the stored bits is no part of it (PS3.5 8.1.1). */
function sampler({ bits, bitsStored, signed }: Frame, view: DataView, { bigEndian, inWords }: Order) {
  const unused = 32 - bitsStored;
  const plain = (index: number): number => {
    if (bits === 8)
      return view.getUint8(bigEndian && inWords && (index ^ 1) < view.byteLength ? index ^ 1 : index);
    return bits === 16 ? view.getUint16(index * 2, !bigEndian) : view.getUint32(index * 4, !bigEndian);
  };
  return (index: number): number => {
    const shifted = plain(index) << unused;
    return signed ? shifted >> unused : shifted >>> unused;
  };
}
