/** Which tests run under a shifted clock. */

/** Packages of DICOM as data and on the wire read no clock; testkit has no tests of its own. */
const READS_NO_CLOCK = /^packages\/(dicom|dimse|testkit)\//;
/** The ledger is given times, and patterns are held to a monotonic clock: not on every push. */
const SELDOM =
  /^services\/streamer\/src\/(adapters\/ledger|verify\/conformance)|^packages\/booking\/src\/pattern\//;
const JUDGE_TIMES = [
  'tests/integration/worklist-performed.test.ts',
  'tests/integration/cal2wl-reconcile-window.test.ts',
  'tests/integration/cal2wl-interpret.test.ts',
  'tests/integration/cal2wl-reconcile-running.test.ts',
  'tests/e2e/bookings.test.ts',
] as const;

/** Of all unit tests and of the integration tests those that count; of the latter, on a push, each clock has one in turn. */
export function testsOf(units: readonly string[], clockOnPush?: number): string[] {
  const own = units.filter((file) => !READS_NO_CLOCK.test(file));
  if (clockOnPush === undefined) return [...own, ...JUDGE_TIMES];
  const turn = JUDGE_TIMES[clockOnPush % JUDGE_TIMES.length] ?? JUDGE_TIMES[0];
  return [...own.filter((file) => !SELDOM.test(file)), turn];
}
