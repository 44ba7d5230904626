/** Storage commitment as SCU (PS3.4 J.3.2): N-ACTION, and the reports that come on the same association. */
import { defined } from '@scanflow/booking/defined';
import {
  commitmentRequest,
  decodeDataSet,
  encodeDataSet,
  newUid,
  STORAGE_COMMITMENT_INSTANCE,
  type CommitmentRequest,
} from '@scanflow/dicom';
import { type Failure, FailureError, ambiguous, permanent } from '@scanflow/failure';
import { endingOf, type Association } from '../association.ts';
import {
  ACTION_TYPE,
  COMMITMENT_CLASS,
  COMMITMENT_SYNTAXES,
  REPORT_STATUS,
  takeReport,
  type ReportHandler,
} from '../commitment.ts';
import { failureOf } from '../failure.ts';
import type { DimseLog } from '../log.ts';
import { COMMAND, DATA_SET, NO_DATA_SET, RESPONSE } from '../message/command.ts';
import type { Message } from '../message/assembler.ts';
import type { NormalizedResult } from '../scp/types.ts';
import { comment } from '../scp/call.ts';
import { abortOn, associate, release } from './associate.ts';
import { nameOf, timeoutsOf, type Peer } from './peer.ts';

export interface CommitmentOptions {
  /** For reports on the association of the request; their answers are the handler's. */
  readonly onReport: ReportHandler;
  /** How long the association is kept open for the report, in milliseconds; 0: it is released at once. */
  readonly lingerMs: number;
  readonly log: DimseLog;
  readonly signal?: AbortSignal;
}

/** `status`: of the response to N-ACTION, 0000 where the peer will report. */
export type CommitmentOutcome =
  | {
      readonly ok: true;
      readonly status: number;
      readonly comment?: string;
      /** The report of this request came on the association. */
      readonly reported: boolean;
    }
  | { readonly ok: false; readonly failure: Failure };

const CONTEXT = 1;
const MAX_ELEMENTS = 262_144;

/** A new Transaction UID (PS3.4 J.3.2.1.1): it has to be kept before it is sent. */
export const newTransactionUid = (): string => newUid();

/**
 * Asks the peer to commit itself to the instances. Never rejects; lost after it was sent is `ambiguous`: the peer may
 * report all the same.
 */
export async function requestCommitment(
  peer: Peer,
  request: CommitmentRequest,
  options: CommitmentOptions,
): Promise<CommitmentOutcome> {
  const { signal } = options;
  try {
    const proposed = {
      id: CONTEXT,
      abstractSyntax: COMMITMENT_CLASS,
      transferSyntaxes: COMMITMENT_SYNTAXES,
    };
    // no role is selected: who requests an association is the SCU (PS3.7 D.3.3.4)
    const association = await associate(peer, [proposed], signal);
    const letGo = abortOn(signal, association);
    try {
      return await new Conversation(association, peer, request, options).run();
    } finally {
      letGo();
      await release(association, peer);
    }
  } catch (error) {
    return { ok: false, failure: failureOf(error) };
  }
}

class Conversation {
  readonly #association: Association;
  readonly #peer: Peer;
  readonly #request: CommitmentRequest;
  readonly #options: CommitmentOptions;
  #reported = false;

  constructor(association: Association, peer: Peer, request: CommitmentRequest, options: CommitmentOptions) {
    this.#association = association;
    this.#peer = peer;
    this.#request = request;
    this.#options = options;
  }

  async run(): Promise<CommitmentOutcome> {
    const transferSyntax = this.#association.context(CONTEXT)?.transferSyntax;
    if (transferSyntax === undefined)
      throw new FailureError(
        permanent('NOT_NEGOTIATED', `${nameOf(this.#peer)} does not offer storage commitment.`),
      );
    const command = {
      requestedSopClassUid: COMMITMENT_CLASS,
      commandField: COMMAND.actionRq,
      messageId: 1,
      dataSetType: DATA_SET,
      requestedSopInstanceUid: STORAGE_COMMITMENT_INSTANCE,
      actionTypeId: ACTION_TYPE,
    };
    const bytes = encodeDataSet(commitmentRequest(this.#request), transferSyntax);
    const sent = await this.#association.send(CONTEXT, command, bytes);
    const answer = sent ? await this.#response(transferSyntax) : undefined;
    if (answer === undefined) throw this.#lost();
    const { status = 0, errorComment } = answer.command;
    if (status === 0) await this.#linger(transferSyntax);
    return {
      ok: true,
      status,
      reported: this.#reported,
      ...defined({ comment: errorComment }),
    };
  }

  /** Also where we ended it ourselves: the peer may have it. */
  #lost(): FailureError {
    const message = `${nameOf(this.#peer)}: ${endingOf(this.#association)}. It may report all the same.`;
    return new FailureError(ambiguous('NO_RESPONSE', message));
  }

  /** The response to N-ACTION; reports that come before it are taken, too. */
  async #response(transferSyntax: string): Promise<Message | undefined> {
    const limitMs = timeoutsOf(this.#peer).response;
    const stop = this.#association.endAfter(limitMs, `no response within ${limitMs} ms`);
    try {
      for (;;) {
        const message = await this.#association.receive();
        if (message === undefined) return undefined;
        const { commandField, messageIdBeingRespondedTo, status } = message.command;
        const ours = commandField === (COMMAND.actionRq | RESPONSE) && messageIdBeingRespondedTo === 1;
        if (ours && status !== undefined) return message;
        if (!(await this.#event(message, transferSyntax))) return undefined;
      }
    } finally {
      stop();
    }
  }

  /** Waits for the report, for the given time. Whatever ends the wait, the request stands. */
  async #linger(transferSyntax: string): Promise<void> {
    const deadline = performance.now() + this.#options.lingerMs;
    while (!this.#reported && this.#association.ending === undefined) {
      const left = deadline - performance.now();
      if (left <= 0) return;
      const message = await within(this.#association.receive(), left);
      if (message === undefined || !(await this.#event(message, transferSyntax))) return;
    }
  }

  /** Answers N-EVENT-REPORT. False: it was something else, and the association has ended. */
  async #event({ contextId, command, dataSet }: Message, transferSyntax: string): Promise<boolean> {
    if (command.commandField !== COMMAND.eventReportRq) {
      this.#association.abort('the peer sent something unexpected');
      return false;
    }
    const { eventTypeId, affectedSopInstanceUid } = command;
    const { status, comment: why } = await this.#handle(
      { sopInstanceUid: affectedSopInstanceUid ?? '', eventType: eventTypeId ?? 0 },
      dataSet ?? new Uint8Array(0),
      transferSyntax,
    );
    return this.#association.send(contextId, {
      affectedSopClassUid: COMMITMENT_CLASS,
      commandField: COMMAND.eventReportRq | RESPONSE,
      messageIdBeingRespondedTo: command.messageId ?? 0,
      dataSetType: NO_DATA_SET,
      status,
      ...(why === undefined ? {} : { errorComment: comment(why) }),
      ...defined({ affectedSopInstanceUid, eventTypeId }),
    });
  }

  async #handle(
    event: { readonly sopInstanceUid: string; readonly eventType: number },
    bytes: Uint8Array,
    transferSyntax: string,
  ): Promise<NormalizedResult> {
    const { onReport, log } = this.#options;
    try {
      const information = decodeDataSet(bytes, transferSyntax, { maxElements: MAX_ELEMENTS });
      return await takeReport({ ...event, information }, async (report) => {
        const result = await onReport(report);
        const ours = report.transactionUid === this.#request.transactionUid;
        if (ours && result.status === REPORT_STATUS.success) this.#reported = true;
        return result;
      });
    } catch (error) {
      log.error('n-event-report.failed', { error: error instanceof Error ? error.name : 'unknown' });
      return { status: REPORT_STATUS.noResources, comment: 'Not taken, see the log; report it again' };
    }
  }
}

/** The promise's value, undefined after so many milliseconds. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), ms);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
