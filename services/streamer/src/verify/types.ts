/** Verification as the ledger shows it. */
import type { Claim, Millis } from '../ledger/tx.ts';
import type { Opening, Rate } from '../work/pace.ts';
import type { Reason } from '../model/series.ts';

/** Where a series has files: project storage, or the copy of everything. */
export type FileTarget = 'storage' | 'copy';

/** `unreadable`: the file is there, and the system does not let it be read. */
export interface Finding {
  readonly file: string;
  readonly kind: 'missing' | 'changed' | 'unreadable';
}

/** What one reading of all files of a series in one place found. */
export interface Look {
  /** That were compared. */
  readonly files: number;
  readonly bytes: number;
  readonly failure: Reason | undefined;
  /** The first of them, for people. */
  readonly findings: readonly Finding[];
  /** One text for all that is wrong, to tell whether it is still the same; undefined: nothing is. */
  readonly digest: string | undefined;
}

/** That somebody knows what is wrong, and why it may stay so. */
export interface Acknowledgement {
  readonly by: string;
  readonly at: Millis;
  readonly reason: string;
}

/** What the ledger knows of a series in one place. */
export interface VerificationView {
  readonly place: FileTarget;
  /** When something of it was stored last. */
  readonly stored: Millis;
  /** When it is looked at next; null: not by schedule any more. */
  readonly due: Millis | null;
  readonly looked: Millis | null;
  /** The last time that every file was what was stored. */
  readonly good: Millis | null;
  readonly files: number;
  readonly bytes: number;
  readonly failure: Reason | undefined;
  /** When the outcome changed to what it is. */
  readonly since: Millis | null;
  readonly findings: readonly Finding[];
  /** Of the last look. */
  readonly digest: string | undefined;
  readonly acknowledged: Acknowledgement | undefined;
  /** Why it could not be looked at the last time. */
  readonly trouble: Reason | undefined;
}

/** A series in one place, in one worker's hands until its lease ends; `target` of the claim is the place. */
export interface VerifyWork extends Claim {
  readonly target: FileTarget;
  /** The request of a person; undefined: its time has come. */
  readonly job: string | undefined;
  readonly repair: boolean;
  /** Troubles in a row so far. */
  readonly attempts: number;
}

/** Which series a person means; nothing: all. */
export interface Selection {
  readonly series?: string | undefined;
  readonly project?: string | undefined;
  /** Stored since then. */
  readonly since?: Millis | undefined;
}

export interface JobView {
  readonly id: string;
  readonly created: Millis;
  readonly by: string;
  readonly repair: boolean;
  readonly total: number;
  readonly done: number;
  /** Of those that are done. */
  readonly good: number;
  readonly acknowledged: number;
  readonly repaired: number;
}

/** What became of one series in one place, for whoever asked. */
export interface JobResult {
  readonly series: string;
  readonly place: FileTarget;
  readonly done: boolean;
  readonly outcome: Outcome | undefined;
}

export interface Outcome {
  readonly state: 'good' | 'acknowledged' | 'failing' | 'unknown';
  readonly code?: string;
  readonly message?: string;
  readonly files: number;
  readonly findings: readonly Finding[];
  /** What was put back, and what was not. */
  readonly repair?: { readonly restored: number; readonly left: number; readonly message?: string };
}

export interface VerifySummary {
  /** Series, by code, that nobody has acknowledged. */
  readonly failing: Readonly<Record<string, number>>;
  readonly acknowledged: number;
  /** Series that could not be looked at the last time, by code. */
  readonly trouble: Readonly<Record<string, number>>;
  /** When the next one is due. */
  readonly due: Millis | undefined;
  /** When the files that were not verified for the longest time were: last, or when they were stored. */
  readonly oldest: Millis | undefined;
}

/** How often, and for how long after storing; in milliseconds. `every` undefined: never by schedule. */
export interface VerifyTimes {
  readonly every: number | undefined;
  readonly until: number | undefined;
}

export interface VerifySettings extends VerifyTimes {
  readonly rate: Rate;
  /** Hours in which the schedule reads; always if undefined. */
  readonly hours: ((now: number) => Opening) | undefined;
}
