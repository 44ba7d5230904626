/**
 * Storage commitment on the wire (PS3.4 J.3): N-ACTION and the reports that come on its association, a listener for
 * reports, and reporting as the SCP.
 */
import { defined, given } from '@scanflow/failure/defined';
import {
  commitmentReport,
  commitmentRequest,
  decodeDataSet,
  encodeDataSet,
  newUid,
  readCommitmentReport,
  sopClasses,
  STORAGE_COMMITMENT_INSTANCE,
  type CommitmentReport,
  type CommitmentRequest,
  type DataSet,
} from '@scanflow/dicom';
import { ambiguous, FailureError, permanent } from '@scanflow/failure';
import { endingOf, type Association } from './association.ts';
import type { DimseLog, EventHandler, NormalizedResult } from './scp/types.ts';
import { type Message, COMMAND, DATA_SET, NO_DATA_SET, RESPONSE } from './message.ts';
import { comment } from './scp/call.ts';
import {
  cancelled,
  CONTEXT,
  inAssociation,
  nameOf,
  SYNTAXES,
  timeoutsOf,
  type Peer,
  type Unanswered,
} from './scu/associate.ts';
import { exchange } from './scu/response.ts';
import type { ServedContext } from './ul/negotiation.ts';

const COMMITMENT_CLASS = sopClasses.storageCommitmentPush;
/** PS3.4 table J.3-1: Request Storage Commitment. */
const ACTION_TYPE = 1;

/** What a listener serves that gets reports: its callers are SCPs, and have to select that role. */
export const commitmentReports: ServedContext = {
  abstractSyntax: COMMITMENT_CLASS,
  transferSyntaxes: SYNTAXES,
  operations: ['N-EVENT-REPORT'],
  role: 'scu',
};

/** What becomes of a report; the status is the answer (PS3.7 10.1.1.1.8). */
export type ReportHandler = (report: CommitmentReport) => Promise<NormalizedResult>;

/** Statuses of PS3.7 annex C with which a report is answered. */
export const REPORT_STATUS = {
  success: 0x0000,
  noSuchInstance: 0x0112,
  noSuchEventType: 0x0113,
  invalidArgument: 0x0115,
  /** For now: the peer may report again. */
  noResources: 0x0213,
} as const;

/** A report from the event that carried it, handed on; what is none is answered by its status. */
async function takeReport(
  event: { readonly sopInstanceUid: string; readonly eventType: number; readonly information: DataSet },
  handler: ReportHandler,
): Promise<NormalizedResult> {
  if (event.sopInstanceUid !== STORAGE_COMMITMENT_INSTANCE)
    return { status: REPORT_STATUS.noSuchInstance, comment: 'Not the instance of storage commitment' };
  if (event.eventType !== 1 && event.eventType !== 2)
    return { status: REPORT_STATUS.noSuchEventType, comment: 'Event types are 1 and 2' };
  const report = readCommitmentReport(event.information);
  if (report === undefined)
    return { status: REPORT_STATUS.invalidArgument, comment: 'There is no Transaction UID' };
  return handler(report);
}

/**
 * The `onEvent` of a listener that receives storage commitment reports (PS3.4 J.3.3).
 *
 * @param handler gets each report that can be read, with the association it came on; its answer is the status for the sender
 */
export const onCommitmentEvent =
  (
    handler: (
      report: CommitmentReport,
      from: Parameters<EventHandler>[0]['association'],
    ) => Promise<NormalizedResult>,
  ): EventHandler =>
  (event) =>
    takeReport(event, (report) => handler(report, event.association));

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
  | Unanswered;

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
  // no role is selected: who requests an association is the SCU (PS3.7 D.3.3.4)
  const purpose = { sopClass: COMMITMENT_CLASS, refusal: 'does not offer storage commitment' };
  return inAssociation(peer, purpose, options.signal, (association, transferSyntax) =>
    new Conversation({ association, transferSyntax, peer, request }, options).run(),
  );
}

interface Conversing {
  readonly association: Association;
  readonly transferSyntax: string;
  readonly peer: Peer;
  readonly request: CommitmentRequest;
}

class Conversation {
  readonly #association: Association;
  readonly #transferSyntax: string;
  readonly #peer: Peer;
  readonly #request: CommitmentRequest;
  readonly #options: CommitmentOptions;
  #reported = false;

  constructor({ association, transferSyntax, peer, request }: Conversing, options: CommitmentOptions) {
    this.#association = association;
    this.#transferSyntax = transferSyntax;
    this.#peer = peer;
    this.#request = request;
    this.#options = options;
  }

  async run(): Promise<CommitmentOutcome> {
    const command = {
      requestedSopClassUid: COMMITMENT_CLASS,
      commandField: COMMAND.actionRq,
      messageId: 1,
      dataSetType: DATA_SET,
      requestedSopInstanceUid: STORAGE_COMMITMENT_INSTANCE,
      actionTypeId: ACTION_TYPE,
    };
    const bytes = encodeDataSet(commitmentRequest(this.#request), this.#transferSyntax);
    const sent = await this.#association.send(CONTEXT, command, bytes);
    const answer = sent ? await this.#response() : undefined;
    if (answer === undefined) throw this.#lost();
    const { status = 0, errorComment } = answer.command;
    if (status === 0) await this.#linger();
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
  async #response(): Promise<Message | undefined> {
    const limitMs = timeoutsOf(this.#peer).response;
    const stop = this.#association.endAfter(limitMs, `no response within ${limitMs} ms`);
    try {
      for (;;) {
        const message = await this.#association.receive();
        if (message === undefined) return undefined;
        const { commandField, messageIdBeingRespondedTo, status } = message.command;
        const ours = commandField === (COMMAND.actionRq | RESPONSE) && messageIdBeingRespondedTo === 1;
        if (ours && status !== undefined) return message;
        if (!(await this.#event(message))) return undefined;
      }
    } finally {
      stop();
    }
  }

  /** Waits for the report, for the given time. Whatever ends the wait, the request stands. */
  async #linger(): Promise<void> {
    const deadline = performance.now() + this.#options.lingerMs;
    while (!this.#reported && this.#association.ending === undefined) {
      const left = deadline - performance.now();
      if (left <= 0) return;
      const message = await within(this.#association.receive(), left);
      if (message === undefined || !(await this.#event(message))) return;
    }
  }

  /** Answers N-EVENT-REPORT. False: it was something else, and the association has ended. */
  async #event({ contextId, command, dataSet }: Message): Promise<boolean> {
    if (command.commandField !== COMMAND.eventReportRq) {
      this.#association.abort('the peer sent something unexpected');
      return false;
    }
    const { eventTypeId, affectedSopInstanceUid } = command;
    const { status, comment: why } = await this.#handle(
      { sopInstanceUid: affectedSopInstanceUid ?? '', eventType: eventTypeId ?? 0 },
      dataSet ?? new Uint8Array(0),
    );
    return this.#association.send(contextId, {
      affectedSopClassUid: COMMITMENT_CLASS,
      commandField: COMMAND.eventReportRq | RESPONSE,
      messageIdBeingRespondedTo: command.messageId ?? 0,
      dataSetType: NO_DATA_SET,
      status,
      ...defined({ errorComment: given(why, comment), affectedSopInstanceUid, eventTypeId }),
    });
  }

  async #handle(
    event: { readonly sopInstanceUid: string; readonly eventType: number },
    bytes: Uint8Array,
  ): Promise<NormalizedResult> {
    const { onReport, log } = this.#options;
    try {
      const information = decodeDataSet(bytes, this.#transferSyntax, { maxElements: MAX_ELEMENTS });
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

/** `status`: of the response to N-EVENT-REPORT. */
export type ReportOutcome =
  { readonly ok: true; readonly status: number; readonly comment?: string } | Unanswered;

export interface ReportOptions {
  /** Whether the role of the SCP is selected (PS3.7 D.3.3.4); default true. Without, a peer has to refuse. */
  readonly selectRole?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Reports as the SCP, which opens the association itself (PS3.4 J.3.3). The peer must accept us as the SCP. Never rejects.
 * A report that was sent and not answered is `ambiguous`.
 */
export async function reportCommitment(
  peer: Peer,
  report: CommitmentReport,
  { selectRole = true, signal }: ReportOptions = {},
): Promise<ReportOutcome> {
  const sopClass = COMMITMENT_CLASS;
  const roles = selectRole ? [{ sopClassUid: sopClass, scu: false, scp: true }] : [];
  const purpose = { sopClass, roles, refusal: 'takes no reports' };
  return inAssociation(peer, purpose, signal, async (association, transferSyntax) => {
    if (selectRole && !association.isScpOf(sopClass))
      throw new FailureError(permanent('ROLE_REFUSED', `${nameOf(peer)} does not take us for an SCP.`));
    const { eventType, information } = commitmentReport(report);
    const command = {
      affectedSopClassUid: sopClass,
      commandField: COMMAND.eventReportRq,
      messageId: 1,
      dataSetType: DATA_SET,
      affectedSopInstanceUid: STORAGE_COMMITMENT_INSTANCE,
      eventTypeId: eventType,
    };
    const answer = await exchange(association, peer, command, encodeDataSet(information, transferSyntax));
    if (answer !== undefined) {
      const { status = 0, errorComment } = answer.command;
      return { ok: true as const, status, ...defined({ comment: errorComment }) };
    }
    if (signal?.aborted === true) throw cancelled();
    throw new FailureError(ambiguous('NO_RESPONSE', `${nameOf(peer)}: ${endingOf(association)}.`));
  });
}
