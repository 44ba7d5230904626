/** The verify step: reads and compares all files of a series in one place, and records the outcome. */
import type { Log } from '@scanflow/runtime';
import { type Failure, FailureError } from '@scanflow/failure';
import type { Orthanc } from '@scanflow/orthanc';
import { failureOf } from '../model/failure.ts';
import type { Layout } from '../store/place/layout.ts';
import { retryAfter } from '../work/pace.ts';
import type { Ledger } from '../ledger/tx.ts';
import type { RecordedVerification, Store } from '../store/types.ts';
import type { SeriesView } from '../ledger/rows.ts';
import type { Clock } from '../model/settings.ts';
import {
  BUSY,
  findRecord,
  lookAt,
  refusedBy,
  stillThere,
  type Found,
  type LookDeps,
  type Looked,
} from './look.ts';
import { isBusy, isOver, nextDue, recordedOutcome, saysTheSame } from './plan.ts';
import { underClaim, repair, type Repaired } from './repair.ts';
import type { Look, Outcome, FileTarget, VerificationView, VerifyTimes, VerifyWork } from './types.ts';
import { endVerify, recordLook, notLooked } from './sql.ts';
import { iso } from '../model/series.ts';

export interface VerifyDeps {
  readonly ledger: Ledger;
  readonly orthanc: Pick<Orthanc, 'instances'>;
  readonly stores: Readonly<Partial<Record<FileTarget, Store>>>;
  readonly copyLayout: Layout | undefined;
  readonly times: VerifyTimes;
  readonly pacer: LookDeps['pacer'];
  /** Waits until the schedule allows reading. */
  readonly opens: (signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
  /** Wakes the storage's worker. */
  readonly wake: () => void;
}

export type VerifyOutcome =
  | { readonly kind: 'looked'; readonly look: Look; readonly repair: Outcome['repair'] }
  /** The schedule leaves it out from now on. */
  | { readonly kind: 'over' }
  | { readonly kind: 'later'; readonly failure: Failure }
  | { readonly kind: 'interrupted' };

/** Retries on a person's request: short pauses, since somebody waits. */
const ASKED_RETRY_MS = 3_000;
const ASKED_ATTEMPTS = 20;
const RETRY = { firstMs: 60_000, capMs: 3_600_000 };

export async function verifyStep(
  work: VerifyWork,
  deps: VerifyDeps,
  signal: AbortSignal,
): Promise<VerifyOutcome> {
  const { ledger, clock, times } = deps;
  try {
    const view = await stillThere({ id: work.series }, ledger);
    const known = view?.verification.find(({ place }) => place === work.target);
    // erased, and its claim with it
    if (view === undefined || known === undefined) return { kind: 'interrupted' };
    const store = deps.stores[work.target];
    if (work.job === undefined && (store === undefined || isOver(known, times, clock.now()))) {
      await ledger.write(endVerify, work);
      return { kind: 'over' };
    }
    if (store === undefined || isBusy(view, work.target)) throw new FailureError(BUSY);
    const { looked, report } = await lookAndRepair(work, view, store, deps, signal);
    await note(view, known, looked, { ...deps, store }, signal);
    const due = nextDue(known, times, clock.now());
    await ledger.write(recordLook, work, looked.look, { due, repair: report }, clock.now());
    return { kind: 'looked', look: looked.look, repair: report };
  } catch (error) {
    return putOff(work, failureOf(error), deps, signal);
  }
}

async function putOff(
  work: VerifyWork,
  failure: Failure,
  { ledger, clock }: VerifyDeps,
  signal: AbortSignal,
): Promise<VerifyOutcome> {
  if (signal.aborted || failure.code === 'LEDGER_LEASE_LOST') return { kind: 'interrupted' };
  const attempts = work.attempts + 1;
  const retry = retryAfter({ kind: 'transient' }, attempts, clock.random(), RETRY);
  const scheduled = retry.retry ? retry.delayMs : RETRY.capMs;
  const asked = attempts < ASKED_ATTEMPTS ? ASKED_RETRY_MS : undefined;
  const delay = work.job === undefined ? scheduled : asked;
  await ledger.write(notLooked, work, failure, delay === undefined ? undefined : clock.now() + delay);
  return { kind: 'later', failure };
}

async function lookAndRepair(
  work: VerifyWork,
  view: SeriesView,
  store: Store,
  deps: VerifyDeps,
  signal: AbortSignal,
): Promise<{ looked: Looked; report: Outcome['repair'] }> {
  const opens = work.job === undefined ? deps.opens : () => Promise.resolve();
  const look = (of: SeriesView): Promise<Looked> =>
    lookAt(of, work.target, { ...deps, store, opens }, signal).catch((error: unknown) => {
      const refused = refusedBy(error);
      if (refused === undefined) throw error;
      return { look: refused, wrong: [], folder: undefined, record: undefined };
    });
  const looked = await look(view);
  if (!work.repair || looked.look.failure === undefined) return { looked, report: undefined };
  const other = deps.stores[work.target === 'storage' ? 'copy' : 'storage'];
  const repaired: Repaired = await repair(view, work.target, looked, { ...deps, store, other, look }, signal);
  return { looked: repaired.looked, report: repaired.report };
}

type NoteDeps = Pick<VerifyDeps, 'ledger' | 'clock' | 'log'> & { readonly store: Store };

/** Writes the findings into `series.json`, with the acknowledgement of exactly these findings. */
async function note(
  view: SeriesView,
  known: VerificationView,
  { look, folder, record }: Looked,
  deps: NoteDeps,
  signal: AbortSignal,
): Promise<void> {
  const acknowledged = known.digest === look.digest ? known.acknowledged : undefined;
  if (folder === undefined || record === undefined) return;
  await writeOutcome(
    view,
    known.place,
    { folder, record },
    recordedOutcome(look, acknowledged),
    deps,
    signal,
  );
}

/** Writes the ledger's knowledge into `series.json`. */
export async function noteKnown(
  view: SeriesView,
  known: VerificationView,
  deps: NoteDeps,
  signal: AbortSignal,
): Promise<void> {
  const found = await findRecord(view, known.place, { ...deps, copyLayout: undefined });
  if (found === undefined) return;
  await writeOutcome(view, known.place, found, recordedOutcome(known, known.acknowledged), deps, signal);
}

/**
 * `series.json` is written anew only where it says another outcome, so that backups stay quiet. Where it cannot be written
 * now, the next look sees to it.
 */
async function writeOutcome(
  view: SeriesView,
  place: FileTarget,
  { folder, record }: Found,
  outcome: RecordedVerification,
  deps: NoteDeps,
  signal: AbortSignal,
): Promise<void> {
  if (saysTheSame(record, outcome)) return;
  const { store, clock, log } = deps;
  const since = iso(clock.now());
  try {
    await underClaim(view, place, folder, deps, signal, (claimed, stillOurs) =>
      store.writeRecord(claimed, { ...claimed.record, verification: { ...outcome, since } }, stillOurs),
    );
  } catch (error) {
    log.warn('series.json does not have the outcome of verification yet', {
      series: view.id,
      place,
      ...failureOf(error),
    });
  }
}
