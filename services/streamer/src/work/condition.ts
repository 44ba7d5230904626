/** How Orthanc and the ledger are, for /healthz: the last good moment, and what is wrong since. */
import { defined, given } from '@scanflow/failure/defined';
import type { Failure } from '@scanflow/failure';
import type { SystemInfo } from '@scanflow/orthanc';
import type { KeptSummary } from '../cleanup/plan.ts';
import type { VerifySummary } from '../verify/types.ts';
import type { LowSpace } from '../store/types.ts';
import { verifyHealth } from '../verify/plan.ts';

/** Orthanc may be restarted without the streamer being called unhealthy. */
const UNREACHABLE_MS = 60_000;

/** A root to which nothing is written. */
export interface RefusedRoot {
  readonly path: string;
  readonly failure: Failure;
}

export class Condition {
  #orthanc: { readonly failure: Failure; readonly since: number } | undefined;
  /** The work during which the ledger failed, and the ledger's message. */
  readonly #ledger = new Map<string, string>();
  #low: readonly LowSpace[] = [];
  #refused: ReadonlyMap<string, Failure> = new Map();
  system: SystemInfo | undefined;
  /** Findings of verification at the last look. */
  verified: VerifySummary | undefined;
  /** Series that are overdue for deletion from Orthanc, at the last look. */
  kept: KeptSummary | undefined;
  /** When the streamer last requested /system of Orthanc. */
  askedAt = 0;
  seq = 0;
  /** Everything that Orthanc had at this moment is in the ledger. Unknown while another streamer reads. */
  readAt = 0;
  /** While the ledger is rebuilt: how many series were looked at. */
  rebuilding: number | undefined;
  /** Whether this streamer is the one that reads what Orthanc reports. */
  leads = false;

  orthancAnswered(): void {
    this.#orthanc = undefined;
  }

  /** True if the state changed. */
  orthancFailed(failure: Failure, now: number): boolean {
    const news = this.#orthanc?.failure.code !== failure.code;
    this.#orthanc = { failure, since: this.#orthanc?.since ?? now };
    return news;
  }

  /** A round of this work went through. */
  worked(step: string): void {
    this.#ledger.delete(step);
  }

  ledgerFailed(step: string, message: string): void {
    this.#ledger.set(step, message);
  }

  /** Sets the roots that have too little free space. True if they are others than before. */
  lowOnSpace(low: readonly LowSpace[]): boolean {
    const before = this.#low;
    this.#low = low;
    return before.length !== low.length || low.some(({ root }, index) => before[index]?.root !== root);
  }

  /** Gives the roots that have another failure than before, or none any more. */
  rootsRefused(refused: readonly RefusedRoot[]): { path: string; failure: Failure | undefined }[] {
    const before = this.#refused;
    const now = new Map(refused.map(({ path, failure }) => [path, failure]));
    this.#refused = now;
    return [...new Set([...before.keys(), ...now.keys()])]
      .filter((path) => before.get(path)?.code !== now.get(path)?.code)
      .map((path) => ({ path, failure: now.get(path) }));
  }

  /** One for each root. */
  refusedCodes(): string[] {
    return [...this.#refused.values()].map(({ code }) => code);
  }

  isRefused(path: string): boolean {
    return this.#refused.has(path);
  }

  /** @param waiting destinations that wait for their hours, which is no fault */
  health(
    now: number,
    waiting: Readonly<Record<string, string>> = {},
  ): { ok: boolean; detail: Record<string, unknown> } {
    const down = this.#orthanc;
    const [ledger] = this.#ledger.values();
    const tooLong = down !== undefined && now - down.since > UNREACHABLE_MS;
    return {
      ok: !tooLong && ledger === undefined && this.#low.length === 0 && this.#refused.size === 0,
      detail: {
        orthanc:
          down === undefined
            ? { answers: true, version: this.system?.version, seq: this.seq }
            : {
                answers: false,
                forSeconds: Math.round((now - down.since) / 1000),
                code: down.failure.code,
                message: down.failure.message,
              },
        ledger: ledger ?? 'ok',
        ...defined({ rebuilding: given(this.rebuilding, (rebuilding) => ({ series: rebuilding })) }),
        storage: this.#storage(),
        verify: verifyHealth(this.verified),
        ...defined({ notCleaned: this.kept }),
        ...(Object.keys(waiting).length === 0 ? {} : { destinations: waiting }),
        ...defined({ warning: given(this.system?.recycling, recyclingWarning) }),
      },
    };
  }

  #storage(): string {
    const refused = [...this.#refused.values()].map(({ code, message }) => `${code}: ${message}`);
    return [...refused, ...this.#low.map(lowWarning)].join(' ') || 'ok';
  }
}

/** Without the path, which may name a project: anybody may ask. */
const lowWarning = ({ free, floor }: LowSpace): string =>
  `STORE_SPACE_FLOOR: a root of project storage has ${gigabytes(free)} GB free, and storing waits below ${gigabytes(floor)} GB (storage.freeSpace). Free space; scanflow doctor and the log name the root.`;

const gigabytes = (bytes: number): string => (bytes / 1e9).toFixed(1);

export const recyclingWarning = (limits: string): string =>
  `ORTHANC_RECYCLES: Orthanc deletes its oldest images by itself (${limits}), also those that are not stored yet. Set both limits to 0.`;
