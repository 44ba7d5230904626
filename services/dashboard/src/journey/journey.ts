/** The journey of one booking, exam or session, from the calendar to project storage (docs/glossary.md). */
import type { Facts } from './facts.ts';
import {
  arrived,
  converted,
  finished,
  onWorklist,
  scanned,
  sent,
  STEP_NAMES,
  stored,
  understood,
  type Step,
  type StepName,
} from './steps.ts';

/**
 * `finished`: everything is there. `attention`: a person has to do something. `late`: something that should have happened did
 * not. `running`: it happens. `ahead`: its time has not come. `unknown`: a service is away. `off`: nothing is to come of it.
 */
export type Verdict = 'finished' | 'attention' | 'late' | 'running' | 'ahead' | 'unknown' | 'off';

export interface Journey {
  readonly steps: Readonly<Record<StepName, Step>>;
  readonly verdict: Verdict;
}

/** Folds what the services say into the steps. `now`: epoch milliseconds. Pure: the same facts give the same journey. */
export function journeyOf(facts: Facts, now: number): Journey {
  const before = [
    understood(facts),
    onWorklist(facts, now),
    scanned(facts, now),
    arrived(facts, now),
    stored(facts),
    sent(facts),
    converted(facts),
  ];
  const all = [...before, finished(facts, before)];
  const steps = Object.fromEntries(STEP_NAMES.map((name, index) => [name, all[index]])) as Record<
    StepName,
    Step
  >;
  return { steps, verdict: verdictOf(all) };
}

/**
 * The steps that nobody knows now, as they were when their service went away. The verdict stays unknown: what was so then
 * may have changed.
 */
export function withLast(now: Journey, last: Journey, since: number): Journey {
  const steps = Object.fromEntries(
    STEP_NAMES.map((name) => {
      const [step, before] = [now.steps[name], last.steps[name]];
      const isKnown = step.state !== 'unknown' || before.state === 'unknown';
      return [name, isKnown ? step : { ...before, stale: step.at ?? since }];
    }),
  ) as Record<StepName, Step>;
  return { steps, verdict: now.verdict };
}

function verdictOf(steps: readonly Step[]): Verdict {
  const has = (state: Step['state']): boolean => steps.some((step) => step.state === state);
  if (has('failed')) return 'attention';
  if (has('unknown')) return 'unknown';
  if (has('now')) return 'running';
  if (has('waiting')) return 'late';
  if (steps.at(-1)?.state === 'done') return 'finished';
  return steps.slice(0, 4).every(({ state }) => state === 'none') ? 'off' : 'ahead';
}
