/** What a C-MOVE came to, as the source tells it (PS3.4 C.4.2.1.4 to C.4.2.1.6, table C.4-2). Pure. */
import { defined } from '@scanflow/booking/defined';
import { decodeDataSet, describeStatus, texts } from '@scanflow/dicom';
import { type Failure, permanent, transient } from '@scanflow/failure';
import type { Message } from '../message/assembler.ts';
import { hex, type Command } from '../message/command.ts';

/** C-STORE sub-operations; what the source does not tell is absent. */
export interface SubOperations {
  readonly remaining?: number;
  readonly completed?: number;
  readonly failed?: number;
  readonly warning?: number;
}

interface Told {
  /** Of the final response; absent where none came. */
  readonly status?: number;
  /** The last reported ones. */
  readonly counts: SubOperations;
  /** Failed SOP Instance UID List (0008,0058) of the final response; empty where the source does not give it. */
  readonly failedUids: readonly string[];
}

/**
 * `complete`: it says that everything was sent, with warnings perhaps. `partial`: it says that it is done, and tells
 * of failed or remaining images, whatever the status. `failed`: it refused, gave up or fell silent; some images may
 * have gone. None of them says what the target has: ask it.
 */
export type MoveOutcome =
  | (Told & { readonly result: 'complete' })
  | (Told & { readonly result: 'partial' | 'failed' | 'cancelled'; readonly failure: Failure });

export function countsOf(command: Command): SubOperations {
  const { remainingSubOperations, completedSubOperations, failedSubOperations, warningSubOperations } =
    command;
  return defined({
    remaining: remainingSubOperations,
    completed: completedSubOperations,
    failed: failedSubOperations,
    warning: warningSubOperations,
  });
}

/** Of the final response; `before`: the counts of the last pending one. `source` names the peer. */
export function outcomeOf(
  { command, dataSet }: Message,
  transferSyntax: string,
  before: SubOperations,
  source: string,
): MoveOutcome {
  const { status = 0 } = command;
  const final = countsOf(command);
  const told = {
    status,
    // a final response need not repeat them
    counts: Object.keys(final).length === 0 ? before : final,
    failedUids: dataSet === undefined ? [] : failedUidsIn(dataSet, transferSyntax),
  };
  const { category } = describeStatus('C-MOVE', status);
  if (category === 'success' || category === 'warning') return ended(told, final, category, source);
  const failure = refusal(status, command.errorComment, source);
  return { ...told, result: category === 'cancel' ? 'cancelled' : 'failed', failure };
}

/** 0000 with failed images is met with, and so is B000 for warnings alone. */
function ended(
  told: Required<Told>,
  final: SubOperations,
  category: 'success' | 'warning',
  source: string,
): MoveOutcome {
  const failed = Math.max(final.failed ?? 0, told.failedUids.length);
  const { remaining = 0, warning = 0 } = final;
  const unexplained = category === 'warning' && warning === 0;
  if (failed === 0 && remaining === 0 && !unexplained) return { ...told, result: 'complete' };
  const what = [
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(remaining > 0 ? [`${remaining} were not begun`] : []),
  ].join(', ');
  const message = `${source} did not send every image (${what === '' ? 'it does not say how many' : what}; status ${hex(told.status)}). Look into its log and the target's.`;
  return { ...told, result: 'partial', failure: transient('MOVE_INCOMPLETE', message) };
}

function refusal(status: number, comment: string | undefined, source: string): Failure {
  const { meaning, transient: passes } = describeStatus('C-MOVE', status);
  const said = comment === undefined ? '' : ` (${comment})`;
  const answer = `${source} answered C-MOVE with: ${meaning}${said} (status ${hex(status)}).`;
  // PS3.4 table C.4-2
  if (status === 0xa801)
    return permanent(
      'MOVE_UNKNOWN_TARGET',
      `${answer} Have the target's AE title, host and port entered there.`,
    );
  if (status >> 8 === 0xa7)
    return transient(
      'MOVE_REFUSED',
      `${answer} See that the target runs, and that ${source} has its address.`,
    );
  if (status === 0xfe00) return transient('MOVE_FAILED', `${answer} Somebody ended it there; try again.`);
  return (passes ? transient : permanent)('MOVE_FAILED', `${answer} Look into its log.`);
}

/** A list that cannot be decoded takes nothing from the status. */
function failedUidsIn(bytes: Uint8Array, transferSyntax: string): string[] {
  try {
    return texts(decodeDataSet(bytes, transferSyntax), 'FailedSOPInstanceUIDList').filter(
      (uid) => uid !== '',
    );
  } catch {
    return [];
  }
}
