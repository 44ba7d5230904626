/** At which of a program's steps a test kills it. */

/** A person asked for kills: `npm run test:faults -- --kills 200`. */
export const EVERY_MOMENT = process.env['KILLS'] !== undefined;

/** The numbers of all steps if a person asked for kills; else of each kind one, each time at another place. */
export function killMoments(steps: readonly string[], kindOf: (step: string) => string): number[] {
  if (EVERY_MOMENT) return steps.map((_, index) => index + 1);
  const kinds = Map.groupBy(steps.keys(), (index) => kindOf(steps[index] ?? ''));
  const one = [...kinds.values()].map((indexes, turn) => indexes[turn % indexes.length] ?? 0);
  return one.map((index) => index + 1).toSorted((left, right) => left - right);
}
