/**
 * Delivers events to hooks: one round under a lease, the run itself, and the record that a hook gets. By HTTP it shows what
 * ran and what waits, also for a hook that left the configuration.
 */
import { defined } from '@scanflow/failure/defined';
import { FailureError } from '@scanflow/failure';
import { takes, type FastifyInstance } from '@scanflow/runtime';
import { named, iso, LEG_STATES } from '../model/series.ts';
import type { DeliveryView, DeliveryWork } from '../ledger/rows.ts';
import type { LoopDeps } from '../work/deps.ts';
import { type Lease, nextOf, workOn, type WorkKind, type Unfinished } from '../work/worker.ts';
import { Wake } from '../work/wake.ts';
import {
  type Hook,
  environmentOf,
  fillArguments,
  hookRetry,
  type HookFields,
  type HookOutcome,
} from './plan.ts';
import {
  LOST,
  nextDelivery,
  nextDeliveryTime,
  renewDelivery,
  delivered,
  notDelivered,
  prune,
  openRuns,
  skipHook,
} from './sql.ts';
import { deliveriesIn } from '../ledger/deliveries.ts';
import { reached } from '../work/trace.ts';
import { runCommand, endLeftovers, callWebhook } from './run.ts';
import { runBids } from './bids.ts';
import { seriesReport, type SeriesReport, hookLeft, hookReport } from '../reports/series.ts';
import { sessionReport, bidsReport, writeVerdict } from '../reports/session.ts';
import { findSession, matching } from '../ledger/views.ts';
import { Answer, byWhom, oneOf, rowsOf, textIn } from '../http/request.ts';

/** Shortest wait for a delivery that is due while another run has it, in milliseconds. */
const LEAST_MS = 200;

/** A field `subject` would be withheld, as a label. */
const aboutDelivery = ({ hook, kind, subject, accession, increment }: DeliveryWork) => ({
  hook,
  event: kind,
  ...(kind === 'complete' ? { sessionId: subject } : { series: subject }),
  ...named(accession),
  increment,
});

/** Nothing to give back: a delivery that ends early has ended its claim itself. */
const LEASE: Lease<DeliveryWork> = {
  about: aboutDelivery,
  renew: async (tx, work, now) => {
    if (!(await renewDelivery(tx, work, now))) throw new FailureError(LOST);
  },
  giveBack: () => Promise.resolve(),
};

/** Runs the hook for its next event, or waits for one. */
export async function runNextHook(hook: Hook, deps: LoopDeps, signal: AbortSignal): Promise<void> {
  const { ledger, clock, log, wakes } = deps;
  const kind: WorkKind<DeliveryWork, { readonly kind: 'done' }> = {
    name: 'hooks',
    lease: LEASE,
    about: aboutDelivery,
    says: { later: 'hook is tried again', failed: 'hook failed', interrupted: 'hook interrupted' },
    step: (work, held) => deliver(work, hook, deps, held),
    ended: (_, about) => log.info('hook done', about),
  };
  const queue = {
    claim: () => ledger.write(nextDelivery, hook.name, clock.now()),
    nextTime: () => ledger.read(nextDeliveryTime, hook.name),
    wake: wakes.after,
    leastMs: LEAST_MS,
  };
  await nextOf(queue, (work) => workOn(kind, work, deps, signal), deps, signal);
}

/** The payload beside the event: the current record of the series or session. */
interface Subject {
  readonly fields: Omit<HookFields, 'event' | 'increment'>;
  readonly record: Readonly<Record<string, unknown>>;
}

type DeliverOutcome = { readonly kind: 'done' } | Unfinished;

/** Runs the hook and judges its outcome. Rejects with the ledger's errors. */
async function deliver(
  work: DeliveryWork,
  hook: Hook,
  deps: LoopDeps,
  signal: AbortSignal,
): Promise<DeliverOutcome> {
  const { ledger, clock } = deps;
  const outcome = await runHook(hook, work, deps, signal);
  reached('hook-ran', { hook: work.hook });
  const now = clock.now();
  if (outcome.kind === 'interrupted') {
    await ledger.write(notDelivered, work, { failure: undefined, output: '', nextTry: undefined }, now);
    return outcome;
  }
  if (outcome.kind === 'done') {
    const { output } = outcome;
    const end: End = { state: 'done', failure: undefined, output };
    await closing(work, hook, end, deps, () => ledger.write(delivered, work, output, now));
    return { kind: 'done' };
  }
  const { failure, output, askedMs = 0 } = outcome;
  const again = { retries: hook.retries, jitter: clock.random(), askedMs };
  const delayMs = hookRetry(failure, work.attempts + 1, again);
  const nextTry = delayMs === undefined ? undefined : now + delayMs;
  const write = (): Promise<void> => ledger.write(notDelivered, work, { failure, output, nextTry }, now);
  if (delayMs !== undefined) {
    await write();
    return { kind: 'later', failure, delayMs };
  }
  await closing(work, hook, { state: 'failed', failure, output }, deps, write);
  return { kind: 'failed', failure };
}

type End = Pick<DeliveryView, 'state' | 'failure' | 'output'>;

/**
 * Ends a run in the ledger. A verdict stands in the report beside the images before, so that a kill between the two repeats the run
 * and loses nothing; and after, where the session changed meanwhile.
 */
async function closing(
  work: DeliveryWork,
  { run }: Hook,
  end: End,
  deps: LoopDeps,
  write: () => Promise<void>,
): Promise<void> {
  if (run.kind !== 'bids') return write();
  const known = bidsReport([{ ...work, ...end, nextTry: null, updated: deps.clock.now() }]);
  const isWritten = await writeVerdict(work.subject, known, deps);
  await write();
  if (!isWritten) await writeVerdict(work.subject, undefined, deps);
}

async function runHook(
  { name, run, timeoutMs }: Hook,
  work: DeliveryWork,
  deps: LoopDeps,
  signal: AbortSignal,
): Promise<HookOutcome> {
  if (run.kind === 'bids') return runBids({ ...run, timeoutMs }, work.subject, deps, signal);
  const { fields: of, record } = await describe(work, deps);
  const { event: id, kind: event, increment, target, cause } = work;
  const fields: HookFields = { ...of, event, increment: String(increment) };
  const told = {
    version: 1,
    id,
    event,
    hook: name,
    attempt: work.attempts + 1,
    at: iso(work.created),
    increment,
    ...defined({ target, failure: cause }),
    ...record,
  };
  const body = `${JSON.stringify(told)}\n`;
  if (run.kind === 'webhook')
    return callWebhook({ ...run, id, event, body, timeoutMs }, deps.clock.now(), signal);
  const filled = fillArguments(run.command, fields);
  if (!filled.ok) return { kind: 'failed', failure: filled.failure, output: '' };
  // these mark every process that a run starts
  const marks = { SCANFLOW_EVENT_ID: id, SCANFLOW_HOOK: name };
  const environment = {
    ...environmentOf(fields),
    ...defined({ SCANFLOW_TARGET: target }),
    ...defined({ SCANFLOW_FAILURE: cause?.code }),
    ...run.environment,
    ...marks,
  };
  const left = await endLeftovers(marks, signal);
  if (left !== undefined) return { kind: 'failed', failure: left, output: '' };
  return runCommand({ command: filled.command, environment, input: body, timeoutMs }, signal);
}

async function describe(
  { kind, subject }: Pick<DeliveryWork, 'kind' | 'subject'>,
  { ledger, store, context }: LoopDeps,
): Promise<Subject> {
  if (kind === 'complete') {
    const view = await ledger.read(findSession, subject);
    if (view === undefined) return NOTHING;
    const session = sessionReport(view, context);
    const folder = view.folder === undefined ? undefined : trimmed(store.pathOf(view.folder, ''));
    const [first] = session.series;
    const { accessionNumber, studyInstanceUid } = (first && fieldsOf(first)) ?? {};
    const fields = given({ folder, accessionNumber, studyInstanceUid, ...session.labels });
    return { fields, record: { ...given({ folder }), session } };
  }
  const [view] = await ledger.read(matching, subject);
  if (view === undefined) return NOTHING;
  const series = seriesReport(view, context);
  const folder = view.path === undefined ? undefined : trimmed(store.pathOf(view.path, ''));
  return {
    fields: given({ ...fieldsOf(series), folder, ...series.labels }),
    record: { ...given({ folder }), series },
  };
}

const NOTHING: Subject = { fields: {}, record: {} };

const fieldsOf = (series: SeriesReport): Record<string, string> => ({
  accessionNumber: series.accessionNumber,
  studyInstanceUid: series.studyInstanceUid,
  seriesInstanceUid: series.seriesInstanceUid,
  seriesNumber: series.seriesNumber,
  modality: series.modality,
});

const trimmed = (folder: string): string => folder.replace(/\/+$/, '');

/** Leaves out unknown values. */
const given = (fields: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );

/** Deliveries and requests stay visible for this long after their end. */
const KEPT_MS = 30 * 86_400_000;
const PRUNE_EVERY_MS = 3_600_000;

export async function pruneRound(deps: LoopDeps, signal: AbortSignal): Promise<void> {
  await deps.ledger.write(prune, deps.clock.now() - KEPT_MS);
  await reportLeft(deps);
  await new Wake().wait(PRUNE_EVERY_MS, signal);
}

interface HookDeps extends Pick<LoopDeps, 'ledger' | 'context' | 'clock' | 'log'> {
  /** Wakes every worker. */
  readonly wake: () => void;
}

interface Query {
  readonly state?: string;
  readonly limit?: string;
}

const DEFAULT_ROWS = 100;

/**
 * GET /api/hooks?state=failed&limit=50: runs, the latest first; and for each hook how many are not done. POST /api/hooks/skip:
 * gives up all runs of a hook that left the configuration.
 */
export function hookRoutes(app: FastifyInstance, deps: HookDeps): void {
  const { ledger, context } = deps;
  app.get<{ Querystring: Query }>('/api/hooks', takes('state', 'limit'), async ({ query }) => {
    const state = oneOf(LEG_STATES, 'state', query.state);
    const told = await ledger.read(deliveriesIn, state, rowsOf(query, DEFAULT_ROWS));
    const open = await ledger.read(openRuns);
    return {
      hooks: told.map((view) => ({ subject: view.subject, ...hookReport(view, context) })),
      open: open.map(({ hook, pending, failed, oldest, waiting }) => ({
        target: `hook:${hook}`,
        configured: context.hooks?.has(hook) !== false,
        pending,
        failed,
        oldest: iso(oldest),
        ...(waiting === undefined ? {} : { waiting: iso(waiting) }),
      })),
    };
  });
  app.post('/api/hooks/skip', async ({ body, ip }) => ({ skipped: await skipAll(body, ip, deps) }));
}

async function skipAll(
  body: unknown,
  ip: string,
  { ledger, context, clock, log, wake }: HookDeps,
): Promise<number> {
  const target = textIn(body, 'target') ?? '';
  const hook = /^hook:(.+)$/.exec(target)?.[1];
  if (hook === undefined) throw new Answer(400, 'only a hook can be skipped: expected hook:NAME as target');
  if (context.hooks?.has(hook) !== false)
    throw new Answer(
      409,
      `${target} is in the configuration. Give it up for one series: scanflow series skip ID --target ${target}`,
    );
  const skipped = await ledger.write(skipHook, hook, clock.now());
  if (skipped === 0) throw new Answer(409, `nothing waits for ${target}`);
  log.warn('all runs of a hook skipped by hand', { target, runs: skipped, ...byWhom(body, ip) });
  wake();
  return skipped;
}

/** Warns of runs that wait for a hook that nobody runs. */
export async function reportLeft({
  ledger,
  context: { hooks },
  log,
}: Pick<LoopDeps, 'ledger' | 'context' | 'log'>): Promise<void> {
  for (const { hook, pending, failed } of await ledger.read(openRuns))
    if (hooks?.has(hook) === false)
      log.warn('runs of a hook wait', { runs: pending + failed, ...hookLeft(hook) });
}
