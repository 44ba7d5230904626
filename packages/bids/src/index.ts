export type {
  Conflict,
  Decision,
  Entities,
  Geometry,
  Output,
  Part,
  Plan,
  PlannedOutput,
  PlannedSeries,
  SeriesFacts,
  SessionFacts,
  Target,
} from './types.ts';
export { bidsLabel, pathOf } from './names.ts';
export { parseRules } from './rules/parse.ts';
export { rulesJsonSchema } from './rules/schema.ts';
export { ruleSet } from './rules/set.ts';
export type { RuleFile, RuleIssue, RuleSet, RulesResult } from './rules/types.ts';
export { PLAN_OPTIONS, type PlanOptions } from './types.ts';
export { planSession } from './plan/plan.ts';
export { suggestRules } from './suggest.ts';
export {
  answerText,
  readAnswer,
  verdictText,
  type BidsAnswer,
  type BidsIssue,
  type BidsRequest,
  type BidsResult,
  type BidsState,
} from './answer.ts';
