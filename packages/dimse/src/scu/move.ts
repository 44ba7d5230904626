/** C-MOVE as SCU (PS3.7 9.1.4, PS3.4 C.4.2): one request in an association of its own, and what came of it. */
import { defined } from '@scanflow/failure/defined';
import { decodeDataSet, describeStatus, encodeDataSet, text, texts, type DataSet } from '@scanflow/dicom';
import { ambiguous, FailureError, permanent, transient, type Failure } from '@scanflow/failure';
import { endingOf, type Association } from '../association.ts';
import { type Message, COMMAND, DATA_SET, hex, type Command } from '../message.ts';
import { cancelled, CONTEXT, inAssociation, nameOf, type Peer } from './associate.ts';
import { Canceller, response, said } from './response.ts';

export interface MoveOrder {
  /** Study Root or Patient Root MOVE. */
  readonly sopClass: string;
  /** QueryRetrieveLevel and the unique keys of it and the levels above (PS3.4 C.4.2.1.4.1). */
  readonly identifier: DataSet;
  /** AE title of the target, as the peer knows it. */
  readonly destination: string;
  /**
   * Longest silence, in milliseconds. Responses between the first and the last are optional, and a source may have to
   * fetch from tape: default MOVE_QUIET_MS, not the time for a response.
   */
  readonly quietMs?: number;
  /** Gets the counts of each pending response. */
  readonly onProgress?: (counts: SubOperations) => void;
}

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

/** Longest silence of a source in the midst of a move. */
export const MOVE_QUIET_MS = 600_000;

const MESSAGE_ID = 1;

/**
 * Has the peer send to the destination. Never rejects. A signal that aborts sends C-CANCEL; what was sent until then
 * is in the counts. What the destination has is for it to say: nothing here proves it.
 */
export async function move(peer: Peer, order: MoveOrder, signal?: AbortSignal): Promise<MoveOutcome> {
  const pending: Pending = { counts: {} };
  const came = (failure: Failure): MoveOutcome => {
    const result = failure.code === 'CANCELLED' ? 'cancelled' : 'failed';
    return { result, failure, counts: pending.counts, failedUids: [] };
  };
  if (!/^[^\\\p{C}]{1,16}$/u.test(order.destination))
    return came(permanent('AET_TOO_LONG', 'An AE title has 1 to 16 characters, and no \\ among them.'));
  const { sopClass } = order;
  const refusal = `does not offer SOP class ${sopClass}; it cannot be asked to send`;
  const purpose = { sopClass, refusal, cancels: true };
  const outcome = await inAssociation(peer, purpose, signal, (association, syntax) =>
    ask({ association, peer, order, pending, signal }, syntax),
  );
  return 'ok' in outcome ? came(outcome.failure) : outcome;
}

interface Pending {
  counts: SubOperations;
}

interface Asking {
  readonly association: Association;
  readonly peer: Peer;
  readonly order: MoveOrder;
  readonly pending: Pending;
  readonly signal: AbortSignal | undefined;
}

async function ask(
  { association, peer, order, pending, signal }: Asking,
  syntax: string,
): Promise<MoveOutcome> {
  const request = {
    affectedSopClassUid: order.sopClass,
    commandField: COMMAND.moveRq,
    messageId: MESSAGE_ID,
    priority: 0,
    moveDestination: order.destination,
    dataSetType: DATA_SET,
  };
  const characterSet = text(order.identifier, 'SpecificCharacterSet');
  const identifier = encodeDataSet(order.identifier, syntax, characterSet);
  const canceller = new Canceller(association, { peer, messageId: MESSAGE_ID, signal });
  try {
    const sent = await association.send(CONTEXT, request, identifier);
    // it may have aborted before the request was out
    if (signal?.aborted === true) await canceller.cancel();
    const quiet = { ...peer, timeouts: { ...peer.timeouts, response: order.quietMs ?? MOVE_QUIET_MS } };
    const next = (): Promise<Message | undefined> => response(association, request, quiet);
    const final = sent ? await lastOf(next, order, pending) : undefined;
    if (final === undefined && signal?.aborted === true) throw cancelled();
    if (final !== undefined) {
      const outcome = outcomeOf(final, syntax, pending.counts, peer);
      const ours = outcome.result === 'cancelled' && signal?.aborted === true;
      return ours ? { ...outcome, failure: cancelled().failure } : outcome;
    }
    const message = `${nameOf(peer)}: ${endingOf(association)}. It may go on sending.`;
    throw new FailureError(ambiguous('MOVE_LOST', message));
  } finally {
    canceller.stop();
  }
}

/** The final response; undefined where the association ended before it. */
async function lastOf(
  next: () => Promise<Message | undefined>,
  order: MoveOrder,
  pending: Pending,
): Promise<Message | undefined> {
  for (;;) {
    const message = await next();
    if (message === undefined) return undefined;
    if (message.command.status !== 0xff00 && message.command.status !== 0xff01) return message;
    pending.counts = { ...pending.counts, ...countsOf(message.command) };
    order.onProgress?.(pending.counts);
  }
}

function countsOf(command: Command): SubOperations {
  const { remainingSubOperations, completedSubOperations, failedSubOperations, warningSubOperations } =
    command;
  return defined({
    remaining: remainingSubOperations,
    completed: completedSubOperations,
    failed: failedSubOperations,
    warning: warningSubOperations,
  });
}

/** Of the final response; `before`: the counts of the last pending one. */
function outcomeOf(
  { command, dataSet }: Message,
  transferSyntax: string,
  before: SubOperations,
  peer: Peer,
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
  if (category === 'success' || category === 'warning') return ended(told, final, category, peer);
  const failure = refusal(command, peer);
  return { ...told, result: category === 'cancel' ? 'cancelled' : 'failed', failure };
}

/** 0000 with failed images is met with, and so is B000 for warnings alone. */
function ended(
  told: Required<Told>,
  final: SubOperations,
  category: 'success' | 'warning',
  peer: Peer,
): MoveOutcome {
  const failed = Math.max(final.failed ?? 0, told.failedUids.length);
  const { remaining = 0, warning = 0 } = final;
  const unexplained = category === 'warning' && warning === 0;
  if (failed === 0 && remaining === 0 && !unexplained) return { ...told, result: 'complete' };
  const what = [
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(remaining > 0 ? [`${remaining} were not begun`] : []),
  ].join(', ');
  const message = `${nameOf(peer)} did not send every image (${what === '' ? 'it does not say how many' : what}; status ${hex(told.status)}). Look into its log and the target's.`;
  return { ...told, result: 'partial', failure: transient('MOVE_INCOMPLETE', message) };
}

function refusal(command: Command, peer: Peer): Failure {
  const { status = 0 } = command;
  const { message: answer, passes } = said('C-MOVE', command, peer);
  // PS3.4 table C.4-2
  if (status === 0xa801)
    return permanent(
      'MOVE_UNKNOWN_TARGET',
      `${answer} Have the target's AE title, host and port entered there.`,
    );
  if (status >> 8 === 0xa7)
    return transient(
      'MOVE_REFUSED',
      `${answer} See that the target runs, and that ${nameOf(peer)} has its address.`,
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
