/** The plan of a session: one decision for each series, with a reason, and a path for each image that goes into the dataset. Pure. */
import { bidsLabel } from '../names.ts';
import type { RuleSet } from '../rules/types.ts';
import type { Plan, SessionFacts } from '../types.ts';
import type { PlanOptions } from './options.ts';

/** Never throws for what the facts say. The same facts, rules and options give the same plan. */
export function planSession(
  session: SessionFacts,
  _rules: RuleSet,
  _options: Partial<PlanOptions> = {},
): Plan {
  return {
    project: session.project,
    subject: bidsLabel(session.subject, 'sub'),
    session: session.session === undefined ? undefined : bidsLabel(session.session, 'ses'),
    accessionNumber: session.accessionNumber,
    series: session.series.map(({ id, folder, seriesNumber, seriesDescription }) => ({
      id,
      folder,
      seriesNumber,
      seriesDescription,
      decision: 'unknown',
      reason: 'no rule takes it',
      rule: undefined,
      outputs: [],
      suggestion: undefined,
    })),
    conflicts: [],
  };
}
