/** What a rule is once it is read: where it stands, what it takes, and what becomes of it. */
import type { Output, SeriesFacts, SessionFacts, Target } from '../types.ts';

/** A mistake in a file of rules. `formatIssue` of `@scanflow/config/yaml` makes `file:line:column: …` of it. */
export interface RuleIssue {
  readonly file: string;
  /** Both count from 1. */
  readonly line: number;
  readonly column: number;
  readonly path: string;
  readonly message: string;
}

/** One image under a rule. `output` is undefined for a series of which dcm2niix makes nothing. */
export interface Candidate {
  readonly session: SessionFacts;
  readonly series: SeriesFacts;
  readonly output: Output | undefined;
}

/** Kinds of the volumes of an ASL series: `first` once, `then` again and again. */
export interface AslContext {
  readonly first?: readonly string[] | undefined;
  readonly then: readonly string[];
}

/** What becomes of an image. `reason` of `ignore` and `derivative` is the rule's own words. */
export type Outcome =
  | {
      readonly kind: 'target';
      readonly target: Target;
      readonly metadata: Readonly<Record<string, unknown>>;
      readonly aslContext?: AslContext;
      /** What a person should know about this name, to follow in the reason. */
      readonly note?: string;
      /** ReproIn's `run+`: takes get numbers in their order. */
      readonly numbered?: boolean;
    }
  | { readonly kind: 'ignore' | 'derivative'; readonly reason: string }
  /** The rule takes the image, and lacks something, such as the task. */
  | { readonly kind: 'incomplete'; readonly problem: string };

export interface Rule {
  /** `rules.yaml:12`, or `ReproIn`. */
  readonly at: string;
  /** Fewer volumes are an aborted run, and as many are a whole one, whatever the headers planned. */
  readonly minimumVolumes: number | undefined;
  /** Undefined where the rule does not take the image. */
  readonly apply: (candidate: Candidate) => Outcome | undefined;
}

/** A file of rules, read. */
export interface RuleFile {
  readonly file: string;
  readonly rules: readonly Rule[];
  /** Whether names by ReproIn count (after these rules). */
  readonly reproin: boolean;
  /** Whether the shipped rules count (after ReproIn). */
  readonly shipped: boolean;
}

export type RulesResult =
  | { readonly ok: true; readonly rules: RuleFile }
  | { readonly ok: false; readonly issues: readonly RuleIssue[] };

/** All rules of a project in their order: its own, ReproIn, shipped. The first that takes an image wins. */
export type RuleSet = readonly Rule[];
