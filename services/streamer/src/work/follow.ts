/** What follows once images are where they belong: hooks, sessions, what scanners reported, and cleaning up. */
import type { Follow } from './deps.ts';
import { failureOf } from '../model/failure.ts';
import { keptBecause, keptSummary } from '../cleanup/kept.ts';
import type { SeriesView } from '../ports.ts';
import type { LoopDeps } from './deps.ts';
import { runNextHook } from '../hooks/loop.ts';
import { sessionStep } from '../sessions/step.ts';
import { cleanStep } from '../cleanup/step.ts';
import { Wake } from './wake.ts';
import { nextSession } from '../sessions/sql.ts';
import { collecting, expectImages, hasten, unexpected } from '../ledger/people.ts';
import { prune } from '../ledger/prune.ts';
import { cleanable, keptSeries } from '../cleanup/sql.ts';

type Deps = LoopDeps & { readonly follow: Follow };
type Wakes = Readonly<Record<'store' | 'follow', Wake>>;

/** Runs of one hook at the same time. */
const RUNS = 2;
const LONGEST_WAIT = 5_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** What was told is shown for so long. */
const KEPT_MS = 30 * DAY_MS;
/** A series may not be stored before the scanner has reported it. */
const REPORTED_WITHIN_MS = 7 * DAY_MS;
const MANY = 500;
/** Kept series that are told one by one. */
const MOST_KEPT = 10_000;

/** Named rounds that never end. */
export function followUp(
  deps: Deps,
  wakes: Wakes,
  signal: AbortSignal,
): (readonly [name: string, round: () => Promise<void>])[] {
  const { hooks, cleanupAfterMs } = deps.follow;
  return [
    ...hooks.flatMap((hook) =>
      Array.from(
        { length: RUNS },
        () => ['hooks', () => runNextHook(hook, deps, wakes.follow, signal)] as const,
      ),
    ),
    ['sessions', () => sessionRound(deps, wakes, signal)],
    ['expected', () => lookAtReports(deps, wakes, signal)],
    ['prune', () => pruneRound(deps, signal)],
    ...(cleanupAfterMs === undefined
      ? []
      : [['cleanup', () => cleanUp(cleanupAfterMs, deps, signal)] as const]),
  ];
}

async function sessionRound(deps: Deps, wakes: Wakes, signal: AbortSignal): Promise<void> {
  const { ledger, store, clock, condition, log, metrics, follow } = deps;
  const since = wakes.follow.count;
  // what came up to the end of its quiet time has to be known: not so after a restart, or while Orthanc does not answer
  const session = await ledger.read(nextSession, Math.min(clock.now(), condition.readAt));
  if (session === undefined)
    return wakes.follow.wait(Math.min(follow.sessionQuietMs, LONGEST_WAIT), signal, since);
  const outcome = await sessionStep(session, { ledger, store, clock, context: follow.context });
  if (outcome.kind === 'later') {
    metrics.failed('sessions', outcome.failure.code);
    log.warn('the report of a session is tried again', { session: session.id, ...outcome.failure });
  } else if (outcome.kind === 'complete') {
    log.info('session complete', { session: session.id, series: outcome.series });
    wakes.follow.notify();
  }
}

/** How many images each series should have: those that have them need not wait for the end of their quiet time. */
async function lookAtReports(deps: Deps, wakes: Wakes, signal: AbortSignal): Promise<void> {
  const { ledger, clock, follow, settings } = deps;
  await follow.performed.refresh();
  if (follow.performed.known() > 0) {
    for (const id of await ledger.read(collecting, MANY)) await hastenOne(id, deps, wakes, signal);
    for (const { id, uid } of await ledger.read(unexpected, clock.now() - REPORTED_WITHIN_MS, MANY)) {
      const expected = follow.performed.expected(uid);
      if (expected !== undefined) await ledger.write(expectImages, id, expected, clock.now());
    }
  }
  await wakes.follow.wait(Math.min(2.5 * settings.pollMs, LONGEST_WAIT), signal);
}

async function hastenOne(id: string, deps: Deps, wakes: Wakes, signal: AbortSignal): Promise<void> {
  const { ledger, orthanc, clock, log, follow } = deps;
  const found = await orthanc.series(id, signal).catch((error: unknown) => {
    // deleted meanwhile: its quiet timer goes on, and what was lost shows
    if (failureOf(error).code === 'ORTHANC_GONE') return undefined;
    throw error;
  });
  const expected = found === undefined ? undefined : follow.performed.expected(found.uid);
  const images = found?.instances.length ?? 0;
  if (expected === undefined || images < expected) return;
  await ledger.write(hasten, id, clock.now());
  log.info('all images are there', { series: id, images, expected });
  wakes.store.notify();
}

async function pruneRound({ ledger, clock }: Deps, signal: AbortSignal): Promise<void> {
  await ledger.write(prune, clock.now() - KEPT_MS);
  await new Wake().wait(HOUR_MS, signal);
}

async function cleanUp(afterMs: number, deps: Deps, signal: AbortSignal): Promise<void> {
  const { ledger, clock } = deps;
  const { notCleaned } = deps.follow;
  const ready = await ledger.read(cleanable, clock.now() - afterMs, MANY + notCleaned.size);
  for (const series of ready) {
    if (signal.aborted) return;
    if ((notCleaned.get(series.id)?.again ?? 0) <= clock.now()) await cleanOne(series, deps, signal);
  }
  await lookAtKept(afterMs, deps);
  await new Wake().wait(Math.min(Math.max(afterMs / 2, 200), MINUTE_MS), signal);
}

/** What stays in Orthanc fills its disk: it shows, with the reason. */
async function lookAtKept(afterMs: number, { ledger, clock, follow, condition }: Deps): Promise<void> {
  const { kept, notCleaned } = follow;
  const found = await ledger.read(keptSeries, clock.now() - afterMs, MOST_KEPT);
  kept.clear();
  for (const series of found) kept.set(series.id, keptBecause(series));
  condition.kept = keptSummary([...kept.values(), ...notCleaned.values()]);
}

async function cleanOne(series: SeriesView, deps: Deps, signal: AbortSignal): Promise<void> {
  const { clock, log, metrics } = deps;
  const { notCleaned } = deps.follow;
  const outcome = await cleanStep(series, deps, signal).catch((error: unknown) => {
    if (signal.aborted) throw error;
    return { kind: 'refused', failure: failureOf(error) } as const;
  });
  if (outcome.kind !== 'refused') {
    notCleaned.delete(series.id);
    if (outcome.kind === 'cleaned')
      log.info('deleted from Orthanc', { series: series.id, images: outcome.images });
    return;
  }
  const { failure } = outcome;
  metrics.failed('cleanup', failure.code);
  if (notCleaned.get(series.id)?.code !== failure.code)
    log.error('not deleted from Orthanc', { series: series.id, ...failure });
  // what is wrong with the files is for a person; what was wrong with Orthanc may be over
  const wait = failure.kind === 'permanent' ? HOUR_MS : MINUTE_MS;
  notCleaned.set(series.id, { ...failure, again: clock.now() + wait });
}
