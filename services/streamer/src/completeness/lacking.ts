/**
 * Warnings: whether images of a series are missing, as the images themselves say. That may be wrong: where an export could be meant
 * so, nothing is said (docs/operations.md has the table). Pure.
 */
import type { Doubt, Warning } from '../model/series.ts';
import { type ImageCounts, petLacking } from './counts.ts';

const INCOMPLETE = 'SERIES_INCOMPLETE';

/** Of the images in the record of a series. */
export function warningsOf(instances: readonly CountedImage[]): Warning[] {
  const lacking = lackingIn(instances);
  return lacking.length === 0 ? [] : [{ code: INCOMPLETE, message: sentence(lacking) }];
}

const sentence = (lacking: readonly string[]): string =>
  `Images seem to be missing: ${lacking.join('; ')}. Look at the scanner, and send the series again: what is there already does no harm.`;

/** What people see. What the scanner reported (MPPS) counts, and not what its images say. */
export function shownWarnings({
  warnings = [],
  doubts = [],
  expected,
}: {
  readonly warnings?: readonly Warning[];
  readonly doubts?: readonly Doubt[];
  readonly expected: number | undefined;
}): Warning[] {
  const again = doubts.filter(({ kind }) => kind === 'labels');
  return [
    ...warnings.filter(({ code }) => code !== INCOMPLETE || expected === undefined),
    ...again.map(({ message }) => ({ code: 'LABELS_AGAIN', message })),
  ];
}

interface CountedImage {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly differsFrom?: string;
  readonly counts?: ImageCounts;
}

/** Sentences for people; none where nothing is known to be missing. */
export function lackingIn(all: readonly CountedImage[]): string[] {
  const images = all.filter(({ differsFrom }) => differsFrom === undefined);
  const counts = images.map((image) => image.counts ?? {});
  const slices = images.every(({ sopClassUid }) => SLICES.has(sopClassUid));
  return [
    ...(slices && counts.length > 0 ? (RULES.map((rule) => rule(counts)).find(isSaid) ?? []) : []),
    ...concatenated(counts),
    ...frames(counts),
  ];
}

/** One slice, or one mosaic, an instance: MR, CT and PET Image Storage (PS3.4 B.5). Others are counted in other ways. */
const SLICES: ReadonlySet<string> = new Set([
  '1.2.840.10008.5.1.4.1.1.2',
  '1.2.840.10008.5.1.4.1.1.4',
  '1.2.840.10008.5.1.4.1.1.128',
]);

type Counts = readonly ImageCounts[];

const only = <T>(values: readonly T[]): T | undefined => (new Set(values).size === 1 ? values[0] : undefined);

const numbersOf = (counts: Counts): number[] | undefined => {
  const numbers = counts.flatMap(({ number }) => number ?? []);
  return numbers.length < counts.length ? undefined : [...new Set(numbers)].sort((a, b) => a - b);
};

/** Distances between numbers that follow each other. */
const steps = (numbers: readonly number[]): number[] =>
  numbers.slice(1).map((number, index) => number - (numbers[index] ?? number));

/** ImagesInAcquisition: the same in all images, none of them derived; an acquisition may be split into several series. */
function announced(counts: Counts): string[] | undefined {
  if (counts.some(({ kind }) => kind !== undefined)) return undefined;
  const images = only(counts.map((one) => one.images));
  if (images === undefined || images <= counts.length) return ofAcquisitions(counts, images);
  if (isSplit(counts)) return undefined;
  return [`the images say that the acquisition has ${images} images (0020,1002), and ${counts.length} came`];
}

/** Every second number, or every third: the others are in another series. */
function isSplit(counts: Counts): boolean {
  const step = only(steps(numbersOf(counts) ?? []));
  return step !== undefined && step > 1;
}

/** Several acquisitions in one series; some scanners repeat the number of all images in each, so one has to be whole. */
function ofAcquisitions(counts: Counts, same: number | undefined): string[] | undefined {
  const groups = [...Map.groupBy(counts, ({ acquisition }) => acquisition)].map(([acquisition, group]) => ({
    acquisition,
    group,
    images: only(group.map((one) => one.images)) ?? 0,
  }));
  if (groups.length < 2 || groups.some(({ images, group }) => images < group.length)) return undefined;
  if (same !== undefined && groups.every(({ images, group }) => images > group.length)) return undefined;
  const short = groups.filter(({ images, group }) => images > group.length && !isSplit(group));
  const of = short.map(
    ({ acquisition, group, images }) => `${group.length} of ${images} of acquisition ${acquisition ?? '?'}`,
  );
  return short.length === 0
    ? undefined
    : [`the images say how many each acquisition has (0020,1002), and ${listed(of)} came`];
}

/** As many images as are announced, so a hole in their numbers tells nothing. */
function isWhole(counts: Counts): boolean {
  if (only(counts.map((one) => one.images)) === counts.length) return true;
  const groups = [...Map.groupBy(counts, ({ acquisition }) => acquisition).values()];
  return groups.every((group) => only(group.map((one) => one.images)) === group.length);
}

const MOST_NAMED = 5;

const listed = (all: readonly string[]): string =>
  all.slice(0, MOST_NAMED).join(', ') + (all.length > MOST_NAMED ? ' …' : '');

/** Each position in the patient has an image for each temporal position, unless the series has one of them alone. */
function temporal(counts: Counts): string[] | undefined {
  const temporals = only(counts.map((one) => one.temporals));
  if (
    temporals === undefined ||
    counts.some(({ kind, position }) => kind !== undefined || position === undefined)
  )
    return undefined;
  const identifiers = new Set(counts.map((one) => one.temporal));
  if (identifiers.size === 1 && !identifiers.has(undefined)) return undefined;
  const positions = new Set(counts.map(({ position }) => position)).size;
  const expected = temporals * positions;
  if (expected <= counts.length) return undefined;
  return [
    `the images say ${temporals} temporal positions (0020,0105) of ${positions} slices, that is ${expected} images, and ${counts.length} came`,
  ];
}

/** Each slice has an image for each phase of the heartbeat, where one slice has several of them. */
function cardiac(counts: Counts): string[] | undefined {
  const phases = only(counts.map((one) => one.phases));
  if (
    phases === undefined ||
    counts.some(({ kind, position }) => kind !== undefined || position === undefined)
  )
    return undefined;
  const slices = [...Map.groupBy(counts, ({ position }) => position).values()];
  const several = slices.some((slice) => new Set(slice.map(({ trigger }) => trigger)).size > 1);
  const expected = phases * slices.length;
  if (!several || expected <= counts.length) return undefined;
  return [
    `the images say ${phases} phases of the heart (0018,1090) of ${slices.length} slices, that is ${expected} images, and ${counts.length} came`,
  ];
}

const pet = (counts: Counts): string[] | undefined =>
  counts.some(({ kind }) => kind !== undefined) ? undefined : petLacking(counts.map((one) => one.pet));

/** Fewer numbers in a row tell nothing. */
const FEWEST = 3;

/** InstanceNumber: a hole in numbers that otherwise follow each other; where they begin tells nothing. */
function gaps(counts: Counts): string[] | undefined {
  if (isWhole(counts) || counts.some(({ kind }) => kind === 'derived' || kind === 'localizer'))
    return undefined;
  const numbers = numbersOf(counts);
  const [first] = numbers ?? [];
  const last = numbers?.at(-1);
  if (numbers === undefined || first === undefined || last === undefined || numbers.length < FEWEST)
    return undefined;
  const lacking = last - first + 1 - numbers.length;
  // half of them or more: they are numbered in another way
  if (lacking === 0 || lacking >= numbers.length || isPattern(numbers)) return undefined;
  const holes = runsOf(numbers).map(({ from, length }) => [from, from + length - 1] as const);
  const missing = holes.slice(1).map(([from], index) => span((holes[index]?.[1] ?? 0) + 1, from - 1));
  return [`instance numbers ${listed(missing)} are missing between ${first} and ${last}, ${lacking} in all`];
}

const span = (from: number, to: number): string => (from === to ? String(from) : `${from}–${to}`);

interface Run {
  readonly from: number;
  readonly length: number;
}

function runsOf(numbers: readonly number[]): Run[] {
  const runs: Run[] = [];
  for (const number of numbers) {
    const run = runs.at(-1);
    if (run !== undefined && run.from + run.length === number)
      runs[runs.length - 1] = { ...run, length: run.length + 1 };
    else runs.push({ from: number, length: 1 });
  }
  return runs;
}

/** Every second number, or two of every three: the others are in another series. The last run may be shorter. */
function isPattern(numbers: readonly number[]): boolean {
  const runs = runsOf(numbers);
  const [first] = runs;
  if (first === undefined || runs.length < FEWEST) return false;
  const last = runs.at(-1);
  return (
    only(steps(runs.map(({ from }) => from))) !== undefined &&
    runs.slice(0, -1).every(({ length }) => length === first.length) &&
    (last?.length ?? 0) <= first.length
  );
}

/** Where the number of all parts is not said, a hole in the numbers of those that came. */
function concatenated(counts: Counts): string[] {
  const parts = Map.groupBy(
    counts.flatMap(({ concatenation }) => concatenation ?? []),
    ({ uid }) => uid,
  );
  return [...parts.values()].flatMap((group) => {
    const there = new Set(group.map(({ part }) => part)).size;
    const all = Math.max(...group.map((one) => one.parts ?? 0));
    const last = Math.max(...group.map(({ part }) => part));
    if (there >= Math.max(all, last)) return [];
    return all > 0
      ? [`a concatenation has ${all} parts (0020,9163), and ${there} came`]
      : [`a concatenation has ${last} parts or more (0020,9162), and ${there} came`];
  });
}

/** The most telling first; the first that has something to say counts. */
const RULES = [announced, temporal, pet, cardiac, gaps];
const isSaid = (said: string[] | undefined): said is string[] => said !== undefined;

function frames(counts: Counts): string[] {
  const short = counts.filter(({ lackingFrames = 0 }) => lackingFrames > 0);
  const lacking = short.reduce((sum, { lackingFrames = 0 }) => sum + lackingFrames, 0);
  return short.length === 0
    ? []
    : [
        `${short.length} images announce more frames (0028,0008) than they hold; ${lacking} frames are missing`,
      ];
}
