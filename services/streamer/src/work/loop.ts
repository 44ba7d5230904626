/** The work that never ends: intake, storing, forwarding, each at its own pace, none waiting for another. */
import type { LoopDeps, Wakes } from './deps.ts';
import { followUp } from './follow.ts';
import { recyclingWarning } from './condition.ts';
import { failureOf } from '../model/failure.ts';
import { commitNext } from '../commitment/loop.ts';
import { copyNext } from '../copy/loop.ts';
import { SENT_BY } from '../send/rule.ts';
import { eraseNext } from '../erase/loop.ts';
import { forwardNext } from '../send/loop.ts';
import { readChanges, reconcile } from '../intake/step.ts';
import { labelled } from '../ledger/views.ts';
import { LONGEST_WAIT } from './pause.ts';
import type { SystemInfo } from '../ports.ts';
import { decide } from '../store/place/place.ts';
import type { Settings } from '../model/settings.ts';
import { watchRoots } from '../roots/watch.ts';
import { watchSpace } from '../store/disk/space-watch.ts';
import { storeNext } from '../store/loop.ts';
import { movingKind, type MovingWork } from '../move/loop.ts';
import { workOn } from './worker.ts';
import { verifyLoops } from '../verify/loop.ts';
import { Wake } from './wake.ts';
import { lead } from '../ledger/lead.ts';
import { clampTimers, readCursor } from '../intake/sql.ts';
import { quarantinedSeries } from '../ledger/views.ts';
import { releaseSeries } from '../store/sql.ts';

/** Series that are stored at the same time. */
const STORE_WORKERS = 2;
const AFTER_ERROR = 2_000;
const LEDGER_DOWN: ReadonlySet<string> = new Set([
  'LEDGER_FAILED',
  'LEDGER_UNREACHABLE',
  'LEDGER_TLS',
  'LEDGER_DENIED',
  'LEDGER_TOO_NEW',
]);
const SYSTEM_EVERY = 30_000;
/** Of the lease: how often another streamer looks whether it has to take over. */
const FOLLOW_PART = 1 / 10;

/** Runs until the signal aborts; resolves when all work has been laid down. */
export async function runLoop(deps: LoopDeps, signal: AbortSignal): Promise<void> {
  const { wakes } = deps;
  const { copies } = deps;
  const { copy } = deps.settings;
  const move = (work: MovingWork): Promise<unknown> => workOn(movingKind(deps), work, deps, signal);
  const workers = [
    forever('intake', () => intake(deps, wakes, signal), deps, signal),
    forever('reconcile', () => reconcileAll(deps, wakes, signal), deps, signal),
    forever('recheck', () => recheck(deps, wakes, signal), deps, signal),
    forever('roots', () => watchRoots(deps, wakes, signal), deps, signal),
    forever('erase', () => eraseNext(deps, signal), deps, signal),
    forever('space', () => watchSpace(deps, signal), deps, signal),
    ...Array.from({ length: STORE_WORKERS }, () =>
      forever('store', () => storeNext(deps, move, signal), deps, signal),
    ),
    ...deps.destinations.map((destination) =>
      forever('forward', () => forwardNext(destination, deps, wakes, signal), deps, signal),
    ),
    ...deps.committing.map((committing) =>
      forever('commit', () => commitNext(committing, deps, wakes, signal), deps, signal),
    ),
    ...verifyLoops(deps, wakes, signal).map(([name, round]) => forever(name, round, deps, signal)),
    ...followUp(deps, wakes, signal).map(([name, round]) => forever(name, round, deps, signal)),
    ...(copies === undefined || copy === undefined
      ? []
      : [forever('copy', () => copyNext(deps, copies, copy, wakes.forward, signal), deps, signal)]),
  ];
  await Promise.all(workers);
}

export const createWakes = (): Wakes => ({
  store: new Wake(),
  forward: new Wake(),
  reconcile: new Wake(),
  follow: new Wake(),
  roots: new Wake(),
  verify: new Wake(),
  erase: new Wake(),
});

/** An error of one round is told and waited out; the next round begins anew. */
async function forever(
  name: string,
  round: () => Promise<void>,
  { log, metrics, condition, clock }: LoopDeps,
  signal: AbortSignal,
): Promise<void> {
  const pause = new Wake();
  const ended = (): boolean => signal.aborted;
  while (!ended()) {
    try {
      await round();
      condition.worked(name);
    } catch (error) {
      if (ended()) return;
      const failure = failureOf(error);
      metrics.failed(name, failure.code);
      const fromOrthanc = failure.code.startsWith('ORTHANC_');
      if (LEDGER_DOWN.has(failure.code)) condition.ledgerFailed(name, failure.message);
      if (!fromOrthanc || condition.orthancFailed(failure, clock.now()))
        log.error(`${name} fails`, { ...failure });
      log.debug('the error itself', { step: name, error });
      await pause.wait(AFTER_ERROR, signal);
    }
  }
}

async function intake(deps: LoopDeps, wakes: Wakes, signal: AbortSignal): Promise<void> {
  const { condition, settings, clock } = deps;
  const system = await askSystem(deps, signal);
  if (!(await leading(deps, wakes))) return follow(deps, wakes, signal);
  const began = clock.now();
  const { replaced, seq } = await readChanges(deps, system.database, signal);
  if (seq !== condition.seq) wakes.store.notify();
  condition.seq = seq;
  condition.orthancAnswered();
  condition.readAt = replaced ? 0 : began;
  if (replaced) wakes.reconcile.notify();
  else await new Wake().wait(settings.pollMs, signal);
}

async function askSystem(
  { orthanc, condition, clock, log }: LoopDeps,
  signal: AbortSignal,
): Promise<SystemInfo> {
  const known = condition.system;
  if (known !== undefined && Math.abs(clock.now() - condition.askedAt) <= SYSTEM_EVERY) return known;
  const system = await orthanc.system(signal);
  condition.askedAt = clock.now();
  condition.orthancAnswered();
  if (known?.recycling !== system.recycling && system.recycling !== undefined)
    log.error(recyclingWarning(system.recycling), { code: 'ORTHANC_RECYCLES' });
  condition.system = system;
  return system;
}

/** Whether this streamer is the one that reads what Orthanc reports. Who becomes it looks at everything once. */
async function leading({ ledger, condition, clock, log }: LoopDeps, wakes: Wakes): Promise<boolean> {
  const leads = await ledger.write(lead, clock.now());
  if (leads !== condition.leads) {
    condition.leads = leads;
    log.info(leads ? 'reads what Orthanc reports' : 'another streamer reads what Orthanc reports');
    condition.readAt = 0;
    if (leads) wakes.reconcile.notify();
  }
  return leads;
}

/** Another streamer reads: its news are looked for in the ledger. */
async function follow(
  { ledger, condition, settings }: LoopDeps,
  wakes: Wakes,
  signal: AbortSignal,
): Promise<void> {
  const { seq } = (await ledger.read(readCursor)) ?? condition;
  if (seq !== condition.seq) wakes.store.notify();
  condition.seq = seq;
  await new Wake().wait(Math.max(settings.pollMs, ledger.leaseMs * FOLLOW_PART), signal);
}

async function reconcileAll(deps: LoopDeps, wakes: Wakes, signal: AbortSignal): Promise<void> {
  if (!deps.condition.leads) return wakes.reconcile.wait(LONGEST_WAIT, signal);
  const { series, due } = await reconcile(deps, signal);
  deps.log.info('reconciled', { series, due });
  wakes.store.notify();
  await wakes.reconcile.wait(deps.settings.reconcileMs, signal);
}

/** Quarantined series whose booking appeared, or whom the patterns now match, are stored. */
async function recheck(deps: LoopDeps, wakes: Wakes, signal: AbortSignal): Promise<void> {
  const { ledger, bookings, settings, clock, log, condition } = deps;
  if (!condition.leads) return new Wake().wait(Math.min(settings.recheckMs, LONGEST_WAIT), signal);
  const now = clock.now();
  await ledger.write(clampTimers, now + settings.quietMs, now + 1.2 * longestWait(settings));
  for (const { id, attributes } of await ledger.read(quarantinedSeries)) {
    if (signal.aborted) return;
    const aet = attributes[SENT_BY];
    const sender = aet === undefined ? undefined : { aet };
    const decided = await decide(attributes, bookings, settings, sender, (labels, session) =>
      ledger.read(labelled, labels, session),
    );
    if (decided.kind === 'quarantine') continue;
    await ledger.write(releaseSeries, id, undefined, clock.now());
    log.info('released from quarantine', { series: id, by: decided.kind });
    wakes.store.notify();
  }
  await new Wake().wait(settings.recheckMs, signal);
}

/** Before something is tried again, whatever it is. */
const longestWait = ({ retry, destinations }: Settings): number =>
  Math.max(retry.capMs, ...destinations.map((destination) => destination.retry?.capMs ?? 0));
