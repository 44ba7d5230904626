/** Which tests run under a shifted clock. */

/** Packages of DICOM as data and on the wire read no clock; testkit has no tests of its own. */
const READS_NO_CLOCK = /^packages\/(dicom|dimse|testkit)\//;
/** The ledger is given times, a monotonic clock limits patterns, and datasets have the times of their images: not on every push. */
const SELDOM =
  /^services\/streamer\/src\/ledger\/|^packages\/booking\/src\/pattern\/|^services\/bids\/src\/work\//;
/** Orthanc and PostgreSQL can stand still under a shifted clock: faketime does not follow each way in which their threads wait. */
const STARTS_A_SERVER = /\bstart(Orthanc|Postgres)\b/;
const JUDGE_TIMES = [
  'tests/integration/worklist-performed.test.ts',
  'tests/integration/cal2wl-reconcile-window.test.ts',
  'tests/integration/cal2wl-interpret.test.ts',
  'tests/integration/cal2wl-reconcile-running.test.ts',
  'tests/e2e/bookings.test.ts',
] as const;

/** Whether a test, given its source, runs under shifted clocks at all. */
export const bearsShifting = (source: string): boolean => !STARTS_A_SERVER.test(source);

/** Of all unit tests and of the integration tests those that count; of the latter, on a push, each clock has one in turn. */
export function testsOf(units: readonly string[], clockOnPush?: number): string[] {
  const own = units.filter((file) => !READS_NO_CLOCK.test(file));
  if (clockOnPush === undefined) return [...own, ...JUDGE_TIMES];
  const turn = JUDGE_TIMES[clockOnPush % JUDGE_TIMES.length] ?? JUDGE_TIMES[0];
  return [...own.filter((file) => !SELDOM.test(file)), turn];
}
