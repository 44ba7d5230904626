/** A place that calendars are fetched from, whatever the protocol. */
import type { Failure } from '@scanflow/failure';

/** What a server gave with a body so that it can be asked whether the body is still good (RFC 9110 8.8). */
export interface Validators {
  /** An entity tag, or whatever else stands for one version of the calendar. */
  readonly etag?: string;
  readonly lastModified?: string;
}

export type Fetched =
  | {
      readonly kind: 'body';
      readonly bytes: Uint8Array;
      /** Character set that the server declares (RFC 9110 8.3.2). */
      readonly charset?: string | undefined;
      readonly validators: Validators;
      readonly clockSkewMs?: number | undefined;
    }
  | { readonly kind: 'notModified'; readonly clockSkewMs?: number | undefined }
  | { readonly kind: 'failed'; readonly failure: Failure; readonly retryAfterMs?: number };

export interface Source {
  /**
   * Asks once. Never throws for what the place answers; no message holds a password, a path or a query, which may be
   * secrets. `clockSkewMs`: the server's clock minus ours, where it tells the time.
   */
  fetch(validators: Validators, signal: AbortSignal): Promise<Fetched>;
}

export interface SourceLimits {
  /** Longest time for one fetch with its body and redirects, in milliseconds. */
  readonly timeoutMs: number;
  /** Largest body in bytes, decompressed. */
  readonly maxSize: number;
}
