/** Facts of a stored series: what its headers say, and which outputs dcm2niix would make of it. */
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { items, number, text, texts, type DataSet } from '@scanflow/dicom';
import { absent, readBounded } from '@scanflow/runtime';
import type { Geometry, SeriesFacts } from '@scanflow/bids';
import { groupOf, isUih, readHeads, type FolderHeads, type ImageHead, type Slice } from './headers.ts';
import { convertFolder } from './dcm2niix.ts';
import type { Program, StoredSeries } from './types.ts';

/** The facts, and what checks and provenance need beside them. */
export interface SeriesRead {
  readonly facts: SeriesFacts;
  /** Files to convert, relative to the folder: of an image with versions the last. */
  readonly files: readonly string[];
  readonly sopInstanceUids: readonly string[];
  /** Of all images; undefined where a header does not say. */
  readonly voxels: number | undefined;
  /** Changes when a file or an image is added or taken away. */
  readonly fingerprint: string;
}

export interface FactsOptions {
  readonly storageRoot: string;
  /** An empty or absent folder of ours. */
  readonly aside: string;
  readonly dcm2niix: Program;
}

export async function readFacts(
  series: StoredSeries,
  { storageRoot, aside, dcm2niix }: FactsOptions,
  signal: AbortSignal,
): Promise<SeriesRead> {
  const folder = join(storageRoot, series.folder);
  const heads = await readHeads(folder, signal);
  const images = await lastVersions(folder, heads.images);
  const base = headerFacts(series, images, heads);
  const files = images.map(({ file }) => file);
  const uids = images.map(({ sopInstanceUid }) => sopInstanceUid);
  const rest = {
    files,
    sopInstanceUids: [...uids].sort(),
    voxels: voxelsOf(images),
    fingerprint: createHash('sha256')
      .update(JSON.stringify([files, uids]))
      .digest('hex'),
  };
  const [problem] = heads.broken;
  if (problem !== undefined) {
    const more = heads.broken.length > 1 ? ` and ${heads.broken.length - 1} more` : '';
    const unconvertible = `The file ${problem.file}${more} cannot be read: ${problem.reason}`;
    return { ...rest, facts: { ...base, outputs: [], unconvertible } };
  }
  if (files.length === 0)
    return { ...rest, facts: { ...base, outputs: [], unconvertible: 'The folder has no DICOM image.' } };
  const made = await convertFolder({ source: folder, files, aside, sidecarsOnly: true }, dcm2niix, signal);
  const isGood = made.ok && made.outputs.length > 0;
  return {
    ...rest,
    facts: { ...base, outputs: isGood ? made.outputs : [], unconvertible: isGood ? undefined : made.words },
  };
}

interface RecordEntry {
  readonly file?: unknown;
  readonly increment?: unknown;
  readonly version?: unknown;
}
const RECORD_LIMIT = 512 * 1024 * 1024;

/** Of each SOP Instance UID the last version, by the record of the series; without a record the last by name. */
async function lastVersions(folder: string, images: readonly ImageHead[]): Promise<readonly ImageHead[]> {
  if (new Set(images.map(({ sopInstanceUid }) => sopInstanceUid)).size === images.length) return images;
  const record: unknown = await readBounded(join(folder, 'series.json'), RECORD_LIMIT)
    .then((bytes) => JSON.parse(bytes.toString()) as unknown)
    .catch((error: unknown) => (error instanceof SyntaxError ? undefined : absent(error)));
  const entries = (record as { readonly instances?: readonly RecordEntry[] } | undefined)?.instances ?? [];
  const ages = new Map(
    entries.map(({ file, increment, version }, index) => [
      String(file),
      [Number(increment ?? 0), Number(version ?? 0), index] as const,
    ]),
  );
  const last = new Map<string, ImageHead>();
  for (const image of images) {
    const before = last.get(image.sopInstanceUid);
    if (before === undefined || isLater(ages.get(image.file), ages.get(before.file)))
      last.set(image.sopInstanceUid, image);
  }
  const kept = new Set(last.values());
  return images.filter((image) => kept.has(image));
}

type Age = readonly [increment: number, version: number, index: number];

function isLater(one: Age | undefined, other: Age | undefined): boolean {
  if (one === undefined || other === undefined) return other === undefined;
  const at = one.findIndex((value, index) => value !== other[index]);
  return at === -1 || (one[at] ?? 0) > (other[at] ?? 0);
}

/** All facts but those that dcm2niix gives. Pure. */
function headerFacts(
  { id, folder }: StoredSeries,
  images: readonly ImageHead[],
  { first = new Map() }: FolderHeads,
): Omit<SeriesFacts, 'outputs' | 'unconvertible'> {
  const of = (...names: readonly string[]): string =>
    names.map((name) => text(first, name) ?? '').find((value) => value !== '') ?? '';
  const slices = images.flatMap((image) => image.slices);
  const times = slices.map(({ acquired }) => acquired).filter((moment) => moment !== '');
  const ends = times.reduce(
    ({ from, to }, moment) => ({
      from: from === '' || moment < from ? moment : from,
      to: moment > to ? moment : to,
    }),
    { from: '', to: '' },
  );
  const bValues = new Set(slices.flatMap(({ bValue }) => (bValue === undefined ? [] : Math.round(bValue))));
  return {
    id,
    folder,
    seriesInstanceUid: of('SeriesInstanceUID'),
    studyInstanceUid: of('StudyInstanceUID'),
    accessionNumber: of('AccessionNumber'),
    seriesNumber: number(first, 'SeriesNumber'),
    modality: of('Modality'),
    manufacturer: of('Manufacturer'),
    model: of('ManufacturerModelName'),
    scanner: of('StationName'),
    protocolName: of('ProtocolName'),
    seriesDescription: of('SeriesDescription'),
    sequenceName: of('SequenceName', 'PulseSequenceName'),
    mrAcquisitionType: of('MRAcquisitionType'),
    acquired: ends,
    images: images.length,
    ...countVolumes(slices),
    plannedVolumes: plannedVolumes(first),
    bValues: [...bValues].sort((one, other) => one - other),
    geometry: geometryOf(first, slices),
  };
}

/** Volumes of the group that has most, and whether all have as many, each with all of its slices. Pure. */
export function countVolumes(slices: readonly Slice[]): {
  readonly volumes: number;
  readonly whole: boolean;
} {
  const groups = new Map<string, Map<string, number>>();
  for (const { group, position } of slices) {
    const places = groups.get(group) ?? new Map<string, number>();
    groups.set(group, places);
    const place = JSON.stringify(position ?? null);
    places.set(place, (places.get(place) ?? 0) + 1);
  }
  let [volumes, whole] = [0, true];
  const counts = new Set<number>();
  for (const places of groups.values()) {
    const most = [...places.values()].reduce((one, other) => Math.max(one, other), 0);
    counts.add(most);
    whole &&= [...places.values()].every((count) => count === most);
    volumes = Math.max(volumes, most);
  }
  return { volumes, whole: whole && counts.size <= 1 };
}

/** Of UIH: an item for each slice of a grid. */
const GRID_SLICES = 0x00651051;

/** Rows and columns of one slice: mosaics are square, and grids of UIH have no more rows of tiles than they need. */
function tileSize(
  dataSet: DataSet,
  tiles: number,
): { readonly rows: number; readonly columns: number } | undefined {
  const [rows, columns] = [number(dataSet, 'Rows'), number(dataSet, 'Columns')];
  if (rows === undefined || columns === undefined) return undefined;
  const across = Math.ceil(Math.sqrt(tiles));
  const down = isUih(dataSet) ? Math.ceil(tiles / across) : across;
  return { rows: Math.floor(rows / down), columns: Math.floor(columns / across) };
}

/** Of the first slice of a grid: the image has no position of its own. */
function gridPosition(dataSet: DataSet): number[] {
  const slices = isUih(dataSet) ? dataSet.get(GRID_SLICES) : undefined;
  const [slice] = slices?.kind === 'sequence' ? slices.items : [];
  return slice === undefined ? [] : texts(slice, 'ImagePositionPatient').map(Number);
}

function voxelsOf(images: readonly ImageHead[]): number | undefined {
  let sum = 0;
  for (const { dataSet, slices } of images) {
    for (const { tiles } of slices) {
      const tile = tiles === undefined ? undefined : tileSize(dataSet, tiles);
      if (tiles === undefined || tile === undefined) return undefined;
      sum += tile.rows * tile.columns * tiles;
    }
  }
  return sum;
}

/** CSA series header, and the same protocol in XA's images. */
const PROTOCOLS = [0x00291020, 0x00211019];

function plannedVolumes(first: DataSet): number | undefined {
  const told = number(first, 'NumberOfTemporalPositions');
  if (told !== undefined && told > 0) return told;
  for (const tag of PROTOCOLS) {
    const found = first.get(tag);
    if (found?.kind !== 'binary') continue;
    const repetitions = /^lRepetitions\s*=\s*(\d{1,9})\s*$/m.exec(
      Buffer.from(found.bytes).toString('latin1'),
    )?.[1];
    if (repetitions !== undefined) return Number(repetitions) + 1;
  }
  return undefined;
}

function geometryOf(first: DataSet, slices: readonly Slice[]): Geometry | undefined {
  const [frame = new Map()] = items(first, 'PerFrameFunctionalGroupsSequence');
  const plane = (name: string, group: string): number[] => {
    const own = texts(first, name);
    return (own.length > 0 ? own : texts(groupOf(first, frame, group), name)).map(Number);
  };
  const orientation = plane('ImageOrientationPatient', 'PlaneOrientationSequence');
  const [rowSpacing, columnSpacing] = plane('PixelSpacing', 'PixelMeasuresSequence');
  const tiles = slices[0]?.tiles ?? 1;
  const tile = tileSize(first, tiles);
  if (orientation.length !== 6 || tile === undefined) return undefined;
  if (rowSpacing === undefined || columnSpacing === undefined) return undefined;
  const places = ordered(slices, orientation);
  const thickness =
    plane('SpacingBetweenSlices', 'PixelMeasuresSequence')[0] ??
    plane('SliceThickness', 'PixelMeasuresSequence')[0] ??
    0;
  const measured = gap(places);
  const own = plane('ImagePositionPatient', 'PlanePositionSequence');
  return {
    ...tile,
    slices: tiles > 1 ? tiles : Math.max(places.length, 1),
    spacing: [rowSpacing, columnSpacing, measured ?? thickness],
    orientation,
    position: places[0]?.position ?? (own.length > 0 ? own : gridPosition(first)),
  };
}

interface Place {
  readonly position: readonly number[];
  readonly depth: number;
}

/** Distinct positions along the normal of the slices. */
function ordered(slices: readonly Slice[], orientation: readonly number[]): Place[] {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = orientation;
  const normal = [b * f - c * e, c * d - a * f, a * e - b * d];
  const distinct = new Map(
    slices.flatMap(({ position }) =>
      position?.length === 3 ? [[JSON.stringify(position), position] as const] : [],
    ),
  );
  return [...distinct.values()]
    .map((position) => ({
      position,
      depth: position.reduce((sum, value, index) => sum + value * (normal[index] ?? 0), 0),
    }))
    .sort((one, other) => one.depth - other.depth);
}

function gap(places: readonly Place[]): number | undefined {
  const [one, other] = places;
  if (one === undefined || other === undefined) return undefined;
  return Math.round(Math.abs(other.depth - one.depth) * 1000) / 1000;
}
