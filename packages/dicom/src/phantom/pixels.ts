/** The phantom's pixels: a head of nested ellipses with noise, sliced from chin to crown. */

/** Brightness of what a slice shows. */
export interface Palette {
  readonly air: number;
  readonly skull: number;
  readonly fluid: number;
  readonly grey: number;
  readonly white: number;
  /** Standard deviation of the noise. */
  readonly noise: number;
  /** The highest value that a pixel can hold. */
  readonly maximum: number;
}

interface Slice {
  readonly rows: number;
  readonly columns: number;
  /** From -1 (lowest slice) to 1 (highest). */
  readonly height: number;
  /** Where in the noise this slice starts: different numbers, different pixels. */
  readonly noiseOffset: number;
}

/** How often noise repeats; a power of two, so that finding one's place in it is a mask. */
const NOISE_LENGTH = 1 << 18;

/** Normally distributed noise, the same for the same seed. */
export function makeNoise(seed: number, deviation: number): Int16Array {
  const random = mulberry32(seed);
  const noise = new Int16Array(NOISE_LENGTH);
  for (let index = 0; index < NOISE_LENGTH; index += 1) {
    // the sum of four uniform numbers is normal enough for the eye and cheap
    const sum = random() + random() + random() + random() - 2;
    noise[index] = Math.round(sum * Math.sqrt(3) * deviation);
  }
  return noise;
}

/** Numbers from 0 to 1: Tommy Ettinger's mulberry32, which needs 32 bits of state. */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One slice as pixel data: `bytesPerPixel` bytes each, little endian, row by row, padded to even length. */
export function drawSlice(
  slice: Slice,
  palette: Palette,
  noise: Int16Array,
  bytesPerPixel: 1 | 2,
): Uint8Array {
  const { rows, columns, height, noiseOffset } = slice;
  const size = rows * columns * bytesPerPixel;
  const bytes = new Uint8Array(size + (size % 2));
  // the outline narrows towards both ends, as a head does
  const narrowing = Math.sqrt(1 - 0.7 * height * height);
  let at = 0;
  let grain = noiseOffset;
  for (let row = 0; row < rows; row += 1) {
    const y = ((row + 0.5) / rows) * 2 - 1;
    for (let column = 0; column < columns; column += 1) {
      const x = ((column + 0.5) / columns) * 2 - 1;
      grain = (grain + 1) & (NOISE_LENGTH - 1);
      const value = tissue(x / narrowing, y / narrowing, palette) + (noise[grain] ?? 0);
      const pixel = value < 0 ? 0 : value > palette.maximum ? palette.maximum : value;
      bytes[at++] = pixel & 0xff;
      if (bytesPerPixel === 2) bytes[at++] = pixel >>> 8;
    }
  }
  return bytes;
}

/** Images as the tiles of one, from left to right and from the top; what no image covers is 0. */
export function tiled(
  images: readonly Uint8Array[],
  tiles: number,
  rows: number,
  rowLength: number,
): Uint8Array {
  const bytes = new Uint8Array(tiles * tiles * rows * rowLength);
  for (const [index, image] of images.entries()) {
    const corner = Math.floor(index / tiles) * rows * tiles * rowLength + (index % tiles) * rowLength;
    for (let row = 0; row < rows; row += 1)
      bytes.set(image.subarray(row * rowLength, (row + 1) * rowLength), corner + row * tiles * rowLength);
  }
  return bytes;
}

function tissue(x: number, y: number, palette: Palette): number {
  const radius = (x * x) / 0.49 + (y * y) / 0.77;
  if (radius > 1) return palette.air;
  if (radius > 0.86) return palette.skull;
  if (radius > 0.78) return palette.fluid;
  if (radius > 0.5) return palette.grey;
  const side = Math.abs(x) - 0.14;
  return (side * side) / 0.006 + (y * y) / 0.05 < 1 ? palette.fluid : palette.white;
}
