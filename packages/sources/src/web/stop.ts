/** An error that carries the failure of a fetch out of nested calls. */
import { defined } from '@scanflow/booking/defined';
import type { Failure } from '@scanflow/failure';
import type { Fetched } from '../source.ts';

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
