/** Writes a complete session's report, then marks the session complete in the ledger. */
import type { Failure } from '@scanflow/failure';
import { named } from '../model/series.ts';
import { failureOf } from '../model/failure.ts';
import { retryAfter, type RetryPolicy } from '../work/pace.ts';
import { commonParent, reportName, sessionDigest, isRecovered, recoveredMark } from './plan.ts';
import type { Millis, Tx } from '../ledger/tx.ts';
import type { SessionView } from '../ledger/rows.ts';
import { reached } from '../work/trace.ts';
import { sessionCsv, sessionReport } from '../reports/session.ts';
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
    folder = await writeReports(session, digest, deps);
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
  return told ? { kind: 'complete', series: session.series.length } : { kind: 'grown' };
}

/** Writes JSON and CSV, each whole or not at all. Without stored series there is no folder for them. */
async function writeReports(
  session: SessionView,
  digest: string,
  { store, context }: LoopDeps,
): Promise<string | undefined> {
  const folders = session.series.flatMap(({ path }) => (path === undefined ? [] : [path]));
  if (folders.length === 0) return undefined;
  const again = digest === session.digest;
  const view: SessionView = {
    ...session,
    due: null,
    increment: session.increment + (again ? 0 : 1),
    failure: undefined,
  };
  const below = session.folder ?? commonParent(folders);
  const report = sessionReport(view, context);
  const name = reportName(session.id, report.accessionNumber);
  const shown = { ...report, folder: undefined };
  await store.writeReport(below, `${name}.json`, `${JSON.stringify(shown, null, 1)}\n`);
  return store.writeReport(below, `${name}.csv`, sessionCsv([report]));
}

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
  const quiet = isRecovered(known) && known === recoveredMark(series);
  const again = quiet || digest === known;
  const increment = Number(row['increment']) + (again ? 0 : 1);
  await tx.run(
    `UPDATE session SET due = NULL, digest = ?, folder = ?, increment = ?, failure_code = NULL, failure_message = NULL
     WHERE id = ?`,
    [quiet ? known : digest, folder ?? null, increment, seen.id],
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
