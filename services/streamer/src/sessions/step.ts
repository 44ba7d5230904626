/** Writes a complete session's report, then marks the session complete in the ledger. */
import type { Failure } from '@scanflow/failure';
import { BIDS } from '@scanflow/config';
import { iso, named } from '../model/series.ts';
import { failureOf } from '../model/failure.ts';
import { retryAfter, type RetryPolicy } from '../work/pace.ts';
import { sessionDigest, isRecovered, recoveredMark } from './plan.ts';
import type { Millis, Tx } from '../ledger/tx.ts';
import type { SessionView } from '../ledger/rows.ts';
import { reached } from '../work/trace.ts';
import { bidsKnown, writeReports, writeVerdict, type BidsReport } from '../reports/session.ts';
import type { LoopDeps } from '../work/deps.ts';
import { LONGEST_WAIT } from '../work/wake.ts';
import { tell } from '../ledger/aftermath.ts';
import { parse, viewOf } from '../ledger/views.ts';

type SessionOutcome =
  | { readonly kind: 'complete'; readonly series: number }
  /** Images arrived while the report was written. */
  | { readonly kind: 'grown' }
  | { readonly kind: 'later'; readonly failure: Failure };

/** Pauses while project storage is away: the report comes within ten minutes of its return. */
const RETRY: RetryPolicy = { firstMs: 60_000, capMs: 600_000 };

async function sessionStep(session: SessionView, deps: LoopDeps): Promise<SessionOutcome> {
  const { ledger, clock } = deps;
  const digest = sessionDigest(session.series);
  let folder: string | undefined;
  try {
    folder = await report(session, digest, deps);
  } catch (error) {
    const failure = failureOf(error);
    const now = clock.now();
    const wait = retryAfter({ kind: 'transient' }, 1, clock.random(), RETRY);
    await ledger.write(sessionLater, session.id, failure, now + (wait.retry ? wait.delayMs : RETRY.capMs));
    return { kind: 'later', failure };
  }
  reached('report-written', { session: session.id });
  const told = await ledger.write(sessionComplete, session, { digest, folder }, clock.now());
  reached('session-complete', { session: session.id });
  // a verdict that came meanwhile left the report to us
  if (told && isKnown(session, digest)) await writeVerdict(session.id, undefined, deps);
  return told ? { kind: 'complete', series: session.series.length } : { kind: 'grown' };
}

/** Whether it was reported as what it is now. */
const isKnown = (
  { digest: known, series }: Pick<SessionView, 'digest' | 'series'>,
  digest: string,
): boolean => digest === known || (isRecovered(known) && known === recoveredMark(series));

/** Writes the report of a complete session. Gives its folder. */
async function report(session: SessionView, digest: string, deps: LoopDeps): Promise<string | undefined> {
  const again = isKnown(session, digest);
  const increment = session.increment + (again ? 0 : 1);
  const view: SessionView = { ...session, due: null, increment, failure: undefined };
  return writeReports(view, again ? await bidsKnown(session.id, deps) : handedOver(increment, deps), deps);
}

/** A session that is complete from now on goes to the bids service, where there is one. */
const handedOver = (
  increment: number,
  { context, clock }: Pick<LoopDeps, 'context' | 'clock'>,
): BidsReport | undefined =>
  context.hooks?.has(BIDS) === true
    ? { state: 'pending', increment, updated: iso(clock.now()), attempts: 0 }
    : undefined;

/** Reports the next session that is complete, or waits for one. */
export async function sessionRound(deps: LoopDeps, signal: AbortSignal): Promise<void> {
  const { ledger, clock, condition, log, metrics, sessionQuietMs, wakes } = deps;
  const since = wakes.after.count;
  // what came up to the end of its quiet time has to be known: not so after a restart, or while Orthanc does not answer
  const session = await ledger.read(nextSession, Math.min(clock.now(), condition.readAt));
  if (session === undefined) return wakes.after.wait(Math.min(sessionQuietMs, LONGEST_WAIT), signal, since);
  const outcome = await sessionStep(session, deps);
  const about = { sessionId: session.id, ...named(session.series[0]?.attributes['AccessionNumber']) };
  if (outcome.kind === 'later') {
    metrics.failed('sessions', outcome.failure.code);
    log.warn('the report of a session is tried again', { ...about, ...outcome.failure });
  } else if (outcome.kind === 'complete') {
    log.info('session complete', { ...about, series: outcome.series });
    wakes.after.notify();
  }
}

/** It has series, none of them is under way, and none waits for a person. */
const SETTLED = `EXISTS (SELECT 1 FROM series m WHERE m.session = s.id)
  AND NOT EXISTS (SELECT 1 FROM series m WHERE m.session = s.id
                  AND m.state IN ('collecting', 'working', 'quarantined'))`;

/** A session whose quiet time is over, with nothing under way and nothing that waits for a person. */
export async function nextSession(tx: Tx, now: Millis): Promise<SessionView | undefined> {
  const row = await tx.get(
    `SELECT s.* FROM session s WHERE s.due IS NOT NULL AND s.due <= ? AND ${SETTLED} ORDER BY s.due LIMIT 1`,
    [now],
  );
  return row === undefined ? undefined : viewOf(tx, row);
}

/**
 * Marks it complete, with deliveries to hooks, unless something came since it was looked at: then false, and it is looked at
 * again, also where another streamer has told it meanwhile as what it is now.
 */
export async function sessionComplete(
  tx: Tx,
  seen: SessionView,
  { digest, folder }: { readonly digest: string; readonly folder: string | undefined },
  now: Millis,
): Promise<boolean> {
  const row = await tx.get(`SELECT s.* FROM session s WHERE s.id = ? ${tx.dialect.lock}`, [seen.id]);
  if (row?.['due'] == null) {
    // another streamer was first. Whoever stood still meanwhile has written a report of what was: it is written anew
    if (row !== undefined && parse.text(row['digest']) !== digest)
      await tx.run('UPDATE session SET due = ? WHERE id = ?', [now, seen.id]);
    return false;
  }
  if (Number(row['updated']) !== seen.updated) return false;
  const { series } = await viewOf(tx, row);
  // two pieces of news may have come in one millisecond
  if (sessionDigest(series) !== digest) return false;
  const known = parse.text(row['digest']);
  const again = isKnown({ digest: known, series }, digest);
  const increment = Number(row['increment']) + (again ? 0 : 1);
  await tx.run(
    `UPDATE session SET due = NULL, digest = ?, folder = ?, increment = ?, failure_code = NULL, failure_message = NULL
     WHERE id = ?`,
    [again ? (known ?? null) : digest, folder ?? null, increment, seen.id],
  );
  if (!again) await tell(tx, undefined, { kind: 'complete', subject: seen.id, increment }, now);
  return true;
}

export async function sessionLater(tx: Tx, session: string, failure: Failure, due: Millis): Promise<void> {
  await tx.run(
    'UPDATE session SET due = ?, failure_code = ?, failure_message = ? WHERE id = ? AND due IS NOT NULL',
    [due, failure.code, failure.message, session],
  );
}

/** Latest news first. */
export async function listSessions(tx: Tx, limit: number): Promise<SessionView[]> {
  const rows = await tx.all('SELECT * FROM session ORDER BY updated DESC LIMIT ?', [limit]);
  const views: SessionView[] = [];
  for (const row of rows) views.push(await viewOf(tx, row));
  return views;
}
