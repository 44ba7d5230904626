/** Claims on legs, and the ledger's unit of time. */

/** Milliseconds since the Unix epoch. */
export type Millis = number;

/**
 * A leg in one worker's hands, until its lease ends. What is written with a claim that another worker has taken over
 * meanwhile is refused: FailureError LEDGER_LEASE_LOST, transient.
 */
export interface Claim {
  readonly series: string;
  readonly target: string;
  /** Of this claim alone. */
  readonly token: string;
}
