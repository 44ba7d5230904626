/**
 * Which take of an image goes into the dataset. A take is one series; a reference image (SBRef), another part, or the magnitudes of a
 * field map follow the series to which they belong. Pure.
 */
import { entitiesOf } from '../names.ts';
import type { Decision, PlanOptions } from '../types.ts';
import { baseOf, withEntity, type Chosen } from './choose.ts';

/** What became of a series that rules chose. */
export interface Settled {
  readonly chosen: Chosen;
  readonly decision: Extract<Decision, 'convert' | 'repeat' | 'aborted'>;
  /** To follow in the reason. */
  readonly because: string | undefined;
}

/** Fewer volumes than this part of what another take of the same name has: it was aborted. */
const FAR_FEWER = 0.9;

const timeOf = ({ series }: Chosen): string => series.acquired.from;
const numberOf = ({ series }: Chosen): number => series.seriesNumber ?? 0;
export const inTime = (one: Chosen, other: Chosen): number =>
  timeOf(one) === timeOf(other)
    ? numberOf(one) - numberOf(other) || (one.series.id < other.series.id ? -1 : 1)
    : timeOf(one) < timeOf(other)
      ? -1
      : 1;

export const labelOf = ({ series }: Pick<Chosen, 'series'>): string =>
  series.seriesNumber === undefined ? 'another series' : `series ${series.seriesNumber}`;

/** Names that a series takes, in an order of their own. */
const namesOf = ({ images }: Chosen): string =>
  images
    .map(({ target }) => JSON.stringify([baseOf(target), target.entities['echo'], target.entities['part']]))
    .toSorted()
    .join('\n');

/** Why a series is no whole take, as a sentence's end; undefined where it is whole. */
function brokenOff({ series, rule }: Chosen, most: number): string | undefined {
  const { volumes, plannedVolumes, whole } = series;
  const minimum = rule.minimumVolumes;
  if (minimum !== undefined)
    return volumes < minimum ? `it has ${volumes} volumes, and its rule wants ${minimum}` : undefined;
  if (!whole) return `its last volume lacks slices`;
  if (plannedVolumes !== undefined && volumes < plannedVolumes)
    return `it has ${volumes} of ${plannedVolumes} volumes`;
  return volumes < most * FAR_FEWER ? `it has ${volumes} volumes, another take has ${most}` : undefined;
}

const FOLLOWED: Readonly<Record<string, readonly string[]>> = {
  sbref: ['bold', 'cbv', 'dwi'],
  magnitude1: ['phasediff', 'phase1'],
  magnitude2: ['phasediff', 'phase1'],
  phase2: ['phase1'],
  magnitude: ['fieldmap'],
};

/**
 * The series whose fate this one shares: of a part other than the magnitude, the magnitude nearest in time; of a reference image or a
 * magnitude of a field map, the next one of its kind.
 */
function leaderOf(one: Chosen, all: readonly Chosen[]): Chosen | undefined {
  const image = one.images.find(({ output }) => (output.part ?? 'mag') === 'mag') ?? one.images[0];
  if (image === undefined) return undefined;
  const { target, output } = image;
  const base = baseOf(target);
  if (!['mag', undefined].includes(output.part) && target.entities['part'] !== undefined) {
    const magnitudes = all.filter(
      (other) =>
        other !== one &&
        other.images.some(
          (its) => baseOf(its.target) === base && ['mag', undefined].includes(its.output.part),
        ),
    );
    const before = magnitudes.filter((other) => inTime(other, one) < 0 || timeOf(other) === timeOf(one));
    return before.toSorted(inTime).at(-1) ?? magnitudes.toSorted(inTime)[0];
  }
  for (const suffix of FOLLOWED[target.suffix] ?? []) {
    const wanted = baseOf({ ...target, suffix });
    // all of a field map in one series: nothing to follow
    if (one.images.some((its) => baseOf(its.target) === wanted)) return undefined;
    const leaders = all.filter(
      (other) => other !== one && other.images.some((its) => baseOf(its.target) === wanted),
    );
    const next = leaders.filter((other) => inTime(other, one) > 0).toSorted(inTime)[0];
    if (next !== undefined) return next;
    if (leaders.length > 0 && target.datatype === 'fmap') return leaders.toSorted(inTime).at(-1);
  }
  return undefined;
}

/** Decides of all series of a session. What gets a number of its run has it in its names. */
export function settle(all: readonly Chosen[], { repeats }: Pick<PlanOptions, 'repeats'>): Settled[] {
  const leaders = new Map(all.map((one) => [one, leaderOf(one, all)]));
  const settled = new Map<Chosen, Settled>();
  const leading = all.filter((one) => leaders.get(one) === undefined);
  for (const takes of Map.groupBy(leading, namesOf).values())
    for (const one of settleTakes(takes, repeats)) settled.set(originalOf(one, takes), one);
  const following = all.filter((one) => leaders.get(one) !== undefined);
  let open = [...Map.groupBy(following, namesOf).values()];
  while (open.length > 0) {
    // a phase image follows its magnitude, and a reference image may follow that phase image: leaders first
    const ready = open.filter((takes) =>
      takes.every((one) => {
        const leader = leaders.get(one);
        return leader === undefined || settled.has(leader);
      }),
    );
    const turn = ready.length > 0 ? ready : open;
    for (const takes of turn)
      for (const one of followers(takes, leaders, settled)) settled.set(originalOf(one, takes), one);
    open = open.filter((takes) => !turn.includes(takes));
  }
  return all.flatMap((one) => settled.get(one) ?? []);
}

const originalOf = ({ chosen }: Settled, takes: readonly Chosen[]): Chosen =>
  takes.find(({ series }) => series.id === chosen.series.id) ?? chosen;

/** One that was acquired again is for the runs after it. The earlier one stays for the runs before it. */
const isFieldMap = ({ images }: Chosen): boolean => images.every(({ target }) => target.datatype === 'fmap');

function settleTakes(takes: readonly Chosen[], repeats: PlanOptions['repeats']): Settled[] {
  const most = Math.max(...takes.map(({ series }) => series.volumes));
  const ordered = takes.toSorted(inTime);
  const aborted = new Map(ordered.map((one) => [one, brokenOff(one, most)]));
  const whole = ordered.filter(
    (one) => aborted.get(one) === undefined && sameAcquisition(one, ordered) === undefined,
  );
  const last = whole.at(-1);
  const all = repeats === 'runs' || whole.every(isFieldMap);
  const numbered = ordered.some((one) => one.numbered) || (all && whole.length > 1);
  return ordered.map((one) => {
    const broken = aborted.get(one);
    if (broken !== undefined) return { chosen: one, decision: 'aborted', because: broken };
    const first = sameAcquisition(one, ordered);
    if (first !== undefined)
      return {
        chosen: one,
        decision: 'repeat',
        because: `it is another reconstruction of ${labelOf(first)}, and BIDS has no rec- for its kind of image`,
      };
    if (numbered && canNumber(one))
      return { chosen: withRun(one, whole.indexOf(one) + 1), decision: 'convert', because: undefined };
    if (one === last || last === undefined)
      return {
        chosen: one,
        decision: 'convert',
        because: whole.length > 1 ? `the last of ${whole.length} whole takes` : undefined,
      };
    return { chosen: one, decision: 'repeat', because: `${labelOf(last)} is a later whole take` };
  });
}

/** The first series of the same acquisition, where reconstructions could not get names of their own. */
const sameAcquisition = (one: Chosen, ordered: readonly Chosen[]): Chosen | undefined => {
  const first = ordered.find((other) => timeOf(other) === timeOf(one) && timeOf(one) !== '');
  const typeOf = ({ images }: Chosen): string =>
    images.map(({ output }) => output.imageType.join()).join(';');
  return first === one || first === undefined || typeOf(first) === typeOf(one) ? undefined : first;
};

const canNumber = ({ images }: Chosen): boolean =>
  images.every(
    ({ target }) =>
      target.entities['run'] === undefined &&
      entitiesOf(target.datatype, target.suffix)?.allowed.includes('run') === true,
  );

const withRun = (one: Chosen, run: number): Chosen => ({
  ...one,
  images: one.images.map((image) => ({ ...image, target: withEntity(image.target, 'run', String(run)) })),
});

/** A follower has its leader's fate and number; of several followers of one leader the last counts. */
function followers(
  takes: readonly Chosen[],
  leaders: ReadonlyMap<Chosen, Chosen | undefined>,
  settled: ReadonlyMap<Chosen, Settled>,
): Settled[] {
  const most = Math.max(...takes.map(({ series }) => series.volumes));
  return takes.map((one): Settled => {
    const broken = brokenOff(one, most);
    if (broken !== undefined) return { chosen: one, decision: 'aborted', because: broken };
    const leader = leaders.get(one);
    const fate = leader && settled.get(leader);
    if (leader === undefined || fate === undefined)
      return { chosen: one, decision: 'convert', because: undefined };
    const mates = takes.filter(
      (other) => leaders.get(other) === leader && brokenOff(other, most) === undefined,
    );
    const latest = mates.toSorted(inTime).at(-1);
    if (latest !== undefined && latest !== one)
      return { chosen: one, decision: 'repeat', because: `${labelOf(latest)} is a later one` };
    if (fate.decision !== 'convert')
      return {
        chosen: one,
        decision: 'repeat',
        because: `it belongs to ${labelOf(leader)}, which is ${WORDS[fate.decision]}`,
      };
    const run = fate.chosen.images[0]?.target.entities['run'];
    const own = leader.images[0]?.target.entities['run'];
    const chosen = run !== undefined && own === undefined ? withRun(one, Number(run)) : one;
    return { chosen, decision: 'convert', because: undefined };
  });
}

const WORDS = { repeat: 'no longer the last take', aborted: 'aborted' } as const;
