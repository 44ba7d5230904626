/**
 * Names by ReproIn (github.com/ReproNim/reproin): a series whose Protocol Name or Series Description is
 * `[PREFIX:]datatype[-suffix][_key-value …][__comment]`, such as `func-bold_task-rest_run-01`.
 */
import { cleanLabel, ENTITIES, entitiesOf, suffixesOf, targetProblem } from '../names.ts';
import type { Entities, Output, SeriesFacts } from '../types.ts';
import { derivedKind } from './derived.ts';
import type { Candidate, Outcome, Rule } from './types.ts';

/** What a name says. */
export interface ReproIn {
  readonly datatype: string;
  readonly suffix: string | undefined;
  readonly entities: Entities;
  /** `run+`: the next run. */
  readonly numbered: boolean;
  /** Words that ReproIn does not know, such as `MPR_sag` after a scout. */
  readonly words: readonly string[];
  readonly session: string | undefined;
  /** `cancelme_` before it. */
  readonly cancelled: boolean;
}

const START =
  /^(?:[A-Z]+:)?(?<cancelled>cancelme_)?(?<datatype>anat|func|dwi|fmap|perf|pet)(?:-(?<suffix>[A-Za-z0-9]+))?(?=_|$)/;

/** Undefined where the text is no name by ReproIn. Blanks and what follows `__` do not count. */
export function readReproIn(text: string): ReproIn | undefined {
  const name = (text.trim().split('__')[0] ?? '').slice(0, 256);
  const start = START.exec(name);
  if (start?.groups === undefined) return undefined;
  const { datatype = '', suffix, cancelled } = start.groups as Readonly<Record<string, string | undefined>>;
  const words = name.slice(start[0].length).split('_').filter(Boolean).map(readWord);
  const last = (wanted: Word['kind']): string | undefined =>
    words.findLast(({ kind }) => kind === wanted)?.value;
  return {
    datatype,
    suffix,
    entities: Object.fromEntries(
      words.flatMap(({ kind, key, value }) => (kind === 'entity' ? [[key, cleanLabel(value)]] : [])),
    ),
    numbered: last('numbered') === '+',
    words: words.flatMap(({ kind, value }) => (kind === 'word' ? [value] : [])),
    session: last('session'),
    cancelled: cancelled !== undefined,
  };
}

interface Word {
  readonly kind: 'entity' | 'session' | 'subject' | 'numbered' | 'word';
  readonly key: string;
  readonly value: string;
}

function readWord(word: string): Word {
  const {
    key = '',
    value = '',
    sign,
  } = (/^(?<key>[a-z]+)(?:-(?<value>.+)|(?<sign>[+=]))$/.exec(word)?.groups ?? {}) as Readonly<
    Record<string, string | undefined>
  >;
  if (key === 'ses') return { kind: 'session', key, value };
  if (key === 'sub') return { kind: 'subject', key, value };
  if (key === 'run' && sign !== undefined) return { kind: 'numbered', key, value: sign };
  if ((ENTITIES as readonly string[]).includes(key)) return { kind: 'entity', key, value };
  return { kind: 'word', key: '', value: word };
}

const nameOf = ({ protocolName, seriesDescription }: SeriesFacts): ReproIn | undefined =>
  readReproIn(protocolName) ?? readReproIn(seriesDescription);

export const REPROIN: Rule = { at: 'ReproIn', minimumVolumes: undefined, apply };

function apply(candidate: Candidate): Outcome | undefined {
  const { series, output } = candidate;
  const name = nameOf(series);
  if (name === undefined) return undefined;
  if (name.cancelled) return { kind: 'ignore', reason: 'its name begins with cancelme_' };
  if (isScout(name, series)) return { kind: 'ignore', reason: 'a scout' };
  if (/_?physiolog$/i.test(series.seriesDescription))
    return { kind: 'ignore', reason: 'a physio log, which dcm2niix does not convert' };
  const kind = derivedKind(output?.imageType ?? [], series);
  if (kind !== undefined && name.suffix !== 'UNIT1') return { kind: 'derivative', reason: kind };
  if (output === undefined) return undefined;
  return named(name, candidate, output);
}

/** As heudiconv has it: scouts stay DICOM. */
const isScout = ({ datatype, suffix }: ReproIn, { seriesDescription }: SeriesFacts): boolean =>
  (datatype === 'anat' && (suffix ?? '').toLowerCase().startsWith('scout')) ||
  /_scout/i.test(seriesDescription);

function named(name: ReproIn, { series, session }: Candidate, output: Output): Outcome {
  const suffix = suffixOf(name, series, output);
  if (suffix === undefined)
    return { kind: 'incomplete', problem: `the name has no suffix, and ${name.datatype} has several` };
  const allowed = entitiesOf(name.datatype, suffix)?.allowed ?? [];
  // a name says run- also for images that BIDS tells apart by suffix, and echo and part come from the images
  const { echo: _echo, part: _part, ...said } = name.entities;
  const entities = { ...said, ...inversion(suffix, series, said) };
  const target = { datatype: name.datatype, suffix, entities };
  const empty = Object.entries(entities).find(([, value]) => value === '');
  if (empty !== undefined) return { kind: 'incomplete', problem: `${empty[0]}- has no value in its name` };
  const problem = targetProblem(target);
  if (problem !== undefined) {
    const close = suffixesOf(name.datatype).find((one) => one.toLowerCase() === suffix.toLowerCase());
    const hint = allowed.length === 0 && close !== undefined ? `; did it mean ${close}?` : '';
    return { kind: 'incomplete', problem: `${problem}${hint}` };
  }
  const note = otherSession(name.session, session.session);
  return {
    kind: 'target',
    target,
    metadata: {},
    ...(note !== undefined && { note }),
    ...(name.numbered && { numbered: true }),
  };
}

function suffixOf(name: ReproIn, series: SeriesFacts, output: Output): string | undefined {
  const reference = [series.seriesDescription, series.protocolName].some((text) => /_SBRef$/i.test(text));
  if (reference && ['func', 'dwi'].includes(name.datatype)) return 'sbref';
  if (name.datatype === 'fmap' && [undefined, 'magnitude', 'phasediff', 'phase'].includes(name.suffix))
    return fieldmapSuffix(output, series, name);
  if (name.suffix !== undefined) return name.suffix;
  const only: Readonly<Record<string, string>> = { func: 'bold', dwi: 'dwi', perf: 'asl', pet: 'pet' };
  return only[name.datatype];
}

/** Magnitudes and phases of a field map, by the part and the echo of the image. */
function fieldmapSuffix(output: Output, series: SeriesFacts, name: ReproIn): string | undefined {
  const phases = series.outputs.filter(({ part }) => part === 'phase').length;
  if (output.part === 'phase') return phases > 1 ? `phase${output.echo ?? 1}` : 'phasediff';
  if (name.entities['dir'] !== undefined) return 'epi';
  return output.part === 'mag' || output.part === undefined ? `magnitude${output.echo ?? 1}` : undefined;
}

/** MP2RAGE: the number of the inversion, where its description says so. */
function inversion(suffix: string, { seriesDescription }: SeriesFacts, said: Entities): Entities {
  if (suffix !== 'MP2RAGE' || said['inv'] !== undefined) return {};
  const found = /INV(?<number>[12])/i.exec(seriesDescription)?.groups?.['number'];
  return found === undefined ? {} : { inv: found };
}

/** The booking counts. */
function otherSession(said: string | undefined, booked: string | undefined): string | undefined {
  if (said === undefined || booked === undefined) return undefined;
  if (cleanLabel(said) === cleanLabel(booked.replace(/^ses-/i, ''))) return undefined;
  return `its name says ses-${said}, the booking says ${booked}, and the booking counts`;
}
