/** The plan of a session: one decision for each series, with a reason, and a path for each image that goes into the dataset. Pure. */
import { bidsLabel, pathOf } from '../names.ts';
import type { RuleSet } from '../rules/types.ts';
import { suggestionFor } from '../suggest.ts';
import {
  type Conflict,
  type Plan,
  type PlannedOutput,
  type PlannedSeries,
  type SeriesFacts,
  type SessionFacts,
  PLAN_OPTIONS,
  type PlanOptions,
} from '../types.ts';
import {
  choose,
  leave,
  withParts,
  withReconstructions,
  type Chosen,
  type Left,
  type Named,
} from './choose.ts';
import { corrections, type Corrections, type Placed } from './fieldmaps.ts';
import { inTime, labelOf, settle, type Settled } from './takes.ts';

/** Never throws for what the facts say. The same facts, rules and options give the same plan. */
export function planSession(asked: SessionFacts, rules: RuleSet, options: Partial<PlanOptions> = {}): Plan {
  // decided in one order, whichever the caller has: nothing depends on it, no word of a reason either
  const session = { ...asked, series: asked.series.toSorted((one, other) => (one.id < other.id ? -1 : 1)) };
  const settings = { ...PLAN_OPTIONS, ...options };
  const labels = {
    subject: bidsLabel(session.subject, 'sub'),
    session: session.session === undefined ? undefined : bidsLabel(session.session, 'ses'),
  };
  const decided = session.series.map((series) => choose(session, series, rules));
  const chosen = withReconstructions(withParts(decided.filter((one) => one.kind === 'chosen')));
  const different = differentSeries(chosen);
  const disputed = new Set(different.flatMap(({ series }) => series));
  const all = settle(
    chosen.filter(({ series }) => !disputed.has(series.id)),
    settings,
  );
  const idle = calibrationsOfNothing(all);
  const settled = all.filter((one) => !idle.includes(one));
  const byId = new Map<string, Left | Settled>([
    ...decided.flatMap((one) => (one.kind === 'left' ? [[one.series.id, one] as const] : [])),
    ...settled.map((one) => [one.chosen.series.id, one] as const),
    ...idle.map(
      ({ chosen: { series, rule } }) => [series.id, leave(series, 'unknown', NO_ASL, rule.at)] as const,
    ),
  ]);
  const name = (image: Named): string => pathOf(labels.subject, labels.session, image.target);
  const doubles = [...different, ...sameNames(settled, name)];
  const placed = placedOf(settled, new Set(doubles.flatMap(({ series }) => series)), name);
  const fields = corrections(placed, settings);
  const series = asked.series.map((one) =>
    planned(one, byId.get(one.id), { name, fields, disputed: conflictOf(doubles, one.id) }),
  );
  const conflicts = [...labelConflicts(session, labels), ...doubles];
  return { project: session.project, ...labels, accessionNumber: session.accessionNumber, series, conflicts };
}

const NO_ASL =
  'an M0 scan names its ASL series (IntendedFor), and no ASL series of this session is in the dataset';

/** BIDS requires of an M0 scan that it names an ASL series. */
function calibrationsOfNothing(settled: readonly Settled[]): Settled[] {
  const has = (one: Settled, suffix: string): boolean =>
    one.decision === 'convert' &&
    one.chosen.images.some(({ target }) => target.datatype === 'perf' && target.suffix === suffix);
  return settled.some((one) => has(one, 'asl')) ? [] : settled.filter((one) => has(one, 'm0scan'));
}

const conflictOf = (conflicts: readonly Conflict[], id: string): Conflict | undefined =>
  conflicts.find(({ series }) => series.includes(id));

/** Nothing can be named where BIDS leaves nothing of a label. */
function labelConflicts(
  { subject, session, series }: SessionFacts,
  labels: Pick<Plan, 'subject' | 'session'>,
): Conflict[] {
  const empty = labels.subject === '' ? subject : labels.session === '' ? session : undefined;
  if (empty === undefined) return [];
  const message = `BIDS leaves nothing of the label ${JSON.stringify(empty)}: it has only letters and digits of ASCII. Move the series to another label.`;
  return [{ code: 'BIDS_NAME', message, series: series.map(({ id }) => id) }];
}

/**
 * Takes of one image have one protocol. Different protocols under one name need a person; a series that only a shipped rule names
 * gives way to one that ReproIn or the project names.
 */
function differentSeries(all: readonly Chosen[]): Conflict[] {
  const groups = Map.groupBy(
    all.flatMap((chosen) => chosen.images.map((image) => ({ chosen, key: keyOf(image) }))),
    ({ key }) => key,
  );
  const conflicts: Conflict[] = [];
  for (const group of groups.values()) {
    const series = [...new Set(group.map(({ chosen }) => chosen))].toSorted(inTime);
    const twice = series.find((one) => group.filter(({ chosen }) => chosen === one).length > 1);
    if (twice !== undefined) conflicts.push(severalImages(twice));
    else if (new Set(series.map(protocolOf)).size > 1) conflicts.push(severalProtocols(series));
  }
  return merged(conflicts);
}

const severalImages = (one: Chosen): Conflict => ({
  code: 'BIDS_NAME_TAKEN',
  message: `Several images of ${labelOf(one)} would have one name. Tell them apart in a rule, by output, part or imageType.`,
  series: [one.series.id],
});

function severalProtocols(series: readonly Chosen[]): Conflict {
  const shipped = series.filter(({ rule }) => rule.at.startsWith('shipped/'));
  const said = series.filter((one) => !shipped.includes(one));
  const protocols = [...new Set(series.map(protocolOf))].join('; ');
  const decides = new Set(said.map(protocolOf)).size === 1;
  return {
    code: 'BIDS_NAME_TAKEN',
    message: `${sentence(series.map(labelOf))} have different protocols (${protocols}) and would have one name. Give one of them another entity, such as acq, or let a rule ignore it.`,
    series: (decides ? shipped : series).map(({ series: { id } }) => id),
  };
}

/** Of a series that several conflicts name, the first counts. */
function merged(conflicts: readonly Conflict[]): Conflict[] {
  const kept: Conflict[] = [];
  for (const one of conflicts)
    if (!kept.some(({ series }) => series.join() === one.series.join())) kept.push(one);
  return kept;
}

const keyOf = ({ target }: Named): string => pathOf('x', undefined, target);

/**
 * ReproIn marks repeats by `__dup`; scanners number them in other ways, which the protocol's name does not show. GE has the name of
 * the whole exam there, and that of the protocol in Series Description.
 */
const protocolOf = ({ series: { manufacturer, protocolName, seriesDescription } }: Chosen): string => {
  const isExam = /^ge/i.test(manufacturer) && seriesDescription !== '';
  return (protocolName === '' || isExam ? seriesDescription : protocolName).replace(/__dup.*$/, '').trim();
};

const sentence = (labels: readonly string[]): string => {
  const text =
    labels.length < 2 ? labels.join('') : `${labels.slice(0, -1).join(', ')} and ${labels.at(-1) ?? ''}`;
  return text.charAt(0).toUpperCase() + text.slice(1);
};

/** The last guard: whatever rules and takes made of it, no two images get one path. */
function sameNames(settled: readonly Settled[], name: (image: Named) => string): Conflict[] {
  const going = settled.filter(({ decision }) => decision === 'convert');
  const groups = Map.groupBy(
    going.flatMap(({ chosen }) => chosen.images.map((image) => ({ chosen, path: name(image) }))),
    ({ path }) => path,
  );
  return merged(
    [...groups].flatMap(([path, group]) =>
      group.length < 2
        ? []
        : [
            {
              code: 'BIDS_NAME_TAKEN',
              message: `${sentence([...new Set(group.map(({ chosen }) => labelOf(chosen)))])} would have the name ${path}. Tell them apart in a rule.`,
              series: [...new Set(group.map(({ chosen }) => chosen.series.id))],
            },
          ],
    ),
  );
}

function placedOf(
  settled: readonly Settled[],
  disputed: ReadonlySet<string>,
  name: (image: Named) => string,
): Placed[] {
  return settled.flatMap(({ chosen, decision }) =>
    decision === 'convert' && !disputed.has(chosen.series.id)
      ? chosen.images.map((image) => ({ series: chosen.series, image, path: name(image) }))
      : [],
  );
}

interface Naming {
  readonly name: (image: Named) => string;
  readonly fields: Corrections;
  readonly disputed: Conflict | undefined;
}

function planned(facts: SeriesFacts, one: Left | Settled | undefined, naming: Naming): PlannedSeries {
  const { id, folder, seriesNumber, seriesDescription } = facts;
  const base = { id, folder, seriesNumber, seriesDescription };
  const left = { ...base, outputs: [], rule: undefined, suggestion: undefined };
  const unknown = { decision: 'unknown', suggestion: suggestionFor(facts) } as const;
  if (naming.disputed !== undefined) return { ...left, ...unknown, reason: naming.disputed.message };
  if (one === undefined) return { ...left, ...unknown, reason: 'no rule takes it' };
  if ('kind' in one) {
    const { decision, reason, rule } = one;
    return { ...left, ...(decision === 'unknown' && unknown), decision, reason, rule };
  }
  const { chosen, decision, because } = one;
  const rule = chosen.rule.at;
  if (decision !== 'convert') return { ...left, decision, reason: because ?? '', rule };
  const outputs = chosen.images.map((image) => outputOf(image, facts.volumes, naming));
  return { ...base, decision, rule, outputs, suggestion: undefined, reason: reasonOf(one, outputs, naming) };
}

function outputOf(image: Named, volumes: number, { name, fields }: Naming): PlannedOutput {
  const path = name(image);
  const { task } = image.target.entities;
  const metadata = {
    ...(task !== undefined && { TaskName: task }),
    ...image.metadata,
    ...fields.metadata.get(path),
  };
  const aslContext = contextOf(image, volumes);
  return {
    output: image.output.name,
    path,
    target: image.target,
    metadata,
    ...(aslContext && { aslContext }),
  };
}

/** `first` once, `then` again and again up to the last volume. */
function contextOf({ aslContext }: Named, volumes: number): string[] | undefined {
  if (aslContext === undefined) return undefined;
  const { first = [], then } = aslContext;
  return Array.from(
    { length: volumes },
    (_, index) => first[index] ?? then[(index - first.length) % then.length] ?? 'n/a',
  );
}

function reasonOf(
  { chosen, because }: Settled,
  outputs: readonly PlannedOutput[],
  { fields }: Naming,
): string {
  const field = new Set(outputs.flatMap(({ path }) => fields.notes.get(path) ?? []));
  return [`by ${chosen.rule.at}`, because, chosen.note, ...field]
    .filter((part) => part !== undefined)
    .join('; ');
}
