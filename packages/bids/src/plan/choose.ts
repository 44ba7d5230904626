/** What the rules make of each series: names, before takes, echoes and parts are distinguished. Pure. */
import { entitiesOf } from '../names.ts';
import type { AslContext, Outcome, Rule, RuleSet } from '../rules/types.ts';
import type { Output, SeriesFacts, SessionFacts, Target } from '../types.ts';

/** An image that a rule names. */
export interface Named {
  readonly output: Output;
  /** With `echo` and `part` where other images need them. */
  readonly target: Target;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly aslContext: AslContext | undefined;
}

/** A series that goes into the dataset, unless another take of it does. */
export interface Chosen {
  readonly kind: 'chosen';
  readonly series: SeriesFacts;
  readonly rule: Rule;
  readonly numbered: boolean;
  readonly note: string | undefined;
  readonly images: readonly Named[];
}

/** A series that stays in the source data. */
export interface Left {
  readonly kind: 'left';
  readonly series: SeriesFacts;
  readonly decision: 'ignore' | 'derivative' | 'unknown' | 'unreadable';
  readonly reason: string;
  readonly rule: string | undefined;
}

interface Ruled {
  readonly output: Output | undefined;
  readonly rule: Rule;
  readonly outcome: Outcome;
}

function ruled(
  session: SessionFacts,
  series: SeriesFacts,
  output: Output | undefined,
  rules: RuleSet,
): Ruled | undefined {
  for (const rule of rules) {
    const outcome = rule.apply({ session, series, output });
    if (outcome !== undefined) return { output, rule, outcome };
  }
  return undefined;
}

export function choose(session: SessionFacts, series: SeriesFacts, rules: RuleSet): Chosen | Left {
  if (series.outputs.length === 0) return leftBare(series, ruled(session, series, undefined, rules));
  const taken = series.outputs.flatMap((output) => ruled(session, series, output, rules) ?? []);
  const [first] = taken;
  if (first === undefined) return leave(series, 'unknown', 'no rule takes it');
  if (taken.some(({ outcome }) => lacksContext(outcome)))
    return leave(
      series,
      'unknown',
      'asl needs a rule with aslContext: no header says which volume is label',
      first.rule.at,
    );
  const incomplete = taken.find(({ outcome }) => outcome.kind === 'incomplete');
  if (incomplete?.outcome.kind === 'incomplete')
    return leave(series, 'unknown', incomplete.outcome.problem, incomplete.rule.at);
  const images = taken.flatMap((one) => namedBy(one));
  if (images.length === 0) return leftByRule(series, first);
  const all = series.outputs.length;
  if (taken.length < all) {
    const some = `a rule names ${images.length} of its ${all} images, and no rule takes the others`;
    return leave(series, 'unknown', some, first.rule.at);
  }
  const lacking = [
    ...new Set(images.flatMap(({ target, output, metadata }) => missingMetadata(target, output, metadata))),
  ];
  if (lacking.length > 0)
    return leave(
      series,
      'unknown',
      `BIDS requires ${lacking.join(', ')} of it, and no header says that; a rule with metadata says it`,
      first.rule.at,
    );
  const main = taken.find(({ outcome }) => outcome.kind === 'target') ?? first;
  const { note, numbered = false } = main.outcome.kind === 'target' ? main.outcome : {};
  return { kind: 'chosen', series, rule: main.rule, numbered, note, images: withEchoes(images) };
}

export const leave = (
  series: SeriesFacts,
  decision: Left['decision'],
  reason: string,
  rule?: string,
): Left => ({
  kind: 'left',
  series,
  decision,
  reason,
  rule,
});

/** BIDS requires `…_aslcontext.tsv`. */
const lacksContext = (outcome: Outcome): boolean =>
  outcome.kind === 'target' && outcome.target.suffix === 'asl' && outcome.aslContext === undefined;

/** A rule may know what a series is of which dcm2niix makes nothing. */
function leftBare(series: SeriesFacts, bare: Ruled | undefined): Left {
  if (bare?.outcome.kind === 'ignore' || bare?.outcome.kind === 'derivative')
    return leave(series, bare.outcome.kind, bare.outcome.reason, bare.rule.at);
  return leave(series, 'unreadable', series.unconvertible ?? 'dcm2niix makes no image of it');
}

const leftByRule = (series: SeriesFacts, { outcome, rule }: Ruled): Left =>
  outcome.kind === 'ignore' || outcome.kind === 'derivative'
    ? leave(series, outcome.kind, outcome.reason, rule.at)
    : leave(series, 'unknown', 'no rule takes it');

const namedBy = ({ output, outcome }: Ruled): Named[] => {
  if (outcome.kind !== 'target' || output === undefined) return [];
  const { target, metadata, aslContext } = outcome;
  return [{ output, target, metadata, aslContext }];
};

/** Two images with one base name differ in echo or part alone. */
export const baseOf = ({ datatype, suffix, entities }: Target): string => {
  const { echo: _echo, part: _part, ...rest } = entities;
  return JSON.stringify([datatype, suffix, Object.entries(rest).toSorted(([a], [b]) => (a < b ? -1 : 1))]);
};

export const withEntity = (target: Target, key: string, value: string): Target =>
  entitiesOf(target.datatype, target.suffix)?.allowed.includes(key) === true
    ? { ...target, entities: { ...target.entities, [key]: value } }
    : target;

/** `echo-` where a series has several echoes under one name, or where the suffix needs it. */
function withEchoes(images: readonly Named[]): Named[] {
  const echoes = Map.groupBy(images, ({ target }) => baseOf(target));
  return images.map((image) => {
    const { target, output } = image;
    const { echo } = output;
    if (echo === undefined || target.entities['echo'] !== undefined) return image;
    const several = new Set(echoes.get(baseOf(target))?.map((one) => one.output.echo)).size > 1;
    const needed = entitiesOf(target.datatype, target.suffix)?.required.includes('echo') === true;
    return several || needed ? { ...image, target: withEntity(target, 'echo', String(echo)) } : image;
  });
}

/** `part-` where a session has magnitude and another part under one name. */
export function withParts(all: readonly Chosen[]): Chosen[] {
  const parts = Map.groupBy(
    all.flatMap(({ images }) => images),
    ({ target }) => baseOf(target),
  );
  return all.map((chosen) => ({
    ...chosen,
    images: chosen.images.map((image) => {
      const there = new Set(parts.get(baseOf(image.target))?.map(({ output }) => output.part ?? 'mag'));
      const part = image.output.part ?? 'mag';
      if (image.target.entities['part'] !== undefined || (there.size < 2 && part === 'mag')) return image;
      return { ...image, target: withEntity(image.target, 'part', part) };
    }),
  }));
}

/** Values of Image Type that tell reconstructions of one acquisition apart; Siemens stores each as a series. */
const RECONSTRUCTIONS: ReadonlySet<string> = new Set(
  ['NORM', 'ND', 'DIS2D', 'DIS3D', 'FM', 'FIL', 'SH', 'SM'].concat(['FILTERED', 'UNFILTERED']),
);

const reconstructionOf = ({ imageType }: Output): string[] =>
  imageType.map((value) => value.toUpperCase()).filter((value) => RECONSTRUCTIONS.has(value));

/**
 * Series of one protocol that began at the same moment, and that only their reconstruction distinguishes: no repeats. Each gets `rec-` of
 * what it has beside the others, such as `rec-norm`; one that has nothing beside them keeps the plain name.
 */
export function withReconstructions(all: readonly Chosen[]): Chosen[] {
  const pairs = all.flatMap((chosen) => chosen.images.map((image) => ({ chosen, image })));
  const groups = Map.groupBy(pairs, ({ chosen: { series }, image: { target, output } }) =>
    JSON.stringify([
      ...[baseOf(target), target.entities['echo'], output.part ?? 'mag'],
      ...[series.protocolName, series.acquired.from],
    ]),
  );
  const labels = new Map<Named, string>();
  for (const group of groups.values()) {
    const kinds = group.map(({ image }) => reconstructionOf(image.output));
    const isDifferent = new Set(kinds.map((kind) => kind.join())).size === group.length;
    const hasTime = group.every(({ chosen }) => chosen.series.acquired.from !== '');
    if (group.length < 2 || !isDifferent || !hasTime) continue;
    const shared = (kinds[0] ?? []).filter((value) => kinds.every((kind) => kind.includes(value)));
    for (const [index, { image }] of group.entries()) {
      const own = (kinds[index] ?? []).filter((value) => !shared.includes(value));
      if (image.target.entities['rec'] === undefined) labels.set(image, own.join('').toLowerCase());
    }
  }
  return all.map((chosen) => ({
    ...chosen,
    images: chosen.images.map((image) => {
      const label = labels.get(image) ?? '';
      return label === '' ? image : { ...image, target: withEntity(image.target, 'rec', label) };
    }),
  }));
}

// What BIDS 1.10 requires in sidecars of ASL and PET, and no scanner's header says in full. Without it a session would be invalid.

type Values = Readonly<Record<string, unknown>>;

const ASL = [
  ...[
    'ArterialSpinLabelingType',
    'PostLabelingDelay',
    'BackgroundSuppression',
    'M0Type',
    'TotalAcquiredPairs',
  ],
  ...['RepetitionTimePreparation', 'MagneticFieldStrength', 'MRAcquisitionType'],
];
const PET = [
  ...['Manufacturer', 'ManufacturersModelName', 'Units', 'TracerName', 'TracerRadionuclide'],
  ...['ModeOfAdministration', 'InjectedRadioactivity', 'InjectedRadioactivityUnits', 'InjectedMass'],
  ...['InjectedMassUnits', 'SpecificRadioactivity', 'SpecificRadioactivityUnits', 'TimeZero', 'ScanStart'],
  ...['InjectionStart', 'FrameTimesStart', 'FrameDuration', 'AcquisitionMode', 'ImageDecayCorrected'],
  ...['ImageDecayCorrectionTime', 'ReconMethodName', 'ReconMethodParameterLabels', 'ReconFilterType'],
  ...['ReconMethodParameterUnits', 'ReconMethodParameterValues', 'AttenuationCorrection'],
];

function requiredOf({ datatype, suffix }: Target, values: Values): readonly string[] {
  if (datatype === 'pet') return PET;
  if (datatype !== 'perf') return [];
  if (suffix === 'm0scan') return ['EchoTime', 'RepetitionTimePreparation'];
  if (values['ArterialSpinLabelingType'] === 'PASL') return [...ASL, 'BolusCutOffFlag'];
  return [...ASL, 'LabelingDuration'];
}

/** @param metadata what the rule says, over what dcm2niix says */
function missingMetadata(target: Target, { sidecar }: Pick<Output, 'sidecar'>, metadata: Values): string[] {
  const values = { ...sidecar, ...metadata };
  return requiredOf(target, values).filter((key) => values[key] === undefined);
}
