/** Series that wait although they were tried: how many, since when and why, for /healthz, doctor and metrics. */
import type { Fault } from '@scanflow/runtime';
import { COPY, STORAGE } from '../model/series.ts';
import { storageAdvice } from '../model/failure.ts';
import { waitingLegs, type TriedLegs } from '../ledger/search.ts';
import type { Ledger, Millis } from '../ledger/tx.ts';
import { Wake } from './wake.ts';

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
export const holdsStoring = ({ target, code }: TriedLegs): boolean =>
  (target === STORAGE || target === COPY) && (OF_ROOTS.has(code) || code.startsWith('STORE_ROOT_'));

/** A folder that denies may be the only one; a disk that is full is full for all. */
export const isFull = (one: TriedLegs): boolean =>
  holdsStoring(one) && ['STORE_DISK_FULL', 'STORE_QUOTA'].includes(one.code);

export const countText = (count: number): string => (count === 1 ? '1 series waits' : `${count} series wait`);

/** One fault for each group. Where nothing can be stored, that is failing; a destination that is away is not. */
export const waitingFaults = (all: readonly TriedLegs[], now: Millis): Fault[] =>
  all.map((one) => {
    const { target, code, count, since } = one;
    const advice =
      storageAdvice(code) ??
      'scanflow series list --state working shows which; docs/failures.md says what to do.';
    return {
      state: holdsStoring(one) ? 'failing' : 'degraded',
      code,
      message: `${countText(count)} for ${target} since ${ageOf(now - since)}. ${advice}`,
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
  readonly condition: { waiting: readonly TriedLegs[] };
}

export async function watchWaiting({ ledger, condition }: WaitingDeps, signal: AbortSignal): Promise<void> {
  condition.waiting = await ledger.read(waitingLegs);
  await new Wake().wait(EVERY_MS, signal);
}
