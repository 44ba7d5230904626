/** Which rules count, and in which order. */
import { derivedKind } from './derived.ts';
import { parseRules } from './parse.ts';
import { REPROIN } from './reproin.ts';
import { SHIPPED } from './shipped.ts';
import type { Rule, RuleFile, RuleSet } from './types.ts';

/** What the scanner computed is no raw image, whatever its name says. */
const DERIVED: Rule = {
  at: 'Image Type',
  minimumVolumes: undefined,
  apply: ({ series, output }) => {
    const kind = derivedKind(output?.imageType ?? [], series);
    return kind === undefined ? undefined : { kind: 'derivative', reason: kind };
  },
};

let shipped: readonly Rule[] | undefined;

/** Read at first use: it compiles a hundred patterns. */
function shippedRules(): readonly Rule[] {
  shipped ??= SHIPPED.flatMap(([file, text]) => {
    const read = parseRules(text, file);
    if (!read.ok) throw new Error(`${file}: ${read.issues.map(({ message }) => message).join('; ')}`);
    return read.rules.rules;
  });
  return shipped;
}

/** The project's rules, then ReproIn, then the shipped ones. Without a file: ReproIn and the shipped ones. */
export function ruleSet(project?: RuleFile): RuleSet {
  return [
    ...(project?.rules ?? []),
    ...(project?.reproin === false ? [] : [REPROIN]),
    ...(project?.shipped === false ? [] : [DERIVED, ...shippedRules()]),
  ];
}
