/** Storage commitment as the ledger shows it. */
import type { CommitmentFacts } from './plan.ts';

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
