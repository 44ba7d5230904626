/** The text of a file of rules into rules, or into every mistake in it at once. Pure. */
import type { Pattern } from '@scanflow/booking';
import { didYouMean, readYaml, type Finding } from '@scanflow/config/yaml';
import { cleanLabel, DATATYPES, entitiesOf, suffixesOf, targetProblem, valueProblem } from '../names.ts';
import type { Entities } from '../types.ts';
import { ruleSchema, rulesSchema, type RuleText, type When } from './schema.ts';
import type { Outcome, Rule, RulesResult, Candidate } from './types.ts';

/** No file of rules that a person writes is longer. */
const LONGEST_TEXT = 1024 * 1024;

/** Never throws for the content of `text`. `file` stands in the issues and in the plan's reasons. */
export function parseRules(text: string, file: string): RulesResult {
  if (text.length > LONGEST_TEXT)
    return { ok: false, issues: [{ file, line: 1, column: 1, path: '', message: 'is longer than 1 MiB' }] };
  const read = readYaml(text, file, rulesSchema, (_, data) =>
    goodRules(data).flatMap(([index, rule]) => mistakesIn(rule, ['rules', index])),
  );
  if (!read.ok) return read;
  const { reproin, shipped, rules } = read.data;
  return {
    ok: true,
    rules: {
      file,
      reproin,
      shipped,
      rules: rules.map((rule, index) =>
        compiled(rule, `${file}:${read.outline.positionOf(['rules', index]).line}`),
      ),
    },
  };
}

/** The rules that are good by themselves, so that a mistake in one hides none in the others. */
function goodRules(data: unknown): (readonly [index: number, rule: RuleText])[] {
  const rules = (data as { readonly rules?: unknown } | null)?.rules;
  if (!Array.isArray(rules)) return [];
  return rules.flatMap((rule: unknown, index) => {
    const parsed = ruleSchema.safeParse(rule);
    return parsed.success ? [[index, parsed.data] as const] : [];
  });
}

/** What a rule may decide; exactly one of these keys has to be there. */
const DECISIONS = ['datatype', 'ignore', 'derivative', 'undecided'] as const;
/** Keys that belong to `datatype`. */
const OF_DATATYPE = ['suffix', 'entities', 'metadata', 'minimumVolumes', 'aslContext'] as const;

function mistakesIn(rule: RuleText, path: readonly (string | number)[]): Finding[] {
  const decided = DECISIONS.filter((key) => rule[key] !== undefined);
  const findings: Finding[] = [];
  if (conditionsIn(rule.when) === 0)
    findings.push({
      path: [...path, 'when'],
      message: 'has no condition, so the rule would take everything',
    });
  if (decided.length === 0)
    findings.push({
      path,
      message: 'decides nothing: give it datatype and suffix, ignore, derivative, or undecided',
    });
  if (decided.length > 1)
    findings.push({ path, message: `decides twice: ${decided.join(' and ')} do not go together` });
  if (rule.datatype !== undefined) return [...findings, ...targetMistakes(rule, rule.datatype, path)];
  for (const key of OF_DATATYPE)
    if (rule[key] !== undefined && decided.length === 1)
      findings.push({ path: [...path, key], atKey: true, message: 'goes with datatype only' });
  return findings;
}

const conditionsIn = (when: When): number =>
  Object.entries(when).filter(([key, value]) => value !== undefined && key !== 'not').length;

function targetMistakes(rule: RuleText, datatype: string, path: readonly (string | number)[]): Finding[] {
  const { suffix, entities = {} } = rule;
  if (suffix === undefined)
    return [{ path, message: `datatype needs a suffix: one of ${suffixesOf(datatype).join(', ')}` }];
  const form = entitiesOf(datatype, suffix);
  if (form === undefined) return [{ path: [...path, 'suffix'], message: noSuffix(datatype, suffix) }];
  const groups = groupsIn(rule.when);
  const findings = Object.entries(entities).flatMap(([key, value]): Finding[] => {
    const at = [...path, 'entities', key];
    if (!form.allowed.includes(key)) {
      const close = didYouMean(key, form.allowed);
      const known = close === '' ? ` (it may have ${form.allowed.join(', ')})` : close;
      return [{ path: at, atKey: true, message: `${datatype}/…_${suffix} has no such entity${known}` }];
    }
    return valueMistakes(key, String(value), groups).map((message) => ({ path: at, message }));
  });
  const missing = form.required.filter((key) => entities[key] === undefined && key !== 'echo');
  if (missing.length > 0)
    findings.push({
      path,
      message: `${suffix} needs ${missing.join(' and ')} below entities, such as ${missing[0] ?? ''}: ${EXAMPLES[missing[0] ?? ''] ?? '1'}`,
    });
  if (rule.aslContext !== undefined && suffix !== 'asl')
    findings.push({ path: [...path, 'aslContext'], atKey: true, message: 'goes with the suffix asl only' });
  return findings;
}

const EXAMPLES: Readonly<Record<string, string>> = { task: 'rest', dir: 'AP', mt: 'on' };

function noSuffix(datatype: string, suffix: string): string {
  const close = didYouMean(suffix, suffixesOf(datatype));
  const elsewhere = DATATYPES.filter((other) => suffixesOf(other).includes(suffix));
  const hint =
    elsewhere.length > 0
      ? `; it belongs to ${elsewhere.join(', ')}`
      : close || ` (known: ${suffixesOf(datatype).join(', ')})`;
  return `BIDS has no ${suffix} in ${datatype}${hint}`;
}

const PLACEHOLDER = /\{(?<name>[^{}]*)\}/g;

function valueMistakes(key: string, value: string, groups: readonly string[]): string[] {
  const names = [...value.matchAll(PLACEHOLDER)].map(({ groups: found }) => found?.['name'] ?? '');
  const unknown = names.filter((name) => !groups.includes(name));
  if (unknown.length > 0)
    return unknown.map((name) => {
      const close = didYouMean(name, groups, (group) => `{${group}}`);
      const how = close || `; a pattern of the rule has to have the group (?<${name || key}>…)`;
      return `no pattern of this rule has a group for {${name}}${how}`;
    });
  if (names.length > 0) return [];
  const problem = valueProblem(key, value);
  if (problem === undefined) return [];
  const cleaned = cleanLabel(value);
  const instead = valueProblem(key, cleaned) === undefined ? `; write ${cleaned}` : '';
  return [`${JSON.stringify(value)} ${problem}${instead}`];
}

/** Names of the groups in the patterns of a rule. What stands below `not` finds nothing. */
const groupsIn = (when: When): string[] =>
  Object.entries(when)
    .filter(([key]) => key !== 'not')
    .flatMap(([, value]) => (Array.isArray(value) ? value : [value]) as unknown[])
    .flatMap((value) => (isPattern(value) ? value.names : []));

const isPattern = (value: unknown): value is Pattern =>
  typeof value === 'object' && value !== null && 'exec' in value && 'names' in value;

function compiled(rule: RuleText, at: string): Rule {
  const matches = matcher(rule.when);
  return {
    at,
    minimumVolumes: rule.minimumVolumes,
    apply: (candidate) => {
      const found = matches(candidate);
      return found === undefined ? undefined : outcomeOf(rule, found);
    },
  };
}

function outcomeOf(rule: RuleText, found: Found): Outcome {
  const { ignore, derivative, undecided, datatype = '', suffix = '', metadata = {}, aslContext } = rule;
  if (ignore !== undefined) return { kind: 'ignore', reason: ignore };
  if (derivative !== undefined) return { kind: 'derivative', reason: derivative };
  if (undecided !== undefined) return { kind: 'incomplete', problem: undecided };
  const target = { datatype, suffix, entities: filled(rule.entities ?? {}, found) };
  const problem = targetProblem(target);
  if (problem !== undefined) return { kind: 'incomplete', problem };
  return { kind: 'target', target, metadata, ...(aslContext && { aslContext }) };
}

/** Entities with the texts that the patterns found. One that is empty then is left out. */
function filled(entities: Readonly<Record<string, string | number>>, found: Found): Entities {
  return Object.fromEntries(
    Object.entries(entities).flatMap(([key, value]) => {
      const text = String(value).replace(PLACEHOLDER, (_, name: string) => found[name] ?? '');
      const label = cleanLabel(text);
      return label === '' ? [] : [[key, label]];
    }),
  );
}

// Whether the conditions of a rule hold for an image, and what the groups of its patterns found.

/** What named groups found. */
type Found = Readonly<Record<string, string>>;

type Conditions = Omit<When, 'not'>;
type Key = keyof Conditions;
type Test = (candidate: Candidate) => Found | undefined;

/** Longer than any text of DICOM that a rule looks at. */
const LONGEST_VALUE = 1024;

/** The texts in which the patterns of a key search: one of them has to match. */
const TEXTS: Readonly<Partial<Record<Key, (candidate: Candidate) => readonly string[]>>> = {
  name: ({ series }) => [series.protocolName, series.seriesDescription],
  protocolName: ({ series }) => [series.protocolName],
  seriesDescription: ({ series }) => [series.seriesDescription],
  sequenceName: ({ series }) => [series.sequenceName],
  modality: ({ series }) => [series.modality],
  manufacturer: ({ series }) => [series.manufacturer],
  model: ({ series }) => [series.model],
  scanner: ({ series }) => [series.scanner],
  output: ({ output }) => (output === undefined ? [] : [output.name]),
  subject: ({ session }) => [session.subject],
  session: ({ session }) => [session.session ?? ''],
};

const NUMBERS: Readonly<Partial<Record<Key, (candidate: Candidate) => number | undefined>>> = {
  echo: ({ output }) => output?.echo,
  echoes: ({ series }) => echoesOf(series.outputs),
  echoTime: ({ output }) => output?.echoTime,
  inversionTime: ({ output }) => output?.inversionTime,
  highestBValue: ({ series }) => series.bValues.at(-1) ?? 0,
  volumes: ({ series }) => series.volumes,
  images: ({ series }) => series.images,
  seriesNumber: ({ series }) => series.seriesNumber,
};

const WORDS: Readonly<Partial<Record<Key, (candidate: Candidate) => string | undefined>>> = {
  mrAcquisitionType: ({ series }) => series.mrAcquisitionType,
  part: ({ output }) => (output === undefined ? undefined : (output.part ?? 'mag')),
  phaseEncodingDirection: ({ output }) => output?.phaseEncodingDirection,
};

const echoesOf = (outputs: Candidate['series']['outputs']): number =>
  Math.max(1, new Set(outputs.map(({ echo }) => echo ?? 1)).size);

/** Undefined where a condition does not hold. */
function matcher({ not, ...conditions }: When): Test {
  const all = testsOf(conditions, 'all');
  const none = not === undefined ? [] : testsOf(not, 'any');
  return (candidate) => {
    let found: Found = {};
    for (const test of all) {
      const more = test(candidate);
      if (more === undefined) return undefined;
      found = { ...more, ...found };
    }
    return none.some((test) => test(candidate) !== undefined) ? undefined : found;
  };
}

function testsOf(conditions: Conditions, imageType: 'all' | 'any'): Test[] {
  return (Object.entries(conditions) as [Key, unknown][]).flatMap(([key, value]) =>
    value === undefined ? [] : [testOf(key, value, imageType)],
  );
}

const HOLDS: Found = {};

function testOf(key: Key, value: unknown, imageType: 'all' | 'any'): Test {
  const texts = TEXTS[key];
  if (texts !== undefined) return textTest(asList(value as Pattern | readonly Pattern[]), texts);
  const number = NUMBERS[key];
  if (number !== undefined) return rangeTest(value as Range, number);
  const word = WORDS[key];
  if (word !== undefined) return (candidate) => (word(candidate) === value ? HOLDS : undefined);
  const wanted = asList(value as string | readonly string[]).map((one) => one.toUpperCase());
  return ({ output }) => {
    const there = new Set((output?.imageType ?? []).map((one) => one.toUpperCase()));
    const has = (one: string): boolean => there.has(one);
    return (imageType === 'all' ? wanted.every(has) : wanted.some(has)) ? HOLDS : undefined;
  };
}

function textTest(patterns: readonly Pattern[], texts: (candidate: Candidate) => readonly string[]): Test {
  return (candidate) => {
    for (const text of texts(candidate))
      for (const pattern of patterns) {
        const match = pattern.exec(text.slice(0, LONGEST_VALUE));
        if (match !== null) return given(match.groups ?? {});
      }
    return undefined;
  };
}

/** Groups that took part in the match. */
const given = (groups: Readonly<Record<string, string | undefined>>): Found =>
  Object.fromEntries(
    Object.entries(groups).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );

type Range = number | { readonly min?: number | undefined; readonly max?: number | undefined };

function rangeTest(range: Range, number: (candidate: Candidate) => number | undefined): Test {
  const { min = -Infinity, max = Infinity } = typeof range === 'number' ? { min: range, max: range } : range;
  return (candidate) => {
    const value = number(candidate);
    return value !== undefined && value >= min && value <= max ? HOLDS : undefined;
  };
}

const asList = <T>(value: T | readonly T[]): readonly T[] =>
  Array.isArray(value) ? (value as readonly T[]) : [value as T];
