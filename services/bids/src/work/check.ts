/** Whether dcm2niix's images are what the DICOM headers promise: the header of a NIfTI file, and its checks. And its compression. */
import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { permanent, type Failure } from '@scanflow/failure';
import type { SeriesFacts } from '@scanflow/bids';

interface NiftiHeader {
  readonly version: 1 | 2;
  /** Columns, rows, slices, volumes: from 1 each; more dimensions count as volumes. */
  readonly size: readonly [number, number, number, number];
  readonly bitsPerVoxel: number;
  /** Bytes from the start of the file to the voxels. */
  readonly voxelOffset: number;
  /** Bytes that the whole file has. */
  readonly fileBytes: number;
}

/** Bytes of the longer of the two headers. */
const NIFTI_HEADER_BYTES = 540;

/** Undefined for what is no single-file NIfTI header, or has impossible numbers. Pure. */
export function readNiftiHeader(bytes: Uint8Array): NiftiHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 348) return undefined;
  for (const little of [true, false]) {
    const first = view.getInt32(0, little);
    if (first === 348) return header1(view, little);
    if (first === 540 && bytes.length >= 540) return header2(view, little);
  }
  return undefined;
}

function header1(view: DataView, little: boolean): NiftiHeader | undefined {
  if (view.getUint32(344, false) !== 0x6e2b3100) return undefined;
  return headerOf(1, {
    dims: Array.from({ length: 8 }, (_, index) => view.getInt16(40 + 2 * index, little)),
    bitsPerVoxel: view.getInt16(72, little),
    voxelOffset: view.getFloat32(108, little),
  });
}

function header2(view: DataView, little: boolean): NiftiHeader | undefined {
  if (view.getUint32(4, false) !== 0x6e2b3200) return undefined;
  return headerOf(2, {
    dims: Array.from({ length: 8 }, (_, index) => Number(view.getBigInt64(16 + 8 * index, little))),
    bitsPerVoxel: view.getInt16(14, little),
    voxelOffset: Number(view.getBigInt64(168, little)),
  });
}

function headerOf(
  version: 1 | 2,
  {
    dims,
    bitsPerVoxel,
    voxelOffset,
  }: { readonly dims: readonly number[]; readonly bitsPerVoxel: number; readonly voxelOffset: number },
): NiftiHeader | undefined {
  const [count = 0, ...sizes] = dims;
  if (count < 1 || count > 7) return undefined;
  const used = sizes.slice(0, count);
  if (used.some((size) => !Number.isSafeInteger(size) || size < 1)) return undefined;
  const [x = 1, y = 1, z = 1, ...rest] = used;
  const t = rest.reduce((product, size) => product * size, 1);
  const fileBytes = voxelOffset + Math.ceil((x * y * z * t * bitsPerVoxel) / 8);
  if (bitsPerVoxel < 1 || !Number.isInteger(voxelOffset) || !Number.isSafeInteger(fileBytes))
    return undefined;
  return { version, size: [x, y, z, t], bitsPerVoxel, voxelOffset, fileBytes };
}

/** The header of an uncompressed file, and whether the file has all of its voxels. */
export async function niftiOf(
  path: string,
): Promise<{ readonly header: NiftiHeader | undefined; readonly whole: boolean }> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(NIFTI_HEADER_BYTES), 0, NIFTI_HEADER_BYTES, 0);
    const header = readNiftiHeader(buffer.subarray(0, bytesRead));
    return { header, whole: header !== undefined && header.fileBytes === (await file.stat()).size };
  } finally {
    await file.close();
  }
}

/** Without name and time in its head: the same file gives the same bytes, of one version of zlib. */
export async function gzipFile(from: string, to: string, signal: AbortSignal): Promise<void> {
  await pipeline(
    createReadStream(from, { highWaterMark: 1 << 20 }),
    createGzip({ level: 6, chunkSize: 1 << 18 }),
    createWriteStream(to, { flags: 'wx', flush: true }),
    { signal },
  );
}

// Whether dcm2niix's images are what the DICOM headers promise. Pure.

/** What became of one output. */
export interface Made {
  readonly name: string;
  readonly header: NiftiHeader | undefined;
  /** All voxels are there. */
  readonly whole: boolean;
  /** Of its .bval, and of each of the three lines of its .bvec; undefined where it has none. */
  readonly bValues: number | undefined;
  readonly bVectors: readonly number[] | undefined;
}

interface Checked {
  readonly facts: SeriesFacts;
  /** Of all images of the series. */
  readonly voxels: number | undefined;
  readonly made: readonly Made[];
  /** Names of other files that dcm2niix made. */
  readonly others: readonly string[];
}

/** The first thing that is wrong; undefined where nothing is. `words` are dcm2niix's. */
export function checkSeries({ facts, voxels, made, others }: Checked, words: string): Failure | undefined {
  const expected = facts.outputs.map(({ name }) => name);
  const names = made.map(({ name }) => name);
  const missing = expected.filter((name) => !names.includes(name));
  const mean = new Set(expected.map(meanOf));
  const extra = [...names.filter((name) => !expected.includes(name) && !mean.has(name)), ...others];
  if (missing.length > 0)
    return failed('BIDS_OUTPUT_MISSING', facts, `dcm2niix did not make ${missing.join(', ')}: ${words}`);
  if (extra.length > 0)
    return failed(
      'BIDS_OUTPUT_UNEXPECTED',
      facts,
      `dcm2niix made more than expected (${extra.slice(0, 5).join(', ')}): ${words}`,
    );
  for (const one of made) {
    const problem = checkOutput(one, facts, meanHeader(one, made));
    if (problem !== undefined)
      return failed('BIDS_CHECK_FAILED', facts, `Output ${one.name}: ${problem}. dcm2niix: ${words}`);
  }
  // not slices: dcm2niix turns 3D acquisitions
  const repeated = new Set(made.filter((one) => isRepeated(one, meanHeader(one, made), facts)));
  const total = made.reduce((sum, one) => sum + (repeated.has(one) ? 0 : voxelsOf(one.header)), 0);
  if (voxels !== undefined && total !== voxels)
    return failed(
      'BIDS_CHECK_FAILED',
      facts,
      `The DICOM images hold ${voxels} voxels, and the converted images ${total}. dcm2niix: ${words}`,
    );
  return undefined;
}

/** dcm2niix takes mean and ADC images, which scanners add to a diffusion series, out of it, and puts them into an image of this name. */
const meanOf = (name: string): string => `${name}_ADC`;
const meanHeader = ({ name }: Made, made: readonly Made[]): NiftiHeader | undefined =>
  made.find((other) => other.name === meanOf(name))?.header;

/** Sometimes the image beside it (of Philips) has all volumes, and repeats those of the image. */
const isRepeated = (
  { header }: Made,
  mean: NiftiHeader | undefined,
  { volumes }: Pick<SeriesFacts, 'volumes'>,
): boolean => volumes > 0 && mean?.size[3] === volumes && header !== undefined && header.size[3] < volumes;

/** Of an image and the mean images beside it. */
const volumesOf = (one: Made, mean: NiftiHeader | undefined, facts: SeriesFacts): number =>
  isRepeated(one, mean, facts) ? facts.volumes : (one.header?.size[3] ?? 0) + (mean?.size[3] ?? 0);

/** In s/mm²; up to here dcm2niix may take volumes as not weighted, and give no gradients. */
const UNWEIGHTED = 50;

/** @param mean the header of the mean images beside it */
function checkOutput(one: Made, facts: SeriesFacts, mean: NiftiHeader | undefined): string | undefined {
  const { name, header, whole, bValues, bVectors } = one;
  if (header === undefined) return 'it is no NIfTI file';
  if (!whole) return 'the NIfTI file is shorter or longer than its header says';
  const isOne = facts.outputs.length === 1 && facts.outputs[0]?.name === name;
  const volumes = volumesOf(one, mean, facts);
  return (
    (isOne ? checkWhole(header, volumes, facts) : undefined) ??
    (facts.volumes > 0 && volumes > facts.volumes ? wrongVolumes(volumes, facts) : undefined) ??
    (isOne && facts.bValues.length > 1 && facts.bValues.some((b) => b > UNWEIGHTED) && bValues === undefined
      ? 'the DICOM images have b-values, and the converted image has none'
      : checkGradients(header.size[3], bValues, bVectors))
  );
}

/** Of the only image of a series. */
function checkWhole({ size }: NiftiHeader, volumes: number, facts: SeriesFacts): string | undefined {
  const { geometry } = facts;
  if (geometry === undefined || facts.volumes === 0) return undefined;
  const promised = [geometry.rows, geometry.columns, geometry.slices];
  const found = size.slice(0, 3);
  // dcm2niix turns 3D acquisitions, so that the order of the dimensions may differ
  if (inOrder(promised) !== inOrder(found))
    return `its size is ${found.join(' × ')}, and that of the DICOM images ${promised.join(' × ')}`;
  return volumes === facts.volumes ? undefined : wrongVolumes(volumes, facts);
}

const wrongVolumes = (found: number, { images, volumes }: SeriesFacts): string =>
  `it has ${found} volumes, and the ${images} DICOM images have ${volumes}`;

const voxelsOf = (header: NiftiHeader | undefined): number =>
  header === undefined ? 0 : header.size.reduce((product, size) => product * size, 1);

const inOrder = (sizes: readonly number[]): string =>
  [...sizes].sort((one, other) => one - other).join(' × ');

function checkGradients(
  volumes: number,
  bValues: number | undefined,
  bVectors: readonly number[] | undefined,
): string | undefined {
  if (bValues === undefined && bVectors === undefined) return undefined;
  if (bValues !== volumes) return `it has ${volumes} volumes and ${bValues ?? 'no'} b-values`;
  if (bVectors?.length !== 3 || bVectors.some((count) => count !== volumes))
    return `it has ${volumes} volumes, and its gradients are ${bVectors?.join(' × ') ?? 'missing'}`;
  return undefined;
}

const failed = (code: string, { folder }: SeriesFacts, what: string): Failure =>
  permanent(code, `${folder}: ${what}`);

/** Numbers in each line of a .bval or .bvec. */
export const columnsOf = (text: string): number[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => line.split(/\s+/).length);
