/** How Orthanc and the ledger are, for /healthz: the last good moment, and what is wrong since. */
import type { Failure } from './domain/failure.ts';
import type { SystemInfo } from './ports.ts';

/** Orthanc may be restarted without the streamer being called unhealthy. */
const UNREACHABLE_MS = 60_000;

export class Condition {
  #orthanc: { readonly failure: Failure; readonly since: number } | undefined;
  /** What was being done when the ledger failed, and its message. */
  readonly #ledger = new Map<string, string>();
  system: SystemInfo | undefined;
  /** When Orthanc was last asked what it is. */
  askedAt = 0;
  seq = 0;

  orthancAnswered(): void {
    this.#orthanc = undefined;
  }

  /** Answers whether that is news. */
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

  health(now: number): { ok: boolean; detail: Record<string, unknown> } {
    const down = this.#orthanc;
    const [ledger] = this.#ledger.values();
    const tooLong = down !== undefined && now - down.since > UNREACHABLE_MS;
    return {
      ok: !tooLong && ledger === undefined,
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
        ...(this.system?.recycling === undefined ? {} : { warning: recyclingWarning(this.system.recycling) }),
      },
    };
  }
}

export const recyclingWarning = (limits: string): string =>
  `ORTHANC_RECYCLES: Orthanc deletes its oldest images by itself (${limits}), also those that are not stored yet. Set both limits to 0.`;
