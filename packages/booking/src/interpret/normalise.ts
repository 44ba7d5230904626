/** Rewriting of labels, only ever by rules that the configuration spells out. */
import type { Labels } from '../booking.ts';

export interface NormaliseRule {
  readonly case?: 'lower' | 'upper' | undefined;
  /** Put in front where the label does not begin with it, such as `sub-`. */
  readonly prefix?: string | undefined;
  /** The number at the end is filled up with zeros to this many digits. */
  readonly pad?: number | undefined;
}

export type NormaliseRules = Readonly<Partial<Record<keyof Labels, NormaliseRule | undefined>>>;

/** The label by the rule: case first, then prefix, then zeros. Without a rule, as it is. */
export function normalise(label: string, rule: NormaliseRule | undefined): string {
  if (rule === undefined) return label;
  const { prefix = '', pad = 0 } = rule;
  const cased =
    rule.case === 'lower' ? label.toLowerCase() : rule.case === 'upper' ? label.toUpperCase() : label;
  const prefixed = cased.startsWith(prefix) ? cased : prefix + cased;
  return prefixed.replace(/\d+$/u, (digits) => digits.padStart(pad, '0'));
}
