/** A transfer to a target that cannot be asked: the word of the source is all there is. */
import type { MoveOutcome } from '@scanflow/dimse';
import { interruptedRow, type Row, type Status } from './outcome.ts';
import { pauseBefore, rest } from './pauses.ts';
import { isFinal, type Terms } from './terms.ts';

interface Errand {
  readonly studyUid: string;
  readonly arrived: (images: number, of: number) => void;
}

export async function byItsWord(
  { source, again, signal }: Terms,
  { studyUid, arrived }: Errand,
  found: number,
): Promise<Row> {
  let transferred = 0;
  let outcome: MoveOutcome | undefined;
  for (let round = 0; round <= again && !signal.aborted; round++) {
    if (round > 0) await rest(pauseBefore(round), signal);
    outcome = await source.move({ studyUid }, (images) => arrived(images, found), signal);
    transferred = Math.max(transferred, Math.min(found, said(outcome, found)));
    if ((outcome.result === 'complete' && transferred === found) || isFinal(outcome)) break;
  }
  if (outcome === undefined) return interruptedRow(studyUid);
  const missing = found - transferred;
  const numbers = { studyUid, found, there: 0, transferred, missing, checkedBy: 'source' as const };
  if (outcome.result === 'complete' && missing === 0) return { ...numbers, failed: 0, status: 'Unverified' };
  const failed = Math.min(missing, outcome.counts.failed ?? 0);
  const status: Status = signal.aborted ? 'Interrupted' : transferred === 0 ? 'Failed' : 'Incomplete';
  return { ...numbers, failed, status, ...reasonOf(outcome, source.name, transferred, found) };
}

/** Images that it says it sent. */
function said({ result, counts: { completed, warning = 0 } }: MoveOutcome, found: number): number {
  if (completed === undefined) return result === 'complete' ? found : 0;
  return completed + warning;
}

function reasonOf(
  outcome: MoveOutcome,
  source: string,
  transferred: number,
  found: number,
): { readonly code: string; readonly reason: string } {
  if (outcome.result !== 'complete') return { code: outcome.failure.code, reason: outcome.failure.message };
  return {
    code: 'TRANSFER_NOT_ARRIVED',
    reason: `${source} says that it sent ${transferred} of ${found} images, and tells of no failure. Give --to as AET@host:port, so that the target can be asked.`,
  };
}
