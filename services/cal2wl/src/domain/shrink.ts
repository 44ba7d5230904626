/** Protection from a calendar that suddenly is empty or much smaller: one bad answer removes nothing. */

export interface ShrinkQuestion {
  /** Whether the calendar answered in this pass; what it said before confirms nothing. */
  readonly answered: boolean;
  /** The suspicion of the last pass. */
  readonly before: string | undefined;
  /** How many of its bookings in the window are on the worklist. */
  readonly listed: number;
  /** Accession numbers of those whose events are nowhere in the calendar any more. */
  readonly lost: readonly string[];
  /** The calendar shows no event at all in the window. */
  readonly empty: boolean;
  /** A person accepts what is held back. */
  readonly accepted: boolean;
}

/** From this many bookings on, losing more than half of them is suspicious. */
const MANY = 4;

/**
 * Holds back the removal of what a calendar lost when it lost everything, or more than half of four or more
 * bookings, until a second answer says the same. The suspicion names what was lost.
 */
export function guardShrink({ answered, before, listed, lost, empty, accepted }: ShrinkQuestion): {
  hold: boolean;
  suspicion: string | undefined;
} {
  const suspicious = lost.length > 0 && (empty || (listed >= MANY && lost.length * 2 > listed));
  if (!suspicious) return { hold: false, suspicion: undefined };
  const doubted = new Set(before?.split(' '));
  // a person's word is as good as a second answer, and like it counts for what was held back before, not for more
  const confirmed = (answered || accepted) && lost.every((accession) => doubted.has(accession));
  if (confirmed) return { hold: false, suspicion: undefined };
  return { hold: true, suspicion: answered ? lost.toSorted().join(' ') : before };
}
