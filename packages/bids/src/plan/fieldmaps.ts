/** Which field map corrects which image: same session, matching geometry and shim, nearest in time (BIDS 1.10, fieldmaps). Pure. */
import { pathOf } from '../names.ts';
import type { Geometry, SeriesFacts, Target, PlanOptions } from '../types.ts';
import type { Named } from './choose.ts';

/** An image that goes into the dataset, with its name. */
export interface Placed {
  readonly series: SeriesFacts;
  readonly image: Named;
  readonly path: string;
}

interface FieldMap {
  readonly identifier: string;
  readonly images: readonly Placed[];
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
  const put: Put = (path, key, value) => {
    metadata.set(path, { ...metadata.get(path), [key]: value });
  };
  const maps = mapsOf(placed);
  for (const map of maps.phases) echoTimes(map, put);
  for (const one of placed) calibrations(one, placed, put, notes);
  const none = maps.phases.length === 0 && maps.reversed.length === 0;
  if (how.length === 0 || none) return { metadata, notes };
  const intended = new Map<string, { readonly map: FieldMap; readonly targets: string[] }>();
  for (const one of placed.filter(({ image }) => isCorrected(image.target))) {
    const best = nearest(one, maps);
    if (best === undefined) {
      notes.set(one.path, 'no field map has its geometry and shim');
      continue;
    }
    notes.set(one.path, `its field map is ${best.identifier}`);
    const { targets } = intended.get(best.identifier) ?? { targets: [] };
    intended.set(best.identifier, { map: best, targets: [...targets, one.path] });
    if (how.includes('B0Field')) put(one.path, 'B0FieldSource', best.identifier);
  }
  describeMaps(maps, [...intended.values()], how, { put, notes });
  return { metadata, notes };
}

type Put = (path: string, key: string, value: unknown) => void;

/** What the maps themselves say: which maps belong together, and for which images they are. */
function describeMaps(
  maps: Maps,
  used: readonly { readonly map: FieldMap; readonly targets: readonly string[] }[],
  how: PlanOptions['fieldmaps'],
  { put, notes }: { readonly put: Put; readonly notes: Map<string, string> },
): void {
  const needed = new Set(used.flatMap(({ map }) => map.images));
  // of a kind that corrects nothing, all maps keep their groups; one that others outdo is left out
  const idle = maps.reversed.flatMap((family) =>
    family.some((one) => needed.has(one)) ? [] : family.map((one) => pairOf(one, family)),
  );
  const all = new Map(
    [...used.map(({ map }) => map), ...maps.phases, ...idle].flatMap((map) =>
      map === undefined ? [] : [[map.identifier, map] as const],
    ),
  );
  const placed = new Set([...maps.phases.flatMap(({ images }) => images), ...maps.reversed.flat()]);
  for (const one of placed) {
    const its = [...all.values()]
      .filter(({ images }) => images.includes(one))
      .map(({ identifier }) => identifier);
    if (how.includes('B0Field') && its.length > 0)
      put(one.path, 'B0FieldIdentifier', its.length === 1 ? its[0] : its.toSorted());
    if (its.length === 0) notes.set(one.path, 'no image needs it: other maps are nearer');
    const targets = used.flatMap(({ map, targets: of }) => (map.images.includes(one) ? of : []));
    if (how.includes('IntendedFor') && targets.length > 0)
      put(
        one.path,
        'IntendedFor',
        [...new Set(targets)].sort().map((target) => `bids::${target}.nii.gz`),
      );
  }
}

const isCorrected = ({ datatype, suffix }: Target): boolean => datatype !== 'fmap' && CORRECTED.has(suffix);

interface Maps {
  /** Magnitudes and phases of one acquisition and run. */
  readonly phases: readonly FieldMap[];
  /** Images by spin or gradient echo, of all directions and runs of one kind. Each corrected image has its own choice of them. */
  readonly reversed: readonly (readonly Placed[])[];
}

function mapsOf(placed: readonly Placed[]): Maps {
  const all = placed.filter(({ image: { target } }) => target.datatype === 'fmap' && MAPS.has(target.suffix));
  const isReversed = ({ image }: Placed): boolean => image.target.suffix === 'epi';
  const phases = Map.groupBy(
    all.filter((one) => !isReversed(one)),
    ({ image }) => nameOf(image.target, 'phases', ['dir']),
  );
  const reversed = Map.groupBy(all.filter(isReversed), ({ image }) =>
    nameOf(image.target, 'pepolar', ['dir', 'run']),
  );
  return {
    phases: [...phases].map(([identifier, images]) => ({ identifier, images })),
    reversed: [...reversed.values()],
  };
}

/** A name for images that differ in these entities alone. */
function nameOf({ datatype, entities }: Target, suffix: string, without: readonly string[]): string {
  const rest = Object.fromEntries(Object.entries(entities).filter(([key]) => !without.includes(key)));
  const path = pathOf('x', undefined, { datatype, suffix, entities: rest });
  return (path.split('/').at(-1) ?? path).replace(/^sub-x_/, '').replaceAll(/[^0-9A-Za-z]+/g, '_');
}

/**
 * Of each direction the map nearest in time, of one shim and place. So a direction that was acquired again goes with the other
 * one that was not.
 */
function pairOf(one: Placed, family: readonly Placed[]): FieldMap | undefined {
  const fit = family.filter((map) => fits(one, map, true)).toSorted(byNearness(one));
  const [anchor] = fit;
  if (anchor === undefined) return undefined;
  const pair = new Map<string | undefined, Placed>();
  for (const map of fit) {
    const { dir } = map.image.target.entities;
    if (!pair.has(dir) && fits(anchor, map, true)) pair.set(dir, map);
  }
  const images = [...pair.values()];
  const runs = new Set(images.map(({ image }) => image.target.entities['run']));
  const named = anchor.image.target;
  if (runs.size === 1) return { identifier: nameOf(named, 'pepolar', ['dir']), images };
  const members = images
    .map(({ image: { target } }) => `${target.entities['dir'] ?? ''}${target.entities['run'] ?? '1'}`)
    .toSorted();
  return { identifier: `${nameOf(named, 'pepolar', ['dir', 'run'])}_${members.join('_')}`, images };
}

/** A phase difference needs both echo times (BIDS 1.10, EchoTime1). Where dcm2niix does not say them, its magnitudes do. */
function echoTimes({ images }: FieldMap, put: Put): void {
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
  put: Put,
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

function nearest(one: Placed, { phases, reversed }: Maps): FieldMap | undefined {
  const fit = [
    ...phases.filter((map) => map.images.every((image) => fits(one, image, false))),
    ...reversed.flatMap((family) => pairOf(one, family) ?? []),
  ];
  const order = byNearness(one);
  const nearestOf = ({ images }: FieldMap): Placed | undefined => images.toSorted(order)[0];
  return fit.toSorted((a, b) => {
    const [mine, other] = [nearestOf(a), nearestOf(b)];
    return mine === undefined || other === undefined ? 0 : order(mine, other);
  })[0];
}

/** Of two that are as near, the earlier one: a map is usually made before what it corrects. */
const byNearness =
  (one: Placed) =>
  (a: Placed, b: Placed): number => {
    const away = (map: Placed): number => between(one.series.acquired.from, map.series.acquired.from);
    return (
      away(a) - away(b) || order(a.series.acquired.from, b.series.acquired.from) || order(a.path, b.path)
    );
  };

const order = (one: string, other: string): number => (one === other ? 0 : one < other ? -1 : 1);

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
