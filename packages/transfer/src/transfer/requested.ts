/** One request: which studies it means, and each of them to the target. */
import { type Failure, FailureError } from '@scanflow/failure';
import type { Study } from './nodes.ts';
import { failedRow, interruptedRow, type Row } from './outcome.ts';
import type { Request } from './requests.ts';
import { pauseBefore, rest } from './pauses.ts';
import { transferStudy } from './study.ts';
import type { Terms } from './terms.ts';

export interface RequestTerms extends Terms {
  /** How long a node that does not answer for now is tried again, in milliseconds. */
  readonly retryMs: number;
  /** Is told before each pause. */
  readonly retrying: (failure: Failure, pauseMs: number) => void;
}

export interface Done {
  readonly rows: readonly Row[];
  /** A node did not answer for as long as it was tried: the next request would find the same. */
  readonly givenUp?: Failure;
}

/** Never throws for what a node does. */
export async function transferRequest(
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

/** Both nodes answer: this request alone is what one of them breaks off over, and the next may succeed. */
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

/** No study, or more than one where one is meant: nothing is guessed. */
function mistaken(studies: readonly Study[], request: Request, source: string): Failure | undefined {
  if (studies.length === 0)
    return {
      kind: 'permanent',
      code: 'TRANSFER_NO_MATCH',
      message: `${source} has no such study. Check the number, and whether it is archived there.`,
    };
  const one = request.accession !== undefined || request.studyUid !== undefined;
  if (studies.length === 1 || !one) return undefined;
  const uids = studies.map(({ studyUid }) => studyUid).join(', ');
  return {
    kind: 'permanent',
    code: 'TRANSFER_SEVERAL_STUDIES',
    message: `${source} has ${studies.length} studies of this number: ${uids}. Put the right ones into a column StudyInstanceUID.`,
  };
}

/** Again, with growing pauses, while it fails for now. */
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
      await rest(pauseMs, signal);
    }
  }
}
