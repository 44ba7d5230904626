/** Series that wait although they were tried: how many, since when and why, for /healthz, doctor and metrics. */
import type { Fault } from '@scanflow/runtime';
import { COPY, STORAGE } from '../model/series.ts';
import { storageAdvice } from '../model/failure.ts';
import type { Ledger, Millis, Tx } from '../ledger/tx.ts';
import { Wake } from './wake.ts';

/** Series that wait for one target for the same reason. */
export interface Waiting {
  readonly target: string;
  readonly code: string;
  readonly series: number;
  /** Since when the attempts on the oldest one have failed. */
  readonly since: Millis;
}

/** Most groups; a failure has one of few codes. */
const MOST = 100;

/** The oldest first. */
export async function waitingLegs(tx: Tx): Promise<Waiting[]> {
  const rows = await tx.all(
    `SELECT target, failure_code, count(*) AS series, min(coalesce(waiting_since, updated)) AS since FROM leg
     WHERE state = 'pending' AND failure_code IS NOT NULL
     GROUP BY target, failure_code ORDER BY since, target, failure_code LIMIT ?`,
    [MOST],
  );
  return rows.map((row) => ({
    target: String(row['target']),
    code: String(row['failure_code']),
    series: Number(row['series']),
    since: Number(row['since']),
  }));
}

/** Codes that hold every series of a root, whatever is in it. */
const OF_ROOTS: ReadonlySet<string> = new Set([
  ...[
    'STORE_DISK_FULL',
    'STORE_QUOTA',
    'STORE_SPACE_FLOOR',
    'STORE_DENIED',
    'STORE_READ_ONLY',
    'STORE_STALE',
  ],
  ...['STORE_IO', 'STORE_TOO_MANY_FILES'],
]);

/** Images stay in Orthanc meanwhile, so nothing is lost. */
export const holdsStoring = ({ target, code }: Waiting): boolean =>
  (target === STORAGE || target === COPY) && (OF_ROOTS.has(code) || code.startsWith('STORE_ROOT_'));

/** A folder that denies may be the only one; a disk that is full is full for all. */
export const isFull = (one: Waiting): boolean =>
  holdsStoring(one) && ['STORE_DISK_FULL', 'STORE_QUOTA'].includes(one.code);

/** One fault for each group. Where nothing can be stored, that is failing; a destination that is away is not. */
export const waitingFaults = (all: readonly Waiting[], now: Millis): Fault[] =>
  all.map((one) => {
    const { target, code, series, since } = one;
    const who = series === 1 ? '1 series waits' : `${series} series wait`;
    const advice =
      storageAdvice(code) ??
      'scanflow series list --state working shows which; docs/failures.md says what to do.';
    return {
      state: holdsStoring(one) ? 'failing' : 'degraded',
      code,
      message: `${who} for ${target} since ${ageOf(now - since)}. ${advice}`,
      since: Temporal.Instant.fromEpochMilliseconds(since).toString({ smallestUnit: 'second' }),
    };
  });

function ageOf(ms: number): string {
  const minutes = Math.floor(Math.max(0, ms) / 60_000);
  if (minutes < 1) return 'less than a minute';
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`;
}

const EVERY_MS = 5_000;

interface WaitingDeps {
  readonly ledger: Ledger;
  /** Where the last look is kept. */
  readonly condition: { waiting: readonly Waiting[] };
}

export async function watchWaiting({ ledger, condition }: WaitingDeps, signal: AbortSignal): Promise<void> {
  condition.waiting = await ledger.read(waitingLegs);
  await new Wake().wait(EVERY_MS, signal);
}
