/** Reads the headers of the DICOM files of a folder, never past their pixels, and says of each which slices it holds. */
import { open, readdir, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { items, number, readAttributes, text, texts, type DataSet } from '@scanflow/dicom';
import { numbers, readFile } from '@scanflow/dicom/reading';
import { pool } from '@scanflow/runtime';

/** One slice of a classic image or one frame of an enhanced one; a mosaic or grid is one slice with tiles. */
export interface Slice {
  /** Rounded to a hundredth of a millimetre; undefined where the header has none. */
  readonly position: readonly number[] | undefined;
  /** Slices of one volume have equal groups: echo, and kind of image. */
  readonly group: string;
  /** `2026-11-30T10:15:00.000000`, or empty. */
  readonly acquired: string;
  readonly bValue: number | undefined;
  /** Slices of a mosaic or grid; 1 for all others; undefined for a mosaic that does not say. */
  readonly tiles: number | undefined;
}

export interface ImageHead {
  readonly file: string;
  readonly sopInstanceUid: string;
  readonly dataSet: DataSet;
  readonly slices: readonly Slice[];
}

export interface FolderHeads {
  readonly images: readonly ImageHead[];
  /** Everything before the pixels of the first image, with its private elements. */
  readonly first: DataSet | undefined;
  /** DICOM files that cannot be read, with the reason. */
  readonly broken: readonly { readonly file: string; readonly reason: string }[];
}

/** Beside the images of a stored series (docs/storage.md). */
const BESIDE: ReadonlySet<string> = new Set(['manifest-sha256.txt', 'series.json', 'series.tar']);
const FIRST_BYTES = 64 * 1024;
/** No header that a scanner writes is longer. */
const MOST_BYTES = 128 * 1024 * 1024;
const MAX_FILES = 500_000;
const AT_ONCE = 8;

const COMMON = [
  ...[
    'SOPClassUID',
    'SOPInstanceUID',
    'ImageType',
    'AcquisitionDate',
    'AcquisitionTime',
    'AcquisitionDateTime',
  ],
  ...[
    'ContentDate',
    'ContentTime',
    'Modality',
    'SeriesInstanceUID',
    'EchoTime',
    'EchoNumbers',
    'DiffusionBValue',
  ],
  ...['ImagePositionPatient', 'ImageOrientationPatient', 'NumberOfFrames', 'Rows', 'Columns', 'Manufacturer'],
];
/** Private elements with the b-value, by the beginning of the manufacturer's name. */
const B_VALUES: Readonly<Record<string, number>> = {
  siemens: 0x0019100c,
  ge: 0x00431039,
  philips: 0x20011003,
  uih: 0x00651009,
  'united imaging': 0x00651009,
};
/** NumberOfImagesInMosaic of SIEMENS MR HEADER. */
const MOSAIC_TILES = 0x0019100a;
/** Slices of a grid of UIH. */
const GRID_TILES = 0x00651050;

/** Rejects with the error of the system for a folder that cannot be read. */
export async function readHeads(folder: string, signal: AbortSignal): Promise<FolderHeads> {
  const entries = await readdir(folder, { withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.') && !BESIDE.has(entry.name))
    .map(({ name }) => name)
    .sort();
  if (files.length > MAX_FILES) throw new RangeError(`${files.length} files are more than ${MAX_FILES}`);
  const broken: { file: string; reason: string }[] = [];
  const heads = new Map<string, ImageHead>();
  const [first, firstAt] = await readFirst(folder, files, signal);
  const wanted = wantedOf(first);
  const tiles = first === undefined ? undefined : mosaicTiles(first);
  await pool(files, AT_ONCE, async (file) => {
    signal.throwIfAborted();
    const read = await withFile(join(folder, file), (handle, size) =>
      file === firstAt && first !== undefined ? Promise.resolve(first) : readImage(handle, size, wanted),
    );
    if (read instanceof Map) heads.set(file, headOf(file, read as DataSet, tiles));
    else if (typeof read === 'string') broken.push({ file, reason: read });
  });
  const images = files.flatMap((file) => heads.get(file) ?? []);
  return {
    images: images.some(hasPixels)
      ? images.map((one) => (hasPixels(one) ? one : { ...one, slices: [] }))
      : images,
    first,
    broken: broken.sort((one, other) => (one.file < other.file ? -1 : 1)),
  };
}

async function withFile<T>(path: string, read: (handle: FileHandle, size: number) => Promise<T>): Promise<T> {
  const handle = await open(path, 'r');
  try {
    return await read(handle, (await handle.stat()).size);
  } finally {
    await handle.close();
  }
}

/** Files without pixels, such as a presentation state that Philips stores in the series of its images, may come before the images. */
const MOST_BEFORE = 16;

/** The first image of the folder; the first DICOM file where there is none at its beginning. */
async function readFirst(
  folder: string,
  files: readonly string[],
  signal: AbortSignal,
): Promise<[DataSet | undefined, string]> {
  let before: [DataSet, string] | undefined;
  for (const [index, file] of files.entries()) {
    if (before !== undefined && index >= MOST_BEFORE) break;
    signal.throwIfAborted();
    const read = await withFile(join(folder, file), readWhole);
    if (!(read instanceof Map)) continue;
    if (number(read as DataSet, 'Rows') !== undefined) return [read as DataSet, file];
    before ??= [read as DataSet, file];
  }
  return before ?? [undefined, ''];
}

const makerOf = (dataSet: DataSet): string => (text(dataSet, 'Manufacturer') ?? '').toLowerCase();
export const isUih = (dataSet: DataSet): boolean => /^(uih|united imaging)/.test(makerOf(dataSet));

function wantedOf(first: DataSet | undefined): (string | number)[] {
  const maker = first === undefined ? '' : makerOf(first);
  const entry = Object.entries(B_VALUES).find(([name]) => maker.startsWith(name));
  const mosaic = maker.startsWith('siemens') ? [MOSAIC_TILES] : [];
  return [...COMMON, ...mosaic, GRID_TILES, ...(entry === undefined ? [] : [entry[1]])];
}

/** A data set; a reason where it is a broken DICOM file; undefined where it is none. */
type HeadRead = DataSet | string | undefined;
type Step = { readonly atLeast: number } | { readonly done: HeadRead };

async function grow(handle: FileHandle, size: number, read: (head: Buffer) => Step): Promise<HeadRead> {
  for (let wanted = Math.min(size, FIRST_BYTES); ;) {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(wanted), 0, wanted, 0);
    const step = read(buffer.subarray(0, bytesRead));
    if ('done' in step) return step.done;
    if (step.atLeast > size || bytesRead < wanted) return 'it ends too early';
    if (step.atLeast > MOST_BYTES) return `its header is longer than ${MOST_BYTES} bytes`;
    wanted = Math.min(size, MOST_BYTES, Math.max(step.atLeast, wanted * 4));
  }
}

async function readImage(
  handle: FileHandle,
  size: number,
  wanted: readonly (string | number)[],
): Promise<HeadRead> {
  const read = await grow(handle, size, (head) => {
    const found = readAttributes(head, wanted, { complete: head.length === size, fileSize: size });
    if (found.kind === 'needMore') return { atLeast: found.atLeast };
    if (found.kind === 'attributes') return { done: found.dataSet };
    return { done: found.code === 'DICOM_NOT_PART10' ? undefined : found.message };
  });
  const isEnhanced = read instanceof Map && (number(read, 'NumberOfFrames') ?? 1) > 1;
  return isEnhanced ? readWhole(handle, size) : read;
}

/** Elements of a header: an enhanced one has some sixty for each frame. */
const MAX_ELEMENTS = 16_000_000;

function readWhole(handle: FileHandle, size: number): Promise<HeadRead> {
  return grow(handle, size, (head) => {
    const found = readFile(head, { fileSize: size, maxElements: MAX_ELEMENTS });
    if (found.kind === 'needMore') return { atLeast: found.atLeast };
    if (found.kind === 'refused')
      return { done: found.error.code === 'NOT_PART10' ? undefined : found.error.message };
    const [problem] = found.problems;
    return { done: problem !== undefined && found.pixels === undefined ? problem.message : found.dataSet };
  });
}

/** Not so of a presentation state beside images: it is no slice. */
const hasPixels = ({ dataSet }: ImageHead): boolean => number(dataSet, 'Rows') !== undefined;

function headOf(file: string, dataSet: DataSet, tiles: number | undefined): ImageHead {
  const frames = items(dataSet, 'PerFrameFunctionalGroupsSequence');
  const slices =
    frames.length > 0 ? frames.map((frame) => frameSlice(dataSet, frame)) : classicSlices(dataSet, tiles);
  return { file, sopInstanceUid: text(dataSet, 'SOPInstanceUID') ?? '', dataSet, slices };
}

function classicSlices(dataSet: DataSet, ofMosaic: number | undefined): Slice[] {
  const types = texts(dataSet, 'ImageType');
  const isMosaic = types.includes('MOSAIC');
  const tiles = isMosaic ? (privateNumber(dataSet, MOSAIC_TILES) ?? ofMosaic) : gridTiles(dataSet);
  const slice = {
    position: isMosaic ? [] : rounded(texts(dataSet, 'ImagePositionPatient')),
    group: JSON.stringify([number(dataSet, 'EchoNumbers') ?? number(dataSet, 'EchoTime'), types]),
    acquired: acquiredOf(dataSet),
    bValue: number(dataSet, 'DiffusionBValue') ?? vendorBValue(dataSet),
    tiles,
  };
  // multi-frame images without functional groups, such as those of nuclear medicine
  const frames = Math.min(number(dataSet, 'NumberOfFrames') ?? 1, MAX_FILES);
  return Array.from({ length: frames }, () => (frames > 1 ? { ...slice, position: undefined } : slice));
}

/** UIH writes no word such as MOSAIC; this number alone makes a grid (nii_dicom.cpp of dcm2niix). */
function gridTiles(dataSet: DataSet): number {
  const told = isUih(dataSet) ? (privateNumber(dataSet, GRID_TILES) ?? 1) : 1;
  return Number.isInteger(told) && told > 1 ? told : 1;
}

const EMPTY: DataSet = new Map();

/** PS3.3 C.7.6.16: what is the same in all frames stands in the shared groups. */
export function groupOf(dataSet: DataSet, frame: DataSet, name: string): DataSet {
  const [shared = EMPTY] = items(dataSet, 'SharedFunctionalGroupsSequence');
  return items(frame, name)[0] ?? items(shared, name)[0] ?? EMPTY;
}

function frameSlice(dataSet: DataSet, frame: DataSet): Slice {
  const group = (name: string): DataSet => groupOf(dataSet, frame, name);
  const types = texts(group('MRImageFrameTypeSequence'), 'FrameType');
  const moment = dateTime(text(group('FrameContentSequence'), 'FrameAcquisitionDateTime') ?? '');
  return {
    position: rounded(texts(group('PlanePositionSequence'), 'ImagePositionPatient')),
    group: JSON.stringify([number(group('MREchoSequence'), 'EffectiveEchoTime'), types]),
    acquired: moment === '' ? acquiredOf(dataSet) : moment,
    bValue: number(group('MRDiffusionSequence'), 'DiffusionBValue'),
    tiles: 1,
  };
}

function rounded(values: readonly string[]): readonly number[] | undefined {
  const found = values.map((value) => Math.round(Number(value) * 100) / 100);
  return found.length === 3 && found.every((value) => Number.isFinite(value)) ? found : undefined;
}

function acquiredOf(dataSet: DataSet): string {
  const of = (name: string): string => text(dataSet, name) ?? '';
  const moments = [
    of('AcquisitionDateTime'),
    of('AcquisitionDate') + of('AcquisitionTime'),
    of('ContentDate') + of('ContentTime'),
  ];
  return moments.map(dateTime).find((moment) => moment !== '') ?? '';
}

/** Of DT (PS3.5 6.2), the scanner's local time; empty where it does not reach to the second. */
function dateTime(value: string): string {
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d{1,6}))?/.exec(value) ?? [];
  if (parts.length === 0) return '';
  const [year, month, day, hour, minute, second, fraction = ''] = parts as (string | undefined)[];
  return `${year ?? ''}-${month ?? ''}-${day ?? ''}T${hour ?? ''}:${minute ?? ''}:${second ?? ''}.${fraction.padEnd(6, '0')}`;
}

/** Of an element without a VR that we know, too: text or a number of its length. */
function privateNumber(dataSet: DataSet, tag: number): number | undefined {
  const found = dataSet.get(tag);
  if (found === undefined || found.kind === 'sequence') return undefined;
  const plain = found.kind === 'binary' ? numbers(found, 1)?.[0] : found.values[0];
  if (plain !== undefined) return finite(Number(plain));
  const { bytes } = found as { readonly bytes: Uint8Array };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const words = Buffer.from(bytes).toString('latin1').replaceAll('\0', '').trim();
  if (/^[\d.+-]+(\\|$)/.test(words)) return finite(Number(words.split('\\')[0]));
  if (bytes.length === 8) return finite(view.getFloat64(0, true));
  if (bytes.length === 2) return view.getUint16(0, true);
  return bytes.length === 4 ? finite(view.getFloat32(0, true)) : undefined;
}

/** As the first image's CSA header has it: the values of a tag follow its head of 84 bytes, each after four lengths. */
function mosaicTiles(first: DataSet): number | undefined {
  const csa = first.get(0x00291010);
  if (csa?.kind !== 'binary') return undefined;
  const bytes = Buffer.from(csa.bytes.buffer, csa.bytes.byteOffset, csa.bytes.length);
  const at = bytes.indexOf('NumberOfImagesInMosaic\0', 0, 'latin1');
  if (at === -1 || at + 108 > bytes.length) return undefined;
  const value = Number.parseInt(bytes.toString('latin1', at + 100, at + 108), 10);
  return value > 0 ? value : undefined;
}

const finite = (value: number): number | undefined => (Number.isFinite(value) ? value : undefined);

/** GE adds 1e9 to b-values of some releases. */
function vendorBValue(dataSet: DataSet): number | undefined {
  const tag = Object.values(B_VALUES).find((one) => dataSet.has(one));
  const value = tag === undefined ? undefined : privateNumber(dataSet, tag);
  return value === undefined ? undefined : value % 1_000_000_000;
}
