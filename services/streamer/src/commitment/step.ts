/** Storage commitment at one destination (PS3.4 J): requests for what was sent, and the outcome of each series. */
import { describeStatus } from '@scanflow/dicom';
import { type Failure, FailureError, permanent, transient } from '@scanflow/failure';
import {
  planCommitment,
  type CommitmentItem,
  type CommitmentPlan,
  type CommitmentRow,
  type Transaction,
  type CommitmentNow,
  commitmentLeg,
  type Committing,
} from './plan.ts';
import { aboutSeries } from '../model/series.ts';
import { failureOf } from '../model/failure.ts';
import { retryAfter } from '../work/pace.ts';
import type { Ledger } from '../ledger/tx.ts';
import type { SeriesRecord, Store } from '../store/types.ts';
import type { LegWork } from '../ledger/rows.ts';
import { newest } from '../store/record.ts';
import { reached } from '../work/trace.ts';
import { askForFiles, lookBehind, recordFor } from '../store/look.ts';
import type { Clock, Settings } from '../model/settings.ts';
import {
  accepted,
  asking,
  awaiting,
  commitmentsOf,
  committed,
  decided,
  notAsked,
  resendFiles,
} from './sql.ts';
import { legFailed } from '../ledger/aftermath.ts';
import { LEG_LEASE, type WorkKind, nextLegTo } from '../work/worker.ts';
import type { LoopDeps } from '../work/deps.ts';

interface CommitDeps {
  readonly ledger: Ledger;
  readonly store: Pick<Store, 'record' | 'absent'>;
  readonly settings: Pick<Settings, 'retry'>;
  readonly clock: Clock;
}

type CommitOutcome =
  /** Settled: all that was sent is safe there, but for what `failure` says. */
  | { readonly kind: 'settled'; readonly failure: Failure | undefined }
  /** Reports are due, or images are sent again. */
  | { readonly kind: 'waiting'; readonly asked: readonly string[]; readonly resent: number }
  | { readonly kind: 'later'; readonly failure: Failure; readonly delayMs: number }
  | { readonly kind: 'interrupted' };

/** Carries one series' commitment as far as it gets, and writes the outcome into the ledger. */
export async function commitStep(
  work: LegWork,
  committing: Committing,
  deps: CommitDeps,
  signal: AbortSignal,
): Promise<CommitOutcome> {
  const { ledger, clock } = deps;
  let news = 0;
  try {
    const now = await ledger.read(commitmentsOf, work, committing.name);
    news = now.news;
    return await settle(work, now, committing, deps, signal);
  } catch (error) {
    const failure = failureOf(error);
    if (signal.aborted || failure.code === 'LEDGER_LEASE_LOST') return { kind: 'interrupted' };
    if (failure.code === RECORD_GONE.code) await askForFiles(work, deps);
    if (failure.kind !== 'permanent') return later(work, news, failure, deps);
    await ledger.write(legFailed, work, failure, clock.now());
    return { kind: 'settled', failure };
  }
}

async function settle(
  work: LegWork,
  now: CommitmentNow,
  committing: Committing,
  deps: CommitDeps,
  signal: AbortSignal,
): Promise<CommitOutcome> {
  const { ledger, clock } = deps;
  const record = await recordFor(work, deps.store);
  if (record === undefined) throw new FailureError(RECORD_GONE);
  const images = imagesOf(record);
  const plan = planCommitment({ ...now, images, through: work.through }, committing, clock.now());
  if (plan.rows.length > 0 || plan.ended.length > 0) await ledger.write(decided, work, plan, clock.now());
  const sending = await sendAgain(work, plan, now, committing, deps);
  const asked: { readonly uid: string; readonly until: number }[] = [];
  for (const { round, items } of plan.ask) {
    signal.throwIfAborted();
    asked.push(await askFor(items, round, work, committing, deps, signal));
  }
  const next = [plan.until, ...asked.map(({ until }) => until)].filter((time) => time !== undefined);
  if (next.length === 0 && !sending) {
    const { failure } = plan;
    await lookBehind(work, record, deps);
    await ledger.write(committed, work, { news: now.news, through: now.sent, failure }, clock.now());
    reached('series-committed');
    return { kind: 'settled', failure };
  }
  // sending again tells when it has ended; should that word be lost, it is looked at all the same
  const nextTry = Math.min(...next, ...(sending ? [clock.now() + RESENDING_MS] : []));
  const wait = { news: now.news, nextTry, attempts: 0, failure: undefined };
  await ledger.write(awaiting, work, wait, clock.now());
  return { kind: 'waiting', asked: asked.map(({ uid }) => uid), resent: plan.resend.length };
}

const RESENDING_MS = 60_000;

const imagesOf = ({ instances }: SeriesRecord): CommitmentItem[] =>
  [...newest(instances)].map(({ file, sopClassUid, sopInstanceUid, increment }) => ({
    instance: file,
    sopClassUid,
    sopInstanceUid,
    increment,
  }));

/** Project storage that is away comes back; what Orthanc still has is pulled again. */
const RECORD_GONE = transient(
  'COMMITMENT_NO_RECORD',
  'The series.json of this series is missing, or older than the ledger, so nobody knows for which images to request commitment. Put it back; it goes on by itself.',
);

/** Whether something is being sent again, or must be. */
async function sendAgain(
  work: LegWork,
  { resend, sending }: CommitmentPlan,
  { rows }: CommitmentNow,
  { name }: Committing,
  { ledger, clock }: CommitDeps,
): Promise<boolean> {
  if (resend.length === 0) return sending;
  const wanted = new Set(resend);
  const again: CommitmentRow[] = rows.filter(({ instance }) => wanted.has(instance));
  await ledger.write(resendFiles, work, name, again, clock.now());
  reached('commitment-resent');
  return true;
}

/** Asks for these; gives when the report is overdue. Throws FailureError where the destination does not take the request. */
async function askFor(
  items: readonly CommitmentItem[],
  round: number,
  work: LegWork,
  { asker, withinMs }: Committing,
  { ledger, clock }: CommitDeps,
  signal: AbortSignal,
): Promise<{ uid: string; until: number }> {
  const transaction: Transaction = {
    uid: asker.newUid(),
    state: 'asked',
    round,
    until: clock.now() + withinMs,
    items,
  };
  await ledger.write(asking, work, transaction, clock.now());
  reached('commitment-written');
  // other bytes under one UID are one instance there
  const references = [...new Map(items.map((item) => [item.sopInstanceUid, item])).values()].map(
    ({ sopClassUid, sopInstanceUid }) => ({ sopClassUid, sopInstanceUid }),
  );
  const answer = await asker.ask(transaction.uid, references, signal);
  reached('commitment-asked');
  if (answer.ok && answer.status === 0) {
    const until = clock.now() + withinMs;
    await ledger.write(accepted, work, transaction.uid, until);
    return { uid: transaction.uid, until };
  }
  const failure = answer.ok ? notTaken(answer.status, answer.comment) : answer.failure;
  // where nobody knows whether it got there, its report still counts
  if (failure.kind !== 'ambiguous') await ledger.write(notAsked, work, transaction.uid);
  throw new FailureError(failure);
}

/** N-ACTION refused (PS3.4 J.3.2.1.3, PS3.7 10.1.4.1.10). */
function notTaken(status: number, comment: string | undefined): Failure {
  // the statuses of every service are those of C-ECHO
  const { meaning, transient: passes } = describeStatus('C-ECHO', status);
  const hex = status.toString(16).toUpperCase().padStart(4, '0');
  const said = comment === undefined ? '' : `: ${comment}`;
  const message = `The destination refuses the request for storage commitment with ${meaning} (status ${hex}${said}).`;
  return passes
    ? transient('COMMITMENT_NOT_TAKEN', `${message} The streamer requests it again.`)
    : permanent(
        'COMMITMENT_NOT_TAKEN',
        `${message} Look into its log, or take commitment out of this destination; then retry.`,
      );
}

async function later(
  work: LegWork,
  news: number,
  failure: Failure,
  { ledger, clock, settings }: CommitDeps,
): Promise<CommitOutcome> {
  const attempts = work.attempts + 1;
  const retry = retryAfter({ kind: 'transient' }, attempts, clock.random(), settings.retry);
  const delayMs = retry.retry ? retry.delayMs : settings.retry.capMs;
  const now = clock.now();
  await ledger.write(awaiting, work, { news, nextTry: now + delayMs, attempts, failure }, now);
  return { kind: 'later', failure, delayMs };
}

/** Settles, or carries on, the next series that is due at this destination, or waits for one. */
export const commitNext = (committing: Committing, deps: LoopDeps, signal: AbortSignal): Promise<void> => {
  const target = commitmentLeg(committing.name);
  return nextLegTo(target, workOfCommitment(committing, target, deps), deps, deps.wakes.legs, signal);
};

function workOfCommitment(
  committing: Committing,
  target: string,
  deps: LoopDeps,
): WorkKind<LegWork, Extract<CommitOutcome, { kind: 'settled' | 'waiting' }>> {
  const { log, metrics, wakes } = deps;
  return {
    name: 'commit',
    lease: LEG_LEASE,
    about: (work) => ({ ...aboutSeries(work), target }),
    says: { later: 'commitment is requested later', interrupted: 'commitment interrupted' },
    step: (work, held) => commitStep(work, committing, deps, held),
    after: () => wakes.after.notify(),
    ended: (outcome, about) => {
      if (outcome.kind === 'waiting') {
        const { asked, resent } = outcome;
        if (asked.length + resent > 0)
          log.info('commitment requested', { ...about, transactions: asked, resent });
        if (resent > 0) wakes.legs.notify();
        return;
      }
      const { failure } = outcome;
      if (failure === undefined) {
        log.info('series committed', about);
        return;
      }
      metrics.failed('commit', failure.code);
      log.error('commitment failed', { ...about, ...failure });
    },
  };
}
