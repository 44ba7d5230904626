/** The header of a NIfTI-1 or NIfTI-2 file, as far as checks need it, and its compression: the same bytes each time. */
import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

export interface NiftiHeader {
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
export const NIFTI_HEADER_BYTES = 540;

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
