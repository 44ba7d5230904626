/** The forward step: what of a series a destination has not got yet goes there, and each answer counts. One round: the next series. */
import { type Failure, FailureError, permanent, transient } from '@scanflow/failure';
import { aboutSeries } from '../model/series.ts';
import { failureOf } from '../model/failure.ts';
import { retryAfter } from '../work/pace.ts';
import { judge as judgeRule, traitsOfRecord } from '../model/rule.ts';
import type { Ledger } from '../ledger/tx.ts';
import type { SeriesRecord, Store } from '../store/types.ts';
import type { SendOutcome, OpenDestination } from './types.ts';
import type { LegWork, Progress } from '../ledger/rows.ts';
import { forwarded, unwanted } from './sql.ts';
import { isWithin, UNKNOWN, wantedSpan } from '../ledger/unknown.ts';
import { newest } from '../store/record.ts';
import { reached } from '../work/trace.ts';
import { Batch, LEG_LEASE, type WorkKind, nextLegTo } from '../work/worker.ts';
import { gateOf } from './open.ts';
import { askForFiles, lookBehind, recordFor } from '../store/look.ts';
import { itemsOf, Tally, judge, failureIn, inTurn } from './items.ts';
import type { Clock, Settings } from '../model/settings.ts';
import { legFailed, legLater } from '../ledger/aftermath.ts';
import { progressOf, recordProgress } from '../ledger/leg.ts';
import { pauseUntil } from '../work/wake.ts';
import type { LoopDeps } from '../work/deps.ts';

interface ForwardDeps {
  readonly ledger: Ledger;
  readonly store: Store;
  readonly settings: Settings;
  readonly clock: Clock;
}

type ForwardOutcome =
  | {
      readonly kind: 'forwarded';
      readonly sent: number;
      readonly warnings: number;
      readonly failure: Failure | undefined;
    }
  | { readonly kind: 'later'; readonly sent: number; readonly failure: Failure; readonly delayMs: number }
  /** Its hours ended: the rest is sent when they begin again. */
  | { readonly kind: 'paused'; readonly sent: number }
  /** Its rule leaves the series out by now. */
  | { readonly kind: 'unwanted'; readonly sent: 0; readonly because: string }
  | { readonly kind: 'interrupted'; readonly sent: number };

const BATCH = 32;
/** Of a slow destination, people see how far it is, and little is sent again after a crash. */
const BATCH_MS = 1_000;

/** Sends what is left for one destination, and writes the outcome into the ledger. */
export async function forwardStep(
  work: LegWork,
  destination: OpenDestination,
  deps: ForwardDeps,
  signal: AbortSignal,
): Promise<ForwardOutcome> {
  const tally = new Tally();
  try {
    const record = await recordFor(work, deps.store);
    if (record === undefined) throw new FailureError(RECORD_GONE);
    const verdict = judgeRule(destination.when, traitsOfRecord(record));
    if (!verdict.wanted) {
      await deps.ledger.write(unwanted, work, deps.clock.now());
      return { kind: 'unwanted', sent: 0, because: verdict.because };
    }
    const through = await sendSeries(work, record, destination, tally, deps, signal);
    if (signal.aborted) return { kind: 'interrupted', sent: tally.sent };
    if (tally.left === RECORD_GONE) throw new FailureError(RECORD_GONE);
    if (tally.left !== undefined) return await later(work, tally.left, tally, destination, deps);
    if (tally.paused) return { kind: 'paused', sent: tally.sent };
    await lookBehind(work, record, deps);
    return await end(work, through, tally, deps);
  } catch (error) {
    if (signal.aborted) return { kind: 'interrupted', sent: tally.sent };
    const failure = failureOf(error);
    // storing puts it there again, and this leg waits for it; where storing has failed, only a person can
    const hopeless = failure.code === RECORD_GONE.code && !(await askForFiles(work, deps));
    if (failure.kind !== 'permanent' && !hopeless) return later(work, failure, tally, destination, deps);
    return giveUp(work, failure, tally, deps);
  }
}

async function end(work: LegWork, through: number, tally: Tally, deps: ForwardDeps): Promise<ForwardOutcome> {
  await deps.ledger.write(forwarded, work, through, tally.refused, deps.clock.now());
  reached('series-forwarded');
  return { kind: 'forwarded', sent: tally.sent, warnings: tally.warnings, failure: tally.refused };
}

async function later(
  work: LegWork,
  failure: Failure,
  tally: Tally,
  destination: OpenDestination,
  deps: ForwardDeps,
): Promise<ForwardOutcome> {
  const { ledger, clock, settings } = deps;
  const attempts = tally.sent > 0 ? 1 : work.attempts + 1;
  const { giveUpMs, ...patient } = destination.retry ?? settings.retry;
  // what stands in the way here is no reason to give up a destination
  const theirs = failure === tally.left && failure !== AWAY;
  const policy = giveUpMs !== undefined && theirs ? { ...patient, giveUpMs } : patient;
  const retry = retryAfter({ kind: 'transient' }, attempts, clock.random(), policy);
  if (!retry.retry) return giveUp(work, givenUp(failure), tally, deps);
  const delayMs = Math.max(retry.delayMs, Math.min(tally.askedMs, policy.capMs));
  const now = clock.now();
  await ledger.write(legLater, work, { attempts, nextTry: now + delayMs, failure }, now);
  return { kind: 'later', sent: tally.sent, failure, delayMs };
}

async function giveUp(
  work: LegWork,
  failure: Failure,
  { sent, warnings }: Tally,
  { ledger, clock }: ForwardDeps,
): Promise<ForwardOutcome> {
  await ledger.write(legFailed, work, failure, clock.now());
  return { kind: 'forwarded', sent, warnings, failure };
}

const givenUp = ({ code, message }: Failure): Failure =>
  permanent(
    'FORWARD_GIVEN_UP',
    `All attempts failed for as long as retry.giveUp of this destination says. The last one: ${code}: ${message} Put that right, then: scanflow series retry.`,
  );

/** Gives the increment up to which everything is dealt with once nothing is left. */
async function sendSeries(
  work: LegWork,
  record: SeriesRecord,
  destination: OpenDestination,
  tally: Tally,
  { ledger, store, clock }: ForwardDeps,
  signal: AbortSignal,
): Promise<number> {
  const progress = await ledger.read(progressOf, work.series, work.target);
  const superseded = supersededIn(record);
  tally.refused = failureIn(progress.filter(({ instance }) => !superseded.has(instance)));
  const outcomes = new Map(progress.map(({ instance, outcome }) => [instance, outcome]));
  const wanted = wantedSpan(progress);
  const todo = record.instances.filter(({ increment, file }) => {
    const outcome = outcomes.get(file);
    const due = outcome === undefined && (increment > work.through || isWithin(wanted, increment));
    return !superseded.has(file) && (outcome === 'again' || due);
  });
  const noted = async (rows: readonly Progress[]): Promise<void> => {
    await ledger.write(recordProgress, work, rows);
    reached('responses-recorded');
  };
  const batch = new Batch<Progress>(BATCH, noted, BATCH_MS);
  const open = new Set(todo.map(({ file }) => file));
  const gate = gateOf(destination, clock.now, signal);
  try {
    const items = itemsOf(inTurn(todo, work.attempts), record, work, store);
    const options = { signal, calmly: work.attempts > 0, gate };
    for await (const outcome of destination.carrier.send(items, options)) {
      reached('response-received');
      const lacking = await lackingFile(outcome, record, work, store);
      if (lacking !== undefined) {
        tally.left ??= lacking;
        continue;
      }
      tally.askedMs = Math.max(tally.askedMs, outcome.askedMs ?? 0);
      const row = judge(outcome, tally);
      if (row === undefined) continue;
      open.delete(outcome.id);
      await batch.add(row);
    }
  } finally {
    await batch.end();
  }
  if (open.size > 0 && !tally.paused) tally.left ??= UNANSWERED;
  if (wanted !== undefined && tally.left === undefined && !tally.paused)
    await ledger.write(recordProgress, work, [{ instance: UNKNOWN, outcome: 'done', detail: '' }]);
  return Math.max(work.through, ...record.instances.map(({ increment }) => increment));
}

/** Files that were corrected since. They are not sent: a destination that keeps what comes first would keep the wrong one. */
function supersededIn({ instances }: SeriesRecord): ReadonlySet<string> {
  const latest = newest(instances);
  return new Set(instances.filter((one) => !latest.has(one)).map(({ file }) => file));
}

const RECORD_GONE = transient(
  'FORWARD_FILES_GONE',
  'Files of this series are missing from project storage, or its series.json is missing or older than the ledger. They are pulled again while Orthanc has them; otherwise put them back and retry the series.',
);
const UNANSWERED = transient(
  'FORWARD_UNANSWERED',
  'Some images were neither sent nor refused. They are sent again.',
);

/** Why a file was not to be read: taken away alone, it is pulled again; with its whole folder, storage may be back tomorrow. */
async function lackingFile(
  outcome: SendOutcome,
  { instances }: SeriesRecord,
  { path, series }: LegWork,
  store: Store,
): Promise<Failure | undefined> {
  if (outcome.result !== 'failed' || outcome.failure.code !== 'FILE_UNREADABLE') return undefined;
  if ((await store.record(path))?.orthancSeries !== series) return AWAY;
  const expected = instances.filter(({ file }) => file === outcome.id);
  return (await store.absent(path, expected)).size > 0 ? RECORD_GONE : undefined;
}

const AWAY = transient(
  'FORWARD_STORAGE_AWAY',
  'Project storage went away while images were sent. Check its mount; sending goes on by itself.',
);

/** Sends the next series that is due to this destination, or waits for one; outside its hours, for those. */
export async function forwardNext(
  destination: OpenDestination,
  deps: LoopDeps,
  signal: AbortSignal,
): Promise<void> {
  const { legs } = deps.wakes;
  const hours = destination.hours?.(deps.clock.now());
  if (hours?.open === false) return pauseUntil(hours.until, legs, legs.count, deps, signal);
  await nextLegTo(destination.name, sending(destination, deps), deps, legs, signal);
}

function sending(
  destination: OpenDestination,
  deps: LoopDeps,
): WorkKind<LegWork, Exclude<ForwardOutcome, { kind: 'later' | 'interrupted' }>> {
  const { log, metrics, wakes } = deps;
  const target = destination.name;
  return {
    name: 'forward',
    lease: LEG_LEASE,
    about: (work) => ({ ...aboutSeries(work), target }),
    says: { later: 'forwarding is tried again', interrupted: 'forwarding interrupted' },
    step: async (work, held) => {
      const outcome = await forwardStep(work, destination, deps, held);
      metrics.forwarded(target, outcome.sent);
      return outcome;
    },
    after: () => wakes.after.notify(),
    ended: (outcome, about) => {
      if (outcome.kind === 'paused') {
        log.info('forwarding waits for its hours', { ...about, sent: outcome.sent });
        return;
      }
      if (outcome.kind === 'unwanted') {
        const { because } = outcome;
        log.info('not forwarded: the rule of the destination leaves it out', { ...about, because });
        return;
      }
      const { sent, warnings, failure } = outcome;
      if (failure === undefined) {
        log.info('series forwarded', { ...about, sent, warnings });
        return;
      }
      metrics.failed('forward', failure.code);
      log.error('forwarding failed in part', { ...about, sent, warnings, ...failure });
    },
  };
}
