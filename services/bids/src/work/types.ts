/** What the service asks of the work on folders, and what comes of it. */
import type { Failure } from '@scanflow/failure';
import type { Conflict, Decision, Plan, SessionFacts } from '@scanflow/bids';

/** A stored series. */
export interface StoredSeries {
  /** Scanflow's identifier. */
  readonly id: string;
  /** Relative to `storageRoot`, with `/`. */
  readonly folder: string;
}

/** One session of one registration, and where it lies. */
export interface SessionRequest {
  readonly project: string;
  /** Scanflow's labels, such as `sub-001` and `ses-mr01`. */
  readonly subject: string;
  readonly session: string | undefined;
  readonly accessionNumber: string;
  /** Absolute. */
  readonly storageRoot: string;
  /** Absolute: the BIDS dataset of the project. Made where it is not there. */
  readonly datasetRoot: string;
  readonly series: readonly StoredSeries[];
}

/** A program that is started without a shell, in a process group of its own, and its bounds. */
export interface Program {
  /** Path or name of the program, and its first arguments. */
  readonly command: readonly string[];
  readonly timeoutMs: number;
}

export interface ValidatorProgram extends Program {
  /** Limit of its memory, where the program is Node.js. */
  readonly memoryMiB?: number;
}

export interface PlanOptions {
  readonly dcm2niix: Program;
  /** Rules and labels: from `@scanflow/bids`. Pure. */
  readonly plan: (facts: SessionFacts) => Plan;
  /** Called with each series that was looked at or converted; for progress. */
  readonly onProgress?: (progress: Progress) => void;
}

export interface Progress {
  readonly step: 'facts' | 'convert' | 'validate' | 'publish';
  readonly done: number;
  readonly of: number;
}

export interface SessionOptions extends PlanOptions {
  readonly validator: ValidatorProgram;
  /** Fields that are taken out of every sidecar; `SCRUBBED` where it is not given. */
  readonly scrub?: readonly string[];
  /** Days that are added to acquisition times in `scans.tsv`; without it, times do not change. */
  readonly shiftDays?: number;
  /** `dataset_description.json` of a new dataset: Name (the project by default), Authors, License … */
  readonly description?: Readonly<Record<string, unknown>>;
  /** Version of Scanflow, for GeneratedBy. */
  readonly scanflowVersion: string;
  /** An invalid session goes into the dataset, too, with its verdict; by default it is kept in `.scanflow/invalid/`. */
  readonly publishInvalid?: boolean;
  /** Longest wait for another worker that writes the same dataset; 10 minutes by default. */
  readonly lockTimeoutMs?: number;
  /** For tests: called before each step of publishing. */
  readonly beforeStep?: (step: string) => void | Promise<void>;
}

export interface Issue {
  readonly code: string;
  readonly message: string;
  /** How many files have it. */
  readonly count: number;
  /** Some of these files, relative to the dataset. */
  readonly files: readonly string[];
}

export interface Verdict {
  readonly verdict: 'valid' | 'invalid';
  readonly errors: readonly Issue[];
  readonly warnings: readonly Issue[];
  /** `bids-validator 1.15.0`, where the program says so. */
  readonly validator: string;
}

export interface SeriesResult {
  readonly id: string;
  readonly folder: string;
  readonly seriesDescription: string;
  readonly decision: Decision;
  readonly reason: string;
  /** Relative to the dataset; empty where nothing of it was converted. */
  readonly files: readonly string[];
  readonly images: number;
  /** Why it is not in the dataset although the plan has it; the message has dcm2niix's own words. */
  readonly failure: Failure | undefined;
  /** dcm2niix's warnings. */
  readonly warnings: readonly string[];
}

/** A file of a person that stood where ours would go, or that changed since we wrote it. Nobody overwrites it. */
export interface KeptFile {
  /** Relative to the dataset. */
  readonly path: string;
  readonly why: 'changed' | 'not ours';
  /** Where our new one lies, relative to the dataset; undefined where we have none of that name. */
  readonly ours: string | undefined;
}

export interface Outcome {
  /** `published`: the dataset has it now. `unchanged`: it had the same bytes. `kept aside`: invalid. `empty`: nothing to convert. */
  readonly state: 'published' | 'unchanged' | 'kept aside' | 'empty';
  /** Relative to the dataset: `sub-001/ses-mr01`. */
  readonly folder: string;
  readonly plan: Plan;
  readonly conflicts: readonly Conflict[];
  readonly series: readonly SeriesResult[];
  readonly kept: readonly KeptFile[];
  readonly counts: {
    readonly series: number;
    readonly converted: number;
    readonly failed: number;
    readonly left: number;
    readonly files: number;
    readonly images: number;
  };
  /** Undefined where nothing was converted. */
  readonly verdict: Verdict | undefined;
  readonly versions: { readonly dcm2niix: string; readonly scanflow: string };
}
