/** A source of calendars, whatever its protocol, and the error that ends a fetch. */
import type { Failure } from '@scanflow/failure';
import { defined } from '@scanflow/failure/defined';
import type { Answer } from './answer.ts';

/** The validators of a body, with which the next request asks whether it changed (RFC 9110 8.8). */
export interface Validators {
  /** An entity tag, or another mark of one version of the calendar. */
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
   * Fetches once. It never throws for an answer. No message holds a password, a path or a query, which may be
   * secrets. `clockSkewMs` is the server's clock minus ours, if the answer has a time.
   */
  fetch(validators: Validators, signal: AbortSignal): Promise<Fetched>;
  /** Writes answers into events as they were fetched last. Absent where nothing can be written. It never throws for an answer. */
  readonly answer?: (answering: Answering, signal: AbortSignal) => Promise<Answered>;
}

export interface Answering {
  /** By UID; undefined: the event shall have none. Other events stay as they are. */
  readonly answers: ReadonlyMap<string, Answer | undefined>;
  /** Whether one more try to write may go to the event. It is asked once before each, so it may count. */
  readonly mayWrite: (uid: string) => boolean;
}

export interface Answered {
  readonly written: number;
  /** Events that changed meanwhile; the next pass looks at them again. */
  readonly changed: number;
  /** Status with which the server refused to take an event, by UID. Writing ends at the first. */
  readonly refused: ReadonlyMap<string, number>;
  /** Why the others were not reached. */
  readonly failure?: Failure;
  readonly retryAfterMs?: number;
}

export interface SourceLimits {
  /** Time limit of one fetch with its body and redirects, in milliseconds. */
  readonly timeoutMs: number;
  /** Limit of the decompressed body in bytes. */
  readonly maxSize: number;
}

export class Stop extends Error {
  readonly fetched: Extract<Fetched, { kind: 'failed' }>;

  constructor(kind: Failure['kind'], code: string, message: string, retryAfterMs?: number) {
    super(message);
    this.fetched = {
      kind: 'failed',
      failure: { kind, code, message },
      ...defined({ retryAfterMs }),
    };
  }
}
