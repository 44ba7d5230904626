/**
 * The verify step: reads and compares all files of a series in one place, and records the outcome. Its rounds: by schedule, on
 * request, a summary for /healthz; and the pace of reading.
 */
import { defined } from '@scanflow/failure/defined';
import type { Log } from '@scanflow/runtime';
import { type Failure, FailureError } from '@scanflow/failure';
import type { Orthanc } from '@scanflow/orthanc';
import { failureOf } from '../model/failure.ts';
import type { Layout } from '../store/place/layout.ts';
import { retryAfter, type Rate } from '../work/pace.ts';
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
import {
  endVerify,
  recordLook,
  notLooked,
  adjustVerify,
  giveBackVerify,
  nextVerify,
  renewVerify,
  verifySummary,
  isStoring,
} from './sql.ts';
import { LEG_LEASE, type Lease, workOn, type WorkKind } from '../work/worker.ts';
import type { LoopDeps } from '../work/deps.ts';
import { LONGEST_WAIT, Wake, Pace } from '../work/wake.ts';
import { nextAsked } from './sql-jobs.ts';
import { iso } from '../model/series.ts';

interface VerifyDeps {
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

type VerifyOutcome =
  | { readonly kind: 'looked'; readonly look: Look; readonly repair: Outcome['repair'] }
  /** The schedule leaves it out from now on. */
  | { readonly kind: 'over' }
  | { readonly kind: 'later'; readonly failure: Failure }
  | { readonly kind: 'interrupted' };

/** Retries on a person's request: short pauses, since somebody waits. */
const ASKED_RETRY_MS = 3_000;
const ASKED_ATTEMPTS = 20;
const RETRY = { firstMs: 60_000, capMs: 3_600_000 };

async function verifyStep(work: VerifyWork, deps: VerifyDeps, signal: AbortSignal): Promise<VerifyOutcome> {
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

const SUMMARY_MS = 10_000;
const ADJUST_MS = 3_600_000;
/** After something could not be looked at: a root that is away would have the ledger written all the time. */
const AFTER_TROUBLE = 5_000;

/** Verification has its own claims: while one holds, nobody stores or sends the series. */
const LEASE: Lease<VerifyWork> = { ...LEG_LEASE, renew: renewVerify, giveBack: giveBackVerify };

type Round = readonly [name: string, round: () => Promise<void>];

export function verifyLoops(deps: LoopDeps, signal: AbortSignal): Round[] {
  const verifying = stepDeps(deps);
  const { ledger, clock, verify, condition, wakes } = deps;
  return [
    ['verify', () => scheduled(deps, verifying, signal)],
    ['verify-asked', () => asked(deps, verifying, signal)],
    [
      'verify-summary',
      async () => {
        condition.verified = await ledger.read(verifySummary);
        await wakes.verify.wait(SUMMARY_MS, signal);
      },
    ],
    [
      'verify-times',
      async () => {
        await ledger.write(adjustVerify, verify, clock.now());
        await new Wake().wait(ADJUST_MS, signal);
      },
    ],
  ];
}

function stepDeps(deps: LoopDeps): VerifyDeps {
  const { store, copies, settings, verify, ledger, clock, wakes } = deps;
  return {
    ...deps,
    stores: { storage: store, ...defined({ copy: copies }) },
    copyLayout: settings.copy,
    times: verify,
    pacer: new Pacer(verify.rate, () => ledger.read(isStoring)),
    opens: async (signal) => {
      // a series that has begun keeps its lease, and goes on where it was
      for (
        let until = opensAt(verify, clock.now());
        until !== undefined;
        until = opensAt(verify, clock.now())
      )
        if (signal.aborted) return;
        else await new Wake().wait(Math.min(until - clock.now(), LONGEST_WAIT), signal);
    },
    wake: () => {
      wakes.store.notify();
      wakes.legs.notify();
    },
  };
}

/** Undefined where it is open now. */
function opensAt({ hours }: LoopDeps['verify'], now: number): number | undefined {
  const opening = hours?.(now);
  return opening === undefined || opening.open ? undefined : opening.until;
}

async function scheduled(deps: LoopDeps, verifying: VerifyDeps, signal: AbortSignal): Promise<void> {
  const { ledger, clock, verify } = deps;
  const closed = opensAt(verify, clock.now());
  const work = closed === undefined ? await ledger.write(nextVerify, clock.now()) : undefined;
  if (work === undefined) return new Wake().wait(LONGEST_WAIT, signal);
  const outcome = await verifyOne(work, deps, verifying, signal);
  if (outcome.kind === 'later') await new Wake().wait(AFTER_TROUBLE, signal);
}

async function asked(deps: LoopDeps, verifying: VerifyDeps, signal: AbortSignal): Promise<void> {
  const { ledger, clock, wakes } = deps;
  const since = wakes.verify.count;
  const work = await ledger.write(nextAsked, clock.now());
  if (work === undefined) return wakes.verify.wait(LONGEST_WAIT, signal, since);
  await verifyOne(work, deps, verifying, signal);
}

const verifyOne = (
  work: VerifyWork,
  deps: LoopDeps,
  verifying: VerifyDeps,
  signal: AbortSignal,
): Promise<{ readonly kind: string }> => workOn(verifyKind(deps, verifying), work, deps, signal);

function verifyKind({ log, metrics }: LoopDeps, verifying: VerifyDeps): WorkKind<VerifyWork, OwnOutcome> {
  return {
    name: 'verify',
    lease: LEASE,
    about: ({ series, target }) => ({ series, place: target }),
    says: { later: 'verifying is tried again', interrupted: 'verifying interrupted' },
    quiet: true,
    step: (work, held) => verifyStep(work, verifying, held),
    ended: (outcome, about) => {
      if (outcome.kind === 'over') {
        log.debug('no longer verified by schedule', about);
        return;
      }
      const { files, bytes, failure } = outcome.look;
      metrics.verified(files, bytes);
      if (failure === undefined) {
        log.info('files verified', { ...about, files, bytes });
        return;
      }
      metrics.failed('verify', failure.code);
      log.error('stored files are not what was stored', { ...about, ...failure });
    },
  };
}

type OwnOutcome = Extract<VerifyOutcome, { kind: 'looked' | 'over' }>;

/** Part of the rate that is left while images arrive. */
const SHARE = 10;
/** Pause between two queries whether images arrive. */
const ASK_MS = 1_000;

export class Pacer {
  readonly #pace: Pace;
  readonly #isStoring: () => Promise<boolean>;
  readonly #clock: () => number;
  #asked = -Infinity;
  #slow = false;

  /**
   * @param isStoring whether images arrive or are stored
   * @param clock one that nobody sets, in milliseconds
   */
  constructor(rate: Rate, isStoring: () => Promise<boolean>, clock: () => number = () => performance.now()) {
    this.#pace = new Pace(rate, clock);
    this.#isStoring = isStoring;
    this.#clock = clock;
  }

  /** Waits until the next file may be read, or the signal aborts. */
  async file(signal: AbortSignal): Promise<void> {
    await this.#pace.image(signal);
  }

  /** Waits until so many more bytes may be read, or the signal aborts. */
  async bytes(count: number, signal: AbortSignal): Promise<void> {
    await this.#look();
    await this.#pace.bytes(this.#slow ? SHARE * count : count, signal);
  }

  async #look(): Promise<void> {
    const now = this.#clock();
    if (now - this.#asked < ASK_MS) return;
    this.#asked = now;
    this.#slow = await this.#isStoring();
  }
}
