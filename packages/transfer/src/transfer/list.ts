/** A whole list: so many requests at once, each noted in the journal as soon as it is over. */
import type { Failure } from '@scanflow/failure';
import type { Journal } from './journal.ts';
import { interruptedRow, type Row } from './outcome.ts';
import { transferRequest, type RequestTerms } from './requested.ts';
import { keyOf, type Request } from './requests.ts';

export interface ListOrder {
  readonly terms: RequestTerms;
  readonly requests: readonly Request[];
  readonly journal: Journal | undefined;
  /** Requests that are worked on at the same time. */
  readonly atOnce: number;
  readonly progress: (state: Progressed) => void;
}

export interface Progressed {
  /** Requests that are over, those of an earlier run among them. */
  readonly done: number;
  readonly total: number;
  readonly failed: number;
  /** Images that have come in this run. */
  readonly images: number;
}

export interface Result {
  readonly request: Request;
  readonly rows: readonly Row[];
  /** By an earlier run, as the journal tells. */
  readonly earlier: boolean;
}

/** Results in the order of the list. Rejects where the journal cannot be written. */
export async function transferList(order: ListOrder): Promise<Result[]> {
  const run = new Run(order);
  await Promise.all(Array.from({ length: order.atOnce }, () => run.work()));
  return run.results();
}

class Run {
  readonly #order: ListOrder;
  readonly #results = new Map<Request, Result>();
  readonly #open: Request[] = [];
  /** Images that have come, of requests that are being worked on. */
  readonly #coming = new Map<Request, number>();
  #images = 0;
  #failed = 0;
  #next = 0;
  #givenUp: Failure | undefined;

  constructor(order: ListOrder) {
    this.#order = order;
    for (const request of order.requests) {
      const rows = order.journal?.done.get(keyOf(request));
      if (rows === undefined) this.#open.push(request);
      else this.#results.set(request, { request, rows, earlier: true });
    }
  }

  async work(): Promise<void> {
    const { terms, journal } = this.#order;
    for (;;) {
      const request = this.#open[this.#next++];
      if (request === undefined || terms.signal.aborted || this.#givenUp !== undefined) return;
      let first: number | undefined;
      const { rows, givenUp } = await transferRequest(terms, request, (images) => {
        first ??= images;
        this.#coming.set(request, images - first);
        this.#tell();
      });
      this.#givenUp ??= givenUp;
      this.#coming.delete(request);
      this.#images += rows.reduce((sum, { transferred }) => sum + transferred, 0);
      if (rows.some(({ status }) => status !== 'Complete' && status !== 'Unverified')) this.#failed += 1;
      await journal?.append(keyOf(request), rows);
      this.#results.set(request, { request, rows, earlier: false });
      this.#tell();
    }
  }

  results(): Result[] {
    const why = this.#givenUp;
    const reason = why === undefined ? undefined : `Not begun, as a node does not answer: ${why.message}`;
    return this.#order.requests.map(
      (request) =>
        this.#results.get(request) ?? { request, rows: [interruptedRow('', reason)], earlier: false },
    );
  }

  #tell(): void {
    const coming = [...this.#coming.values()].reduce((sum, images) => sum + Math.max(0, images), 0);
    this.#order.progress({
      done: this.#results.size,
      total: this.#order.requests.length,
      failed: this.#failed,
      images: this.#images + coming,
    });
  }
}
