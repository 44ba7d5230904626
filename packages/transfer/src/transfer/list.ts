/** What `scanflow transfer` does: C-MOVE of the studies of a list, several requests at once. The journal notes each as soon as it is over. */
import { FailureError, permanent, type Failure } from '@scanflow/failure';
import { sleep } from '@scanflow/runtime/time';
import { failedRow, interruptedRow, type Journal, type Row } from './journal.ts';
import { pauseBefore, type Study, type Terms } from './nodes.ts';
import { keyOf, type Request } from './requests.ts';
import { transferStudy } from './study.ts';

export { dicomSource, dicomTarget } from './dicom-node.ts';
export { openJournal, type Journal, type Row } from './journal.ts';
export type { Source, Target } from './nodes.ts';
export { MOST_BYTES, nameOf, readList, type Request } from './requests.ts';
export { viaSource, viaTarget } from './via.ts';

interface ListOrder {
  readonly terms: RequestTerms;
  readonly requests: readonly Request[];
  readonly journal: Journal | undefined;
  /** Requests at the same time. */
  readonly atOnce: number;
  readonly progress: (state: Progressed) => void;
}

export interface Progressed {
  /** Requests that are over, including those of an earlier run. */
  readonly done: number;
  readonly total: number;
  readonly failed: number;
  /** Images that arrived in this run. */
  readonly images: number;
}

export interface Result {
  readonly request: Request;
  readonly rows: readonly Row[];
  /** An earlier run did it, by the journal. */
  readonly earlier: boolean;
}

/**
 * Transfers the studies of a list. Images that the target has are not moved again.
 *
 * @returns one result for each request, in the order of the list; failures of nodes are rows
 * @throws the error of the system if the journal cannot be written
 */
export async function transferList(order: ListOrder): Promise<Result[]> {
  const run = new Run(order);
  await Promise.all(Array.from({ length: order.atOnce }, () => run.work()));
  return run.results();
}

class Run {
  readonly #order: ListOrder;
  readonly #results = new Map<Request, Result>();
  readonly #open: Request[] = [];
  /** Images that arrived, of requests that are under way. */
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

interface RequestTerms extends Terms {
  /** How long to retry a node that does not answer, in milliseconds. */
  readonly retryMs: number;
  /** Called before each pause. */
  readonly retrying: (failure: Failure, pauseMs: number) => void;
}

interface Done {
  readonly rows: readonly Row[];
  /** A node did not answer during the retry time: the next request would fail alike. */
  readonly givenUp?: Failure;
}

/** Transfers the studies of one request. What a node does wrong becomes a row. */
async function transferRequest(
  terms: RequestTerms,
  request: Request,
  arrived: (images: number, of: number) => void,
): Promise<Done> {
  const { source, signal } = terms;
  const found = await patiently(terms, () => source.studies(request, signal));
  if ('failure' in found) return await failed(terms, found.failure, '');
  const ambiguity = mistaken(found.value, request, source.name);
  if (ambiguity !== undefined) return { rows: [failedRow(ambiguity)] };
  const rows: Row[] = [];
  for (const { studyUid } of found.value) {
    const errand = { studyUid, arrived };
    const done = await patiently(terms, () => transferStudy(terms, errand));
    if ('value' in done) {
      rows.push(done.value);
      continue;
    }
    const { rows: more, givenUp } = await failed(terms, done.failure, studyUid);
    rows.push(...more);
    if (givenUp !== undefined) return { rows, givenUp };
  }
  return { rows };
}

async function failed(terms: RequestTerms, failure: Failure, studyUid: string): Promise<Done> {
  if (terms.signal.aborted) return { rows: [interruptedRow(studyUid)] };
  const rows = [failedRow(failure, studyUid)];
  return failure.kind === 'permanent' || (await answers(terms)) ? { rows } : { rows, givenUp: failure };
}

/** Whether both nodes answer. Then only this request failed, and the next may succeed. */
async function answers({ source, target, signal }: RequestTerms): Promise<boolean> {
  try {
    await source.check(signal);
    await target?.check(signal);
    return true;
  } catch (error) {
    if (error instanceof FailureError) return false;
    throw error;
  }
}

/** The failure if no study matches, or several match where one is meant. */
function mistaken(studies: readonly Study[], request: Request, source: string): Failure | undefined {
  if (studies.length === 0)
    return permanent(
      'TRANSFER_NO_MATCH',
      `${source} has no such study. Check the number, and whether it is archived there.`,
    );
  const one = request.accession !== undefined || request.studyUid !== undefined;
  if (studies.length === 1 || !one) return undefined;
  const uids = studies.map(({ studyUid }) => studyUid).join(', ');
  return permanent(
    'TRANSFER_SEVERAL_STUDIES',
    `${source} has ${studies.length} studies of this number: ${uids}. Put the right ones into a column StudyInstanceUID.`,
  );
}

/** Repeats an attempt after growing pauses while it fails for now. */
async function patiently<T>(
  { retryMs, retrying, signal }: RequestTerms,
  attempt: () => Promise<T>,
): Promise<{ readonly value: T } | { readonly failure: Failure }> {
  const until = performance.now() + retryMs;
  for (let tried = 1; ; tried++) {
    const pauseMs = pauseBefore(tried);
    try {
      return { value: await attempt() };
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      const { failure } = error;
      if (failure.kind === 'permanent' || signal.aborted || performance.now() + pauseMs > until)
        return { failure };
      retrying(failure, pauseMs);
      await sleep(pauseMs, signal);
    }
  }
}
