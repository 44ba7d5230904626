/** Delivers one event to one hook, and records the outcome. */
import { type Failure, permanent } from '@scanflow/failure';
import { environmentOf, fillArguments, hookRetry, type HookFields } from './plan.ts';
import type { DeliveryWork, Ledger } from '../ports.ts';
import type { Clock } from '../model/settings.ts';
import { reached } from '../work/trace.ts';
import { runCommand } from './command.ts';
import { endLeftovers } from './leftovers.ts';
import type { HookOutcome } from './outcome.ts';
import type { Hook } from './settings.ts';
import { callWebhook } from './webhook.ts';
import { delivered, notDelivered } from './sql.ts';

/** The payload beside the event: the current record of the series or session. */
export interface Subject {
  readonly fields: Omit<HookFields, 'event' | 'increment'>;
  readonly record: Readonly<Record<string, unknown>>;
}

export interface DeliverDeps {
  readonly ledger: Ledger;
  readonly hooks: readonly Hook[];
  readonly clock: Clock;
  readonly describe: (work: DeliveryWork) => Promise<Subject>;
}

export type DeliverOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'later'; readonly failure: Failure; readonly delayMs: number }
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'interrupted' };

/** Runs the hook and judges its outcome. Throws what the ledger throws. */
export async function deliver(
  work: DeliveryWork,
  deps: DeliverDeps,
  signal: AbortSignal,
): Promise<DeliverOutcome> {
  const { ledger, clock } = deps;
  const hook = deps.hooks.find(({ name }) => name === work.hook);
  const outcome: HookOutcome = hook === undefined ? NOT_CONFIGURED : await runHook(hook, work, deps, signal);
  reached('hook-ran', { hook: work.hook });
  const now = clock.now();
  if (outcome.kind === 'interrupted') {
    await ledger.write(notDelivered, work, { failure: undefined, output: '', nextTry: undefined }, now);
    return outcome;
  }
  if (outcome.kind === 'done') {
    await ledger.write(delivered, work, outcome.output, now);
    return { kind: 'done' };
  }
  const { failure, output, askedMs = 0 } = outcome;
  const { retries = 0 } = hook ?? {};
  const delayMs = hookRetry(failure, work.attempts + 1, { retries, jitter: clock.random(), askedMs });
  const nextTry = delayMs === undefined ? undefined : now + delayMs;
  await ledger.write(notDelivered, work, { failure, output, nextTry }, now);
  return delayMs === undefined ? { kind: 'failed', failure } : { kind: 'later', failure, delayMs };
}

const NOT_CONFIGURED: HookOutcome = {
  kind: 'failed',
  output: '',
  failure: permanent(
    'HOOK_NOT_CONFIGURED',
    'The configuration no longer has this hook. Put it back and retry it, or leave it.',
  ),
};

async function runHook(
  { name, run, timeoutMs }: Hook,
  work: DeliveryWork,
  { clock, describe }: DeliverDeps,
  signal: AbortSignal,
): Promise<HookOutcome> {
  const { fields: of, record } = await describe(work);
  const { event: id, kind: event, increment, target, cause } = work;
  const fields: HookFields = { ...of, event, increment: String(increment) };
  const told = {
    version: 1,
    id,
    event,
    hook: name,
    attempt: work.attempts + 1,
    at: Temporal.Instant.fromEpochMilliseconds(work.created).toString(),
    increment,
    ...(target === undefined ? {} : { target }),
    ...(cause === undefined ? {} : { failure: cause }),
    ...record,
  };
  const body = `${JSON.stringify(told)}\n`;
  if (run.kind === 'webhook') return callWebhook({ ...run, id, event, body, timeoutMs }, clock.now(), signal);
  const filled = fillArguments(run.command, fields);
  if (!filled.ok) return { kind: 'failed', failure: filled.failure, output: '' };
  // by these all that a run started is known
  const marks = { SCANFLOW_EVENT_ID: id, SCANFLOW_HOOK: name };
  const environment = {
    ...environmentOf(fields),
    ...(target === undefined ? {} : { SCANFLOW_TARGET: target }),
    ...(cause === undefined ? {} : { SCANFLOW_FAILURE: cause.code }),
    ...run.environment,
    ...marks,
  };
  const left = await endLeftovers(marks, signal);
  if (left !== undefined) return { kind: 'failed', failure: left, output: '' };
  return runCommand({ command: filled.command, environment, input: body, timeoutMs }, signal);
}
