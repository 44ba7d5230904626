/** What the service does on request: converts, plans, validates, suggests. Each by the configuration of the project. */
import {
  planSession,
  suggestRules,
  type BidsRequest,
  type BidsResult,
  type Plan,
  type SessionFacts,
} from '@scanflow/bids';
import { fewKept, type BidsRemoval, type BidsRemoved } from '@scanflow/bids/answer';
import type { BidsConfig, Config } from '@scanflow/config';
import { defined } from '@scanflow/failure/defined';
import { FailureError, permanent } from '@scanflow/failure';
import { namesIn } from '@scanflow/runtime';
import type { Line } from './line.ts';
import type { Metrics } from './metrics.ts';
import { datasetOf, sessionOf } from './request.ts';
import { rulesFor, type GivenRules } from './rules.ts';
import { planOf } from './work/look.ts';
import { removeSessions } from './work/remove.ts';
import { bidsSession, recoverDataset } from './work/session.ts';
import { OWN_VALIDATOR, sessionsIn, validateDataset } from './work/validate.ts';
import type { Outcome, PlanOptions, Program, Progress, ValidatorProgram, Verdict } from './work/types.ts';

/** One series, or the validation of one dataset. */
const CONVERT_MS = 3_600_000;
const VALIDATE_MS = 3_600_000;
const VALIDATOR_MIB = 2_048;

export interface JobDeps {
  readonly config: Config & { readonly bids: BidsConfig };
  readonly line: Line;
  readonly metrics: Metrics;
  readonly version: string;
}

export interface Running {
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

export const converterOf = ({ dcm2niix, timeout }: BidsConfig): Program => ({
  command: dcm2niix,
  timeoutMs: Math.min(timeout, CONVERT_MS),
});

export const validatorOf = ({ validator, timeout }: BidsConfig): ValidatorProgram => ({
  command: validator ?? OWN_VALIDATOR,
  timeoutMs: Math.min(timeout, VALIDATE_MS),
  ...(validator === undefined ? { memoryMiB: VALIDATOR_MIB } : {}),
});

export async function planning(
  rules: string | undefined,
  given: GivenRules | undefined,
  { repeats, fieldmaps, dcm2niix, timeout }: BidsConfig,
): Promise<Omit<PlanOptions, 'onProgress'>> {
  const set = await rulesFor(rules, given);
  const options = { repeats: repeats === 'run' ? 'runs' : 'last', fieldmaps } as const;
  return {
    dcm2niix: { command: dcm2niix, timeoutMs: Math.min(timeout, CONVERT_MS) },
    plan: (facts: SessionFacts): Plan => planSession(facts, set, options),
  };
}

/** Converts a session into the dataset of its project. */
export async function convert(request: BidsRequest, running: Running, deps: JobDeps): Promise<BidsResult> {
  const { config, line, metrics, version } = deps;
  const { bids } = config;
  const { signal, onProgress } = running;
  const dataset = datasetOf(request.project, request.root, config);
  if (dataset === undefined) return NOT_CONFIGURED;
  const session = sessionOf(request, dataset.root, config);
  const key = JSON.stringify([dataset.root, request.subject, request.session ?? '']);
  return line.run(key, signal, async () => {
    const options = await planning(dataset.rules, undefined, bids);
    const began = performance.now();
    const { scrub, shiftDates: shiftDays } = bids;
    const more = defined({ scrub, shiftDays, onProgress });
    const outcome = await bidsSession(
      session,
      { ...options, ...more, validator: validatorOf(bids), scanflowVersion: version },
      signal,
    );
    metrics.converted(outcome, (performance.now() - began) / 1000);
    return resultOf(outcome, dataset.root);
  });
}

const RECOVER_MS = 60_000;

/**
 * Completes what a killed service began, before anybody asks for that session again. It looks where a dataset lies below the folder
 * of its project; elsewhere the next conversion completes it. Never rejects: `onFault` gets what went wrong.
 */
export async function recoverAll(
  config: JobDeps['config'],
  onFault: (error: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  const { root, projects } = config.storage;
  for (const home of new Set([root, ...Object.values(projects).map((one) => one.root)]))
    for (const name of await namesIn(home).catch(() => []))
      try {
        const dataset = datasetOf(name, home, config);
        if (dataset !== undefined) await recoverDataset(dataset.root, { lockTimeoutMs: RECOVER_MS }, signal);
      } catch (error) {
        onFault(error);
      }
}

/** What becomes of a session, by the rules in use or by given ones. Writes nothing. */
export async function plan(
  request: BidsRequest,
  given: GivenRules | undefined,
  { signal, onProgress }: Running,
  { config }: Pick<JobDeps, 'config'>,
): Promise<{ readonly facts: SessionFacts; readonly plan: Plan }> {
  const dataset = requireDataset(request, config);
  const options = await planning(dataset.rules, given, config.bids);
  return planOf(sessionOf(request, dataset.root, config), { ...options, ...defined({ onProgress }) }, signal);
}

/** Takes sessions out of the dataset of their project, or looks what would leave it. */
export async function remove(
  { root, ...request }: BidsRemoval,
  preview: boolean,
  { signal }: Running,
  { config }: Pick<JobDeps, 'config'>,
): Promise<BidsRemoved> {
  const dataset = datasetOf(request.project, root, config)?.root;
  if (dataset === undefined) return { dataset: '', folders: [], files: 0, kept: [] };
  const { session, accessionNumber } = request;
  const wanted = { ...request, session, accessionNumber, datasetRoot: dataset };
  const removed = await removeSessions(wanted, { preview }, signal);
  return { dataset, ...removed, kept: fewKept(removed.kept) };
}

/** The validator's verdict on the whole dataset of a project, and how many sessions that has. */
export async function validate(
  where: Pick<BidsRequest, 'project' | 'root'>,
  { signal }: Running,
  { config }: Pick<JobDeps, 'config'>,
): Promise<{ readonly verdict: Verdict; readonly dataset: string; readonly sessions: number }> {
  const { root: dataset } = requireDataset(where, config);
  const verdict = await validateDataset(dataset, validatorOf(config.bids), signal);
  return { verdict, dataset, sessions: await sessionsIn(dataset) };
}

/** Rules for what is unknown in these sessions, which are of one project. */
export async function suggest(
  requests: readonly BidsRequest[],
  given: GivenRules | undefined,
  running: Running,
  { config }: Pick<JobDeps, 'config'>,
): Promise<string> {
  const facts: SessionFacts[] = [];
  let rules: string | undefined;
  for (const [index, request] of requests.entries()) {
    rules = requireDataset(request, config).rules;
    facts.push((await plan(request, given, { signal: running.signal }, { config })).facts);
    running.onProgress?.({ step: 'facts', done: index + 1, of: requests.length });
  }
  return suggestRules(facts, await rulesFor(rules, given));
}

export function requireDataset(
  { project, root }: Pick<BidsRequest, 'project' | 'root'>,
  config: JobDeps['config'],
): { readonly root: string; readonly rules: string | undefined } {
  const dataset = datasetOf(project, root, config);
  if (dataset === undefined)
    throw new FailureError(
      permanent(
        'BIDS_NOT_CONFIGURED',
        'The project has no BIDS dataset. Add it to bids.projects of the configuration.',
      ),
    );
  return dataset;
}

const NO_COUNTS = { series: 0, converted: 0, failed: 0, left: 0, files: 0, images: 0 };
const NOT_CONFIGURED: BidsResult = {
  state: 'not configured',
  dataset: '',
  folder: '',
  errorCount: 0,
  warningCount: 0,
  errors: [],
  warnings: [],
  counts: NO_COUNTS,
  conflicts: [],
  failed: [],
  kept: [],
  versions: {},
};

/** The streamer reads no more than 1 MiB of an answer. */
const MOST_KEPT = 200;

/** What the streamer keeps and people see of an outcome. Pure. */
export function resultOf(outcome: Outcome, dataset: string): BidsResult {
  const { state, folder, verdict, counts, conflicts, series, kept, versions } = outcome;
  const { errors = [], warnings = [] } = verdict ?? {};
  return {
    state,
    dataset,
    folder,
    ...defined({ verdict: verdict?.verdict }),
    errorCount: errors.length,
    warningCount: warnings.length,
    errors,
    warnings,
    counts,
    conflicts: conflicts.map(({ code, message }) => ({ code, message })),
    failed: series.flatMap(({ failure, folder: of }) =>
      failure === undefined ? [] : [{ series: of, code: failure.code, message: failure.message }],
    ),
    kept: kept.slice(0, MOST_KEPT).map(({ path, why }) => ({ path, why })),
    versions: { ...versions, ...defined({ validator: verdict?.validator }) },
  };
}
