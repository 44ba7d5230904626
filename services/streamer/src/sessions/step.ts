/** Writes a complete session's report, then marks the session complete. */
import type { Failure } from '@scanflow/failure';
import { failureOf } from '../model/failure.ts';
import { retryAfter, type RetryPolicy } from '../work/retry.ts';
import { commonParent, reportName, sessionDigest } from './plan.ts';
import type { Ledger } from '../ledger/tx.ts';
import type { Store } from '../store/types.ts';
import type { SessionView } from '../ledger/rows.ts';
import type { ReportContext } from '../reports/series.ts';
import type { Clock } from '../model/settings.ts';
import { reached } from '../work/trace.ts';
import { sessionCsv, sessionReport } from '../reports/session.ts';
import { sessionComplete, sessionLater } from './sql.ts';
import type { LoopDeps } from '../work/deps.ts';
import { LONGEST_WAIT } from '../work/wake.ts';
import { nextSession } from './sql.ts';

export interface SessionDeps {
  readonly ledger: Ledger;
  readonly store: Pick<Store, 'writeReport'>;
  readonly clock: Clock;
  readonly context: ReportContext;
}

export type SessionOutcome =
  | { readonly kind: 'complete'; readonly series: number }
  /** Images arrived while the report was written. */
  | { readonly kind: 'grown' }
  | { readonly kind: 'later'; readonly failure: Failure };

/** Pauses while project storage is away: the report comes within ten minutes of its return. */
const RETRY: RetryPolicy = { firstMs: 60_000, capMs: 600_000 };

export async function sessionStep(session: SessionView, deps: SessionDeps): Promise<SessionOutcome> {
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
  { store, context }: SessionDeps,
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
  const { ledger, store, clock, condition, log, metrics, context, sessionQuietMs, wakes } = deps;
  const since = wakes.after.count;
  // what came up to the end of its quiet time has to be known: not so after a restart, or while Orthanc does not answer
  const session = await ledger.read(nextSession, Math.min(clock.now(), condition.readAt));
  if (session === undefined) return wakes.after.wait(Math.min(sessionQuietMs, LONGEST_WAIT), signal, since);
  const outcome = await sessionStep(session, { ledger, store, clock, context });
  if (outcome.kind === 'later') {
    metrics.failed('sessions', outcome.failure.code);
    log.warn('the report of a session is tried again', { session: session.id, ...outcome.failure });
  } else if (outcome.kind === 'complete') {
    log.info('session complete', { session: session.id, series: outcome.series });
    wakes.after.notify();
  }
}
