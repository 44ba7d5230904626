/** When stored files are read again: the rounds of verification, at the share of time and in the hours that the configuration gives. */
import { defined } from '@scanflow/failure/defined';
import type { Rate } from '../work/pace.ts';
import type { VerifyWork } from './types.ts';
import { adjustVerify, giveBackVerify, nextVerify, renewVerify, verifySummary, isStoring } from './sql.ts';
import { LEG_LEASE, type Lease, workOn, type WorkKind } from '../work/worker.ts';
import type { LoopDeps } from '../work/deps.ts';
import { LONGEST_WAIT, Wake, Pace } from '../work/wake.ts';
import { nextAsked } from './sql-jobs.ts';
import { type VerifyDeps, type VerifyOutcome, verifyStep } from './step.ts';

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
