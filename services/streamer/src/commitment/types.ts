/** What storage commitment needs from the ledger. */
import type { CommitmentFacts, CommitmentPlan, CommitmentRow, Transaction } from './plan.ts';
import type { Failure } from '../model/failure.ts';
import type { Claim, Millis } from '../ledger/claim.ts';

export interface CommitmentNow extends Omit<CommitmentFacts, 'images' | 'through'> {
  /** Counts what happened to the leg: a later one tells that there is something new. */
  readonly news: number;
}

export interface Reported {
  readonly transactionUid: string;
  /** SOP Instance UIDs. */
  readonly committed: ReadonlySet<string>;
  /** Likewise, and why; `askAgain`: it need not be sent again. */
  readonly failed: ReadonlyMap<string, { readonly text: string; readonly askAgain: boolean }>;
}

export type ReportedOutcome =
  /** Nobody asked that, or not this destination. */
  | { readonly kind: 'unknown' }
  /** Reported before; nothing changes. */
  | { readonly kind: 'duplicate'; readonly series: string }
  | {
      readonly kind: 'taken';
      readonly series: string;
      readonly target: string;
      readonly committed: number;
      readonly failed: number;
      /** It was no longer waited for. */
      readonly late: boolean;
    };

/** Every method is one transaction. All but the last need the claim of the commitment's leg. */
export interface CommitmentLedger {
  readonly commitments: (claim: Claim, destination: string) => Promise<CommitmentNow>;
  /** Writes down what was decided, before anything is asked. */
  readonly decided: (
    claim: Claim,
    plan: Pick<CommitmentPlan, 'rows' | 'ended'>,
    now: Millis,
  ) => Promise<void>;
  /** Durable before the request goes out. */
  readonly asking: (claim: Claim, transaction: Transaction, now: Millis) => Promise<void>;
  /** The destination took the request; a report is due until `until`. */
  readonly accepted: (claim: Claim, uid: string, until: Millis) => Promise<void>;
  /** The request never got there, or was refused: no report will come. */
  readonly notAsked: (claim: Claim, uid: string) => Promise<void>;
  /** Has files sent again. False where the destination is being served just now. */
  readonly sendAgain: (
    claim: Claim,
    destination: string,
    rows: readonly CommitmentRow[],
    now: Millis,
  ) => Promise<boolean>;

  // these end the claim; where there is other news than was seen, the leg is looked at again at once
  readonly awaiting: (
    claim: Claim,
    wait: {
      readonly news: number;
      readonly nextTry: Millis;
      readonly attempts: number;
      readonly failure: Failure | undefined;
    },
    now: Millis,
  ) => Promise<void>;
  readonly committed: (
    claim: Claim,
    end: { readonly news: number; readonly through: number; readonly failure: Failure | undefined },
    now: Millis,
  ) => Promise<void>;

  /** A report of one of these destinations. */
  readonly reported: (
    destinations: readonly string[],
    report: Reported,
    now: Millis,
  ) => Promise<ReportedOutcome>;
}
