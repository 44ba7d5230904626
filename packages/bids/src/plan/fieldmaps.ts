/** Which field map corrects which image: same session, matching geometry and shim, nearest in time (BIDS 1.10, fieldmaps). Pure. */
import { pathOf } from '../names.ts';
import type { Geometry, SeriesFacts, Target } from '../types.ts';
import type { Named } from './choose.ts';
import type { PlanOptions } from './options.ts';

/** An image that goes into the dataset, with its name. */
export interface Placed {
  readonly series: SeriesFacts;
  readonly image: Named;
  readonly path: string;
}

interface FieldMap {
  readonly identifier: string;
  readonly images: readonly Placed[];
  readonly reversed: boolean;
}

const CORRECTED: ReadonlySet<string> = new Set(['bold', 'cbv', 'sbref', 'dwi', 'asl']);
const MAPS: ReadonlySet<string> = new Set(
  ['phasediff', 'phase1', 'phase2', 'fieldmap'].concat(['magnitude', 'magnitude1', 'magnitude2', 'epi']),
);

export interface Corrections {
  /** By the path of an image: what its sidecar says of field maps. */
  readonly metadata: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  /** By the path of an image: the field map that corrects it, or why none does; to follow in a reason. */
  readonly notes: ReadonlyMap<string, string>;
}

/** @param placed all images that go into the dataset */
export function corrections(
  placed: readonly Placed[],
  { fieldmaps: how }: Pick<PlanOptions, 'fieldmaps'>,
): Corrections {
  const metadata = new Map<string, Record<string, unknown>>();
  const notes = new Map<string, string>();
  const put = (path: string, key: string, value: unknown): void => {
    metadata.set(path, { ...metadata.get(path), [key]: value });
  };
  const maps = mapsOf(placed);
  for (const map of maps) echoTimes(map, put);
  for (const one of placed) calibrations(one, placed, put, notes);
  if (how.length === 0 || maps.length === 0) return { metadata, notes };
  const intended = new Map<FieldMap, string[]>();
  for (const one of placed.filter(({ image }) => isCorrected(image.target))) {
    const best = nearest(one, maps);
    if (best === undefined) {
      notes.set(one.path, 'no field map has its geometry and shim');
      continue;
    }
    notes.set(one.path, `its field map is ${best.identifier}`);
    intended.set(best, [...(intended.get(best) ?? []), one.path]);
    if (how.includes('B0Field')) put(one.path, 'B0FieldSource', best.identifier);
  }
  for (const map of maps)
    for (const { path } of map.images) {
      if (how.includes('B0Field')) put(path, 'B0FieldIdentifier', map.identifier);
      const targets = intended.get(map) ?? [];
      if (how.includes('IntendedFor') && targets.length > 0)
        put(
          path,
          'IntendedFor',
          targets.toSorted().map((target) => `bids::${target}.nii.gz`),
        );
    }
  return { metadata, notes };
}

const isCorrected = ({ datatype, suffix }: Target): boolean => datatype !== 'fmap' && CORRECTED.has(suffix);

/** Images of one map: those of one acquisition and run; reversed phase encodings together. */
function mapsOf(placed: readonly Placed[]): FieldMap[] {
  const all = placed.filter(({ image: { target } }) => target.datatype === 'fmap' && MAPS.has(target.suffix));
  const groups = Map.groupBy(all, ({ image: { target } }) => {
    const { dir: _dir, ...rest } = target.entities;
    return pathOf('x', undefined, {
      ...target,
      entities: rest,
      suffix: target.suffix === 'epi' ? 'pepolar' : 'phases',
    });
  });
  return [...groups].map(([key, images]) => ({
    identifier: (key.split('/').at(-1) ?? key).replace(/^sub-x_/, '').replaceAll(/[^0-9A-Za-z]+/g, '_'),
    images,
    reversed: images.some(({ image }) => image.target.suffix === 'epi'),
  }));
}

/** A phase difference needs both echo times (BIDS 1.10, EchoTime1). Where dcm2niix does not say them, its magnitudes do. */
function echoTimes({ images }: FieldMap, put: (path: string, key: string, value: unknown) => void): void {
  const timeOf = (suffix: string): number | undefined =>
    images.find(({ image }) => image.target.suffix === suffix)?.image.output.echoTime;
  for (const { image, path } of images)
    for (const number of ['1', '2']) {
      const time = timeOf(`magnitude${number}`);
      const key = `EchoTime${number}`;
      const isSaid = image.output.sidecar[key] !== undefined || image.metadata[key] !== undefined;
      if (image.target.suffix === 'phasediff' && !isSaid && time !== undefined) put(path, key, time);
    }
}

/** An M0 scan says for which ASL series it is (BIDS 1.10, IntendedFor of m0scan): the nearest in time. */
function calibrations(
  { image, series, path }: Placed,
  placed: readonly Placed[],
  put: (path: string, key: string, value: unknown) => void,
  notes: Map<string, string>,
): void {
  if (image.target.datatype !== 'perf' || image.target.suffix !== 'm0scan') return;
  const away = (one: Placed): number => between(one.series.acquired.from, series.acquired.from);
  const [asl] = placed
    .filter((one) => one.image.target.suffix === 'asl')
    .toSorted((a, b) => away(a) - away(b) || (a.path < b.path ? -1 : 1));
  if (asl === undefined) notes.set(path, 'no ASL series of this session is in the dataset');
  else put(path, 'IntendedFor', [`bids::${asl.path}.nii.gz`]);
}

function nearest(one: Placed, maps: readonly FieldMap[]): FieldMap | undefined {
  const fit = maps.filter((map) => map.images.every((image) => fits(one, image, map.reversed)));
  const away = (map: FieldMap): number =>
    Math.min(...map.images.map((image) => between(one.series.acquired.from, image.series.acquired.from)));
  // of two that are as near, the earlier one: a map is usually made before what it corrects
  const began = (map: FieldMap): string =>
    map.images.map(({ series }) => series.acquired.from).toSorted()[0] ?? '';
  return fit.toSorted((a, b) => away(a) - away(b) || (began(a) < began(b) ? -1 : 1))[0];
}

function fits(one: Placed, map: Placed, reversed: boolean): boolean {
  const [mine, its] = [one.image.output.shim, map.image.output.shim];
  const sameShim = mine === undefined || its === undefined || same(mine, its, 0.5);
  const [geometry, other] = [one.series.geometry, map.series.geometry];
  if (geometry === undefined || other === undefined) return sameShim;
  return sameShim && (reversed ? isSamePlace(geometry, other) : isNear(other, geometry));
}

const same = (one: readonly number[], other: readonly number[], within: number): boolean =>
  one.length === other.length && one.every((value, index) => Math.abs(value - (other[index] ?? 0)) <= within);

/** Reversed phase encodings are compared voxel by voxel. */
const isSamePlace = (one: Geometry, other: Geometry): boolean =>
  one.rows === other.rows &&
  one.columns === other.columns &&
  one.slices === other.slices &&
  same(one.spacing, other.spacing, 0.01) &&
  same(one.orientation, other.orientation, 0.001) &&
  same(one.position, other.position, 1);

/** Software resamples a map in Hz or of phases: it has to be of the same part of the body, not of the same voxels. */
function isNear(map: Geometry, image: Geometry): boolean {
  const to = centreOf(image);
  return Math.hypot(...centreOf(map).map((value, axis) => value - (to[axis] ?? 0))) <= NEAR_MM;
}
const NEAR_MM = 100;

function centreOf({ position, orientation, rows, columns, slices, spacing }: Geometry): number[] {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = orientation;
  const normal = [b * f - c * e, c * d - a * f, a * e - b * d];
  const [row, column, slice] = spacing;
  return [0, 1, 2].map(
    (axis) =>
      (position[axis] ?? 0) +
      ((columns - 1) / 2) * column * (orientation[axis] ?? 0) +
      ((rows - 1) / 2) * row * (orientation[axis + 3] ?? 0) +
      ((slices - 1) / 2) * slice * (normal[axis] ?? 0),
  );
}

/** Seconds between two local times; very far where one is unknown. */
function between(one: string, other: string): number {
  const [from, to] = [secondsOf(one), secondsOf(other)];
  return from === undefined || to === undefined ? Number.MAX_SAFE_INTEGER : Math.abs(from - to);
}

const LOCAL = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d(?:\.\d+)?)$/;

/** Enough to compare times of one session: months count as 31 days. */
function secondsOf(time: string): number | undefined {
  const found = LOCAL.exec(time)?.slice(1).map(Number);
  if (found === undefined) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found;
  return ((((year * 12 + month) * 31 + day) * 24 + hour) * 60 + minute) * 60 + second;
}
