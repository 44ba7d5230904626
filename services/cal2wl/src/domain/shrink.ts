/** Guards against a calendar that is suddenly empty or much smaller: one bad answer removes no booking. */

export interface ShrinkQuestion {
  /** Whether the calendar answered in this pass. An earlier answer confirms nothing. */
  readonly answered: boolean;
  /** The suspicion of the last pass. */
  readonly before: string | undefined;
  /** The number of its bookings in the window that are on the worklist. */
  readonly listed: number;
  /** Accession numbers of bookings whose events are gone from the calendar. */
  readonly lost: readonly string[];
  /** Whether the calendar has no event in the window. */
  readonly empty: boolean;
  /** Whether a person accepts the removals that are held back. */
  readonly accepted: boolean;
}

/** With this many bookings or more, a loss of more than half is suspicious. */
const MANY = 4;

/**
 * Holds back removals if a calendar lost all bookings, or more than half of four or more
 * bookings, until a second answer confirms the loss. The suspicion names the lost bookings.
 */
export function guardShrink({ answered, before, listed, lost, empty, accepted }: ShrinkQuestion): {
  hold: boolean;
  suspicion: string | undefined;
} {
  const suspicious = lost.length > 0 && (empty || (listed >= MANY && lost.length * 2 > listed));
  if (!suspicious) return { hold: false, suspicion: undefined };
  const doubted = new Set(before?.split(' '));
  // like a second answer, a person confirms only removals that were held back before
  const confirmed = (answered || accepted) && lost.every((accession) => doubted.has(accession));
  if (confirmed) return { hold: false, suspicion: undefined };
  return { hold: true, suspicion: answered ? lost.toSorted().join(' ') : before };
}
